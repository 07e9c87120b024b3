"""A run directory -> its experiment and its newest whole checkpoint."""

from functools import partial
from pathlib import Path

import jax

from infogan_jax import experiment
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.sources import catalog
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.experiment import Experiment
from infogan_jax.game.state import TrainState, state_shapes
from infogan_jax.machine import parallel
from infogan_jax.run import data_record, run_directory
from infogan_jax.run.checkpoints import Checkpoints


def restore(workdir: Path, data: str = "") -> tuple[Experiment, TrainState]:
    """Returns the experiment of a run, and the state of its newest checkpoint.

    Networks, codes and parameters need the run directory alone. The data is read when
    `dataset` of the experiment is first asked for.

    Args:
      workdir: of the run.
      data: where the data lies now, in place of the recorded `config.data.directory`.

    Raises:
      UserError: where the directory holds no run, or no checkpoint.
    """
    exp = described(workdir, data)
    directory = workdir / run_directory.CHECKPOINTS
    if not directory.is_dir():
        raise UserError(f"{directory} does not exist; train the run first.")
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    with Checkpoints(directory, read_only=True) as checkpoints:
        like = parallel.replicated_shapes(mesh, state_shapes(exp.algorithm))
        state = checkpoints.restore_newest(like)
    if state is None:
        raise UserError(f"{directory} holds no checkpoint; train the run for longer.")
    return exp, state


def described(workdir: Path, data: str = "") -> Experiment:
    """Returns the experiment of a run as `restore` does, but looks at no checkpoint."""
    config = run_directory.read_config(workdir)
    run_directory.refuse_links(workdir)
    if data and isinstance(config.get("data"), dict):
        config["data"]["directory"] = data
    return experiment.describe(config, partial(_load, workdir))


def _load(workdir: Path, request: Request) -> Dataset:
    """Returns the data of a run, if it is still there and still the same."""
    try:
        dataset = catalog.load(request)
    except (UserError, RunFailure) as error:
        raise UserError(
            f"the data of --workdir (={workdir}) cannot be read, and an evaluation "
            f"needs it: {error} If it lies elsewhere now, name the place with --data; "
            "samples, traversals and the codes of other images need no data."
        ) from error
    return data_record.recognise(workdir, dataset)
