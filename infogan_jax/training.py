"""Trains a run: build, restore, step, show, save."""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax

from infogan_jax import experiment
from infogan_jax.analysis import collapse, encode, reconstruction
from infogan_jax.analysis.grids import grid, split_grid
from infogan_jax.analysis.traversals import sample_and_traversal_grids
from infogan_jax.data import report
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.errors import UserError
from infogan_jax.experiment import NO_EXTENSIONS, Experiment, Extensions
from infogan_jax.fields import DEFAULTS
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState, state_shapes
from infogan_jax.game.train_step import train_step
from infogan_jax.machine import compilation, parallel, processes
from infogan_jax.restoring import begin_from
from infogan_jax.run import data_record, run_directory, trackers
from infogan_jax.run.checkpoints import Checkpoints
from infogan_jax.run.environment import write_environment
from infogan_jax.run.files import write_json, write_png
from infogan_jax.run.progress import Progress, Warnings, say
from infogan_jax.run.run_directory import CHECKPOINTS, LABELS, PICTURES
from infogan_jax.run.signals import StopRequest

Begun = tuple[TrainState, dict[str, Any]]
"""A first state with the parameters of another run, and the record of that run."""


@processes.in_cluster()
def train(
    config: Mapping[str, Any],
    workdir: Path,
    *,
    accept_data: bool = False,
    extensions: Extensions = NO_EXTENSIONS,
    init_from: Path | None = None,
) -> int:
    """Trains the experiment of a config in a run directory, or goes on with it.

    Args:
      config: as in `configs/`, nested.
      workdir: new, empty, or of an earlier call with the same config.
      accept_data: whether to go on although the data has changed since then; what was
        held out stays held out.
      extensions: what your program adds.
      init_from: a run whose parameters a new run begins with, in place of random ones.

    Returns:
      The exit status: 0, or 128 and the number of the signal that stopped it (the state
      is saved first).

    Raises:
      UserError: for a mistake in config or directory, before anything is compiled.
      RunFailure: where losses or parameters are not finite, or a process is lost.
    """
    compilation.use_persistent_cache()
    with processes.all_succeed():
        load = partial(load_for, workdir, accept_data, extensions.load)
        exp = experiment.describe(config, load, extensions)
        mesh = parallel.make_mesh(exp.batch_size)
        trackers.check_installed(exp.trackers)
        run_directory.check(workdir, exp.config, DEFAULTS)
        experiment.check_memory(exp, with_images=False)
        begun = _begin_from(exp, workdir, mesh, init_from, extensions)
        _ = exp.dataset  # read before anything is written
        if warning := experiment.check_memory(exp):
            say(warning)
    with (
        run_directory.open_for_training(workdir, exp.config, DEFAULTS),
        Checkpoints(workdir / CHECKPOINTS) as checkpoints,
        StopRequest() as stop,
    ):
        data_record.write(workdir, exp.dataset, again=accept_data)
        state = _starting_state(exp, workdir, mesh, checkpoints, begun)
        start = int(state.step)
        if start >= exp.steps:
            say(f"{workdir} is complete: step {start}. {_next(workdir)}")
            return 0
        said = record_data(exp, workdir)
        for line in said if not start else ():
            say(line)
        feed = exp.feed(start)
        data = parallel.replicate(mesh, feed.resident)
        advance = _many_steps(exp.algorithm, feed.fetch, mesh)
        find_warnings = partial(collapse.warnings_in_stats, exp.algorithm)
        tracked = trackers.start(exp.trackers, workdir, exp.config, say)
        with Progress(
            workdir, start, exp.steps, exp.batch_size, find_warnings, trackers=tracked
        ) as progress:
            progress.say(_introduction(exp, workdir, start))
            calls = feed.calls(parallel.local_rows(mesh, exp.batch_size))
            for step, call in zip(exp.call_ends(start), calls, strict=True):
                batches = parallel.split_batches(mesh, call)
                state, metrics = advance(state, data, batches)
                if step == start + exp.steps_per_call:
                    progress.restart_clock(start)  # it has compiled
                progress.estimate(step, metrics)
                if exp.is_due("log", step):
                    progress.log(step, metrics)
                if exp.is_due("picture", step):
                    progress.pictures(step, *draw_pictures(exp, state))
                stopping = stop.stops_here(exp.is_due("log", step))
                if exp.is_due("checkpoint", step) or stopping:
                    progress.check_place()
                    checkpoints.save(state)
                if stopping:
                    progress.say(STOPPED.format(step))
                    return stop.status
                if exp.is_due("picture", step) or exp.is_due("checkpoint", step):
                    progress.restart_clock(step)
            progress.say(f"done. {_next(workdir)}")
    return 0


@lru_cache(maxsize=4)
def _many_steps(
    algorithm: Algorithm, fetch: parallel.Fetch, mesh: parallel.Mesh
) -> Callable[..., Any]:
    """Returns the compiled step; the next run of a process may be of the same one."""
    return parallel.map_steps(partial(train_step, algorithm), fetch, mesh)


def _begin_from(
    exp: Experiment,
    workdir: Path,
    mesh: parallel.Mesh,
    source: Path | None,
    extensions: Extensions,
) -> Begun | None:
    """Returns the state and the record of a run that begins with another's parameters.

    None where it begins with random ones, or has begun already.
    """
    if source is None:
        return None
    record = run_directory.read_origin(workdir)
    if record.get("run") == str(source.absolute()):
        return None
    if record or any((workdir / CHECKPOINTS).glob("[0-9]*")):
        raise UserError(
            f"--init_from (={source}) begins a new run, but --workdir (={workdir}) has "
            f"begun with {record.get('run', 'random parameters')}; use another "
            "--workdir, or leave the flag out to go on."
        )
    return begin_from(exp, source, mesh, extensions)


def _starting_state(
    exp: Experiment,
    workdir: Path,
    mesh: parallel.Mesh,
    checkpoints: Checkpoints,
    begun: Begun | None,
) -> TrainState:
    """Returns the newest checkpoint, or else a first state.

    One with parameters of another run is saved at once, because that run may change.
    """
    if begun:
        state, origin = begun
        checkpoints.save(state)
        write_json(workdir / run_directory.ORIGIN, origin)
        return state
    like = parallel.replicated_shapes(mesh, state_shapes(exp.algorithm))
    newest = checkpoints.restore_newest(like)
    return newest or parallel.replicate(mesh, exp.first_state())


def load_for(
    workdir: Path,
    accept: bool,
    load: Callable[[Request], Dataset],
    request: Request,
) -> Dataset:
    """Returns the data of a request, in the order that the run has recorded.

    Raises:
      UserError: where it has changed since then, unless that is to be accepted.
    """
    return data_record.recognise(workdir, load(request), accept=accept)


def record_data(exp: Experiment, workdir: Path) -> list[str]:
    """Records what the data holds and what was done to its images.

    It comes into the environment, and 64 images as the networks see them into a
    picture; which images are labelled has a record of its own. Returns what the data
    holds in lines.
    """
    about = report.record(exp.dataset)
    write_environment(workdir, dict(exp.dataset.provenance) | {"report": about})
    if (few := exp.labelled) is not None:
        write_json(workdir / LABELS, few.record())
    path = workdir / PICTURES / SHEET
    if not path.exists():
        write_png(path, grid(report.sheet(exp.dataset), columns=8))
    lines: list[str] = about["lines"]
    return lines


SHEET = "data.png"
STOPPED = "stopped and saved at step {}; the same command goes on."


def _next(workdir: Path) -> str:
    program = "python eval.py" if sys.argv[0].endswith(".py") else "infogan eval"
    return f"See {workdir}/{PICTURES}, then: {program} --workdir={workdir}"


def _introduction(exp: Experiment, workdir: Path, start: int) -> str:
    names = ", ".join(code.name for code in exp.algorithm.spec.codes) or "no code"
    if exp.labelled:
        names += f"; {len(exp.labelled.rows)} labels"
    begins = f"goes on from step {start}" if start else "starts"
    return (
        f"{exp.config['name']} {begins} in {workdir}, to step {exp.steps}, on "
        f"{jax.device_count()} x {jax.devices()[0].device_kind}; codes: {names}"
    )


def draw_pictures(
    exp: Experiment, state: TrainState
) -> tuple[dict[str, Any], Warnings]:
    """Draws samples and traversals, and returns warnings that they give rise to.

    Early steps give none. Every process draws for itself, so that none waits for
    another.
    """
    algorithm, state = exp.algorithm, parallel.local_copy(state)
    pictures = sample_and_traversal_grids(
        algorithm.spec, algorithm.nets, *state.sampling, exp.seed
    )
    if exp.flat["info_vae.sd"]:
        pictures["reconstructions"] = _reconstructions(exp, state)
    if state.step < collapse.WINDOW:
        return pictures, {}
    samples = split_grid(pictures["samples"], 10, 10)
    return pictures, collapse.warnings_in_samples(samples, exp.dataset.train.images)


def _reconstructions(exp: Experiment, state: TrainState) -> Any:
    """Draws held-out images above what G makes of their codes."""
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    images = exp.dataset.test.images[: reconstruction.SHOWN]
    posterior = encode.encode(spec, nets, state.params, state.stats, images)
    decoded = reconstruction.reconstruct(
        spec, nets, state.sampling, posterior, exp.seed
    )
    return reconstruction.pairs(images, decoded)
