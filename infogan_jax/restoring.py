"""A run directory -> its experiment and its newest whole checkpoint."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax

from infogan_jax import experiment
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.experiment import NO_EXTENSIONS, Experiment, Extensions
from infogan_jax.fields import with_defaults
from infogan_jax.game.state import (
    D_PLAYER,
    G_PLAYER,
    TrainState,
    player,
    state_shapes,
)
from infogan_jax.machine import parallel
from infogan_jax.model.latents import LatentSpec
from infogan_jax.run import data_record, run_directory
from infogan_jax.run.checkpoints import Checkpoints


def restore(
    workdir: Path, data: str = "", extensions: Extensions = NO_EXTENSIONS
) -> tuple[Experiment, TrainState]:
    """Returns the experiment of a run, and the state of its newest checkpoint.

    Networks, codes and parameters need the run directory alone. The data is read when
    `dataset` of the experiment is first asked for.

    Args:
      workdir: of the run.
      data: where the data lies now, in place of the recorded `config.data.directory`.
      extensions: those with which the run was trained.

    Raises:
      UserError: where the directory holds no run, or no checkpoint.
    """
    exp = described(workdir, data, extensions)
    mesh = parallel.make_mesh(devices=parallel.all_devices()[:1])
    return exp, _newest_state(exp, workdir, mesh)


def _newest_state(exp: Experiment, workdir: Path, mesh: parallel.Mesh) -> TrainState:
    directory = workdir / run_directory.CHECKPOINTS
    if not directory.is_dir():
        raise UserError(f"{directory} does not exist; train the run first.")
    with Checkpoints(directory, read_only=True) as checkpoints:
        like = parallel.replicated_shapes(mesh, state_shapes(exp.algorithm))
        state = checkpoints.restore_newest(like)
    if state is None:
        raise UserError(f"{directory} holds no checkpoint; train the run for longer.")
    return state


SAME = ("networks.", "latents.noise_")
"""Fields that two runs must share for one to begin with the other's parameters."""


def begin_from(
    exp: Experiment,
    source: Path,
    mesh: parallel.Mesh,
    extensions: Extensions = NO_EXTENSIONS,
) -> tuple[TrainState, dict[str, Any]]:
    """Returns a first state with the parameters of another run, and what to record.

    Parameters, statistics and average are those of the newest checkpoint of `source`.
    The optimisers, the step and the H of the contrastive term are new, and the seed is
    that of `exp`. Both runs have the same extensions.

    Raises:
      UserError: where `source` is no run, or has other networks or other codes.
    """
    other = described(source, extensions=extensions)
    _check_same_model(exp, other, source)
    state = _newest_state(other, source, mesh)
    step = int(state.step)
    state = jax.device_get(parallel.local_copy(state))
    average = state.average or {
        "params": state.params["generator"],
        "stats": state.stats["generator"],
    }
    new = jax.device_get(exp.first_state())
    players = (*D_PLAYER, *G_PLAYER)
    first = replace(
        new,
        params={**new.params, **player(state.params, players)},
        stats={**new.stats, **player(state.stats, players)},
        average=average if exp.algorithm.average_decay else {},
    )
    about = {"run": str(source.absolute()), "step": step}
    about |= {"name": other.config["name"], "seed": other.seed}
    return parallel.replicate(mesh, first), about


def _check_same_model(exp: Experiment, other: Experiment, source: Path) -> None:
    differing = [
        f"config.{name} ({other.flat[name]!r} there, {exp.flat[name]!r} here)"
        for name in exp.flat
        if name.startswith(SAME) and other.flat[name] != exp.flat[name]
    ]
    codes = [_shapes_of_codes(each.algorithm.spec) for each in (exp, other)]
    if codes[0] != codes[1]:
        name = "latents.codes"
        there, here = other.flat[name], exp.flat[name]
        differing.append(f"config.{name} ({there!r} there, {here!r} here)")
    if differing:
        raise UserError(
            f"--init_from (={source}) must be a run with the same networks and codes, "
            f"but these differ: {', '.join(differing)}; take the values there."
        )


def _shapes_of_codes(spec: LatentSpec) -> list[tuple[str, int, int]]:
    """Returns of each code its kind, its size, and the place of its parent; else -1."""
    places = {code.name: place for place, code in enumerate(spec.codes)}
    return [(c.kind, c.size, places.get(c.parent, -1)) for c in spec.codes]


def described(
    workdir: Path, data: str = "", extensions: Extensions = NO_EXTENSIONS
) -> Experiment:
    """Returns the experiment of a run as `restore` does, but looks at no checkpoint."""
    config = with_defaults(run_directory.read_config(workdir))
    run_directory.refuse_links(workdir)
    if data and isinstance(config.get("data"), dict):
        config["data"]["directory"] = data
    load = partial(_load, workdir, extensions)
    return experiment.describe(config, load, extensions)


def _load(workdir: Path, extensions: Extensions, request: Request) -> Dataset:
    """Returns the data of a run, if it is still there and still the same."""
    try:
        dataset = extensions.load(request)
    except (UserError, RunFailure) as error:
        raise UserError(
            f"the data of --workdir (={workdir}) cannot be read, and an evaluation "
            f"needs it: {error} If it lies elsewhere now, name the place with --data; "
            "samples, traversals and the codes of other images need no data."
        ) from error
    return data_record.recognise(workdir, dataset)
