"""Trains several seeds as one program: the step, vmapped over their states.

Each seed gets a run directory of its own, as train.py would have written it. Only the
rounding differs, since a batched product adds up in another order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array

from infogan_jax import experiment
from infogan_jax.analysis import collapse
from infogan_jax.data import report
from infogan_jax.data.sources import catalog
from infogan_jax.default_config import DEFAULTS
from infogan_jax.errors import Diverged, UserError
from infogan_jax.experiment import Experiment
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState, create_state
from infogan_jax.game.terms import Metrics
from infogan_jax.game.train_step import train_step
from infogan_jax.machine import compilation, parallel
from infogan_jax.model import networks
from infogan_jax.run import data_record, run_directory, trackers
from infogan_jax.run.checkpoints import Checkpoints
from infogan_jax.run.progress import Progress, say
from infogan_jax.run.run_directory import CHECKPOINTS
from infogan_jax.run.signals import StopRequest
from infogan_jax.training import (
    STOPPED,
    draw_pictures,
    load_for,
    record_data,
)


@dataclass(frozen=True)
class Run:
    """One seed: its experiment, its directory, and the state that it goes on from.

    Attributes:
      state: in host memory, so that the devices hold no seed's state twice.
    """

    exp: Experiment
    workdir: Path
    checkpoints: Checkpoints
    state: TrainState

    @property
    def start(self) -> int:
        return int(self.state.step)


def train(
    config: Mapping[str, Any],
    workdirs: Mapping[int, Path],
    *,
    accept_data: bool = False,
) -> tuple[int, dict[int, str]]:
    """Trains a config with several seeds at once, or goes on with them.

    Seeds that go on from the same step are one program; others follow after it. A seed
    that diverges is no longer written, and the others go on.

    Args:
      config: as in `configs/`, nested.
      workdirs: by seed, its run directory: new, empty, or of an earlier call.
      accept_data: as in `training.train`.

    Returns:
      The exit status, 0, or 128 and the number of the signal (all states are
      saved first); and why a seed failed, by seed.

    Raises:
      UserError: for a mistake in config or directories, before anything is compiled.
      RunFailure: where a file of a run cannot be written.
    """
    failed: dict[int, str] = {}
    compilation.use_persistent_cache()
    first = next(iter(workdirs.values()))
    load = partial(load_for, first, accept_data, catalog.load)
    exp = experiment.describe(config, load)
    for seed, workdir in workdirs.items():
        run_directory.check(workdir, exp.with_seed(seed).config, DEFAULTS)
    experiment.check_memory(exp, len(workdirs), with_images=False)
    _ = exp.dataset  # read before anything is written
    if warning := experiment.check_memory(exp, len(workdirs)):
        say(warning)
    mesh = parallel.make_mesh(exp.batch_size)
    firsts = parallel.replicate(mesh, _first_states(exp, list(workdirs)))
    with ExitStack() as stack, StopRequest() as stop:
        runs = [
            _open(stack, exp.with_seed(seed), workdir, _at(firsts, place), accept_data)
            for place, (seed, workdir) in enumerate(workdirs.items())
        ]
        del firsts
        if not any(run.start for run in runs):
            for line in report.lines(exp.dataset):
                say(line)
        for start in sorted({run.start for run in runs} - {exp.steps}):
            group = [run for run in runs if run.start == start]
            if _train(group, mesh, stop, failed):
                return stop.status, failed
    return 0, failed


def _first_states(exp: Experiment, seeds: Sequence[int]) -> TrainState:
    """Draws the states before the first step, with a first axis of seeds."""
    create = jax.vmap(partial(create_state, exp.algorithm))
    return compilation.jit_once(create)(jnp.array(seeds, jnp.uint32))


def _open(
    stack: ExitStack, exp: Experiment, workdir: Path, first: TrainState, accept: bool
) -> Run:
    stack.enter_context(run_directory.open_for_training(workdir, exp.config, DEFAULTS))
    if not accept and data_record.recognise(workdir, exp.dataset) is not exp.dataset:
        raise UserError(
            f"{workdir} has recorded its images in another order than the first seed; "
            "train these seeds with --notogether."
        )
    data_record.write(workdir, exp.dataset, again=accept)
    checkpoints = stack.enter_context(Checkpoints(workdir / CHECKPOINTS))
    newest = checkpoints.restore_newest(first) or first
    return Run(exp, workdir, checkpoints, jax.device_get(newest))


def _train(
    runs: Sequence[Run], mesh: Mesh, stop: StopRequest, failed: dict[int, str]
) -> bool:
    """Trains runs that are at the same step; returns whether a signal stopped them.

    `failed` gets the reason of each seed that diverges.
    """
    exp, start = runs[0].exp, runs[0].start
    states = parallel.replicate(mesh, _stack([run.state for run in runs]))
    feed = exp.feed(start)
    data = parallel.replicate(mesh, feed.resident)
    one_step = partial(vmapped_step, exp.algorithm)
    advance = parallel.map_steps(one_step, feed.fetch, mesh)
    with ExitStack() as stack:
        shown = [stack.enter_context(_progress(run)) for run in runs]
        say(f"{exp.config['name']}: {len(runs)} seeds in one program")
        for step, call in zip(exp.call_ends(start), _calls(runs, mesh), strict=True):
            batches = parallel.split_batches(mesh, call)
            states, metrics = advance(states, data, batches)
            stopping = stop.stops_here(exp.is_due("log", step))
            if step == start + exp.steps_per_call:
                _restart_clocks(shown, start)  # the program has been compiled
            shown[0].estimate(step, metrics)
            for place, (run, progress) in enumerate(zip(runs, shown, strict=True)):
                if run.exp.seed not in failed:
                    own = {name: value[:, place] for name, value in metrics.items()}
                    state = partial(_at, states, place)
                    _write(run, progress, step, own, state, stopping, failed)
            if exp.is_due("picture", step) or exp.is_due("checkpoint", step):
                _restart_clocks(shown, step)
            if stopping:
                say(STOPPED.format(step))
                return True
            if all(run.exp.seed in failed for run in runs):
                return False
    return False


def _write(
    run: Run,
    progress: Progress,
    step: int,
    metrics: Metrics,
    state: Callable[[], TrainState],
    stopping: bool,
    failed: dict[int, str],
) -> None:
    """Writes what is due for one seed; `failed` gets the reason where it diverges."""
    exp = run.exp
    try:
        if exp.is_due("log", step):
            progress.log(step, metrics)
        if exp.is_due("picture", step):
            progress.pictures(step, *draw_pictures(exp, state()))
        if exp.is_due("checkpoint", step) or stopping:
            progress.check_place()
            run.checkpoints.save(state())
    except Diverged as error:
        failed[exp.seed] = str(error)
        say(f"seed {exp.seed} failed: {error}")


def _restart_clocks(shown: Sequence[Progress], step: int) -> None:
    for progress in shown:
        progress.restart_clock(step)


def vmapped_step(
    algorithm: Algorithm, states: TrainState, images: Array, axis: str | None = None
) -> tuple[TrainState, Metrics]:
    """Takes `train_step` for every seed, on images of its own.

    Args:
      algorithm: the fixed parts, which all seeds share.
      states: every array with a first axis of seeds.
      images: [batch, seeds, height, width, channels], in bytes.
      axis: as in `train_step`.

    Returns:
      The next states, and metrics [seeds].
    """
    algorithm = replace(
        algorithm, nets=networks.with_matmul_convolutions(algorithm.nets)
    )
    step = partial(train_step, algorithm, axis=axis)
    return jax.vmap(step, in_axes=(0, 1))(states, images)


def _calls(runs: Sequence[Run], mesh: Mesh) -> Iterator[np.ndarray]:
    """Yields the batches of all seeds for each call: [steps, rows, seeds, ...]."""
    exp, start = runs[0].exp, runs[0].start
    rows = parallel.local_rows(mesh, exp.batch_size)
    feeds = [run.exp.feed(start).calls(rows) for run in runs]
    return (np.stack(parts, axis=2) for parts in zip(*feeds, strict=True))


def _progress(run: Run) -> Progress:
    record_data(run.exp, run.workdir)
    exp, label = run.exp, f"seed {run.exp.seed}"
    find_warnings = partial(collapse.warnings_in_stats, exp.algorithm)
    tracked = trackers.start(exp.trackers, run.workdir, exp.config, say)
    return Progress(
        run.workdir, run.start, exp.steps, exp.batch_size, find_warnings, label, tracked
    )


def _stack(states: Sequence[TrainState]) -> TrainState:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)


def _at(states: TrainState, place: int) -> TrainState:
    return jax.tree.map(lambda leaf: leaf[place], states)
