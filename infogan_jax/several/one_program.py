"""Trains several runs as one program: the step, vmapped over their states.

Each run gets a run directory of its own, as train.py would have written it. Only the
rounding differs, since a batched product adds up in another order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from infogan_jax import building, experiment
from infogan_jax.analysis import collapse
from infogan_jax.data import batches, report
from infogan_jax.data.labelled import BATCH_AXES, Batch
from infogan_jax.data.sources import catalog
from infogan_jax.errors import Diverged, UserError
from infogan_jax.experiment import Experiment
from infogan_jax.fields import DEFAULTS
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
from infogan_jax.several.job import Failures, Job
from infogan_jax.training import (
    STOPPED,
    draw_pictures,
    load_for,
    record_data,
)


@dataclass(frozen=True)
class Run:
    """One run: its experiment, its directory, and the state that it goes on from.

    Attributes:
      state: in host memory, so that the devices hold no run's state twice.
    """

    label: str
    exp: Experiment
    workdir: Path
    checkpoints: Checkpoints
    state: TrainState

    @property
    def start(self) -> int:
        return int(self.state.step)


def run(
    jobs: Sequence[Job], *, quick: bool = False, accept_data: bool = False
) -> tuple[int, Failures]:
    """Trains all jobs, or goes on with them; nothing is evaluated.

    Jobs that differ in nothing but seed, learning rates, instance noise and lambda, and
    go on from the same step, are one program. Others follow after it. A job that
    diverges is no longer written, and the others go on.

    Args:
      jobs: what to train.
      quick: for evaluations, of which there are none.
      accept_data: as in `training.train`.

    Returns:
      The exit status, 0, or 128 and the number of the signal (all states are
      saved first); and why a job failed, by its label.

    Raises:
      UserError: for a mistake in a config or a directory, before anything is compiled.
      RunFailure: where a file of a run cannot be written.
    """
    compilation.use_persistent_cache()
    failed: Failures = {}
    described = [
        (
            job,
            experiment.describe(
                job.config, partial(load_for, job.workdir, accept_data, catalog.load)
            ),
        )
        for job in jobs
    ]
    programs: dict[Any, list[tuple[Job, Experiment]]] = {}
    for job, exp in described:
        run_directory.check(job.workdir, exp.config, DEFAULTS)
        programs.setdefault(building.program_of(exp.flat), []).append((job, exp))
    for members in programs.values():
        _check_memory(members[0][1], len(members))
    for members in programs.values():
        if status := _run_program(members, accept_data, failed):
            return status, failed
    return 0, failed


def _check_memory(exp: Experiment, count: int) -> None:
    experiment.check_memory(exp, count, with_images=False)
    _ = exp.dataset  # read before anything is written
    if warning := experiment.check_memory(exp, count):
        say(warning)


def _run_program(
    members: Sequence[tuple[Job, Experiment]], accept_data: bool, failed: Failures
) -> int:
    """Trains the jobs of one program; returns the exit status."""
    _, first = members[0]
    mesh = parallel.make_mesh(first.batch_size)
    seeds = [exp.seed for _, exp in members]
    states = parallel.replicate(mesh, _first_states(first, seeds))
    with ExitStack() as stack, StopRequest() as stop:
        runs = [
            _open(stack, job, first.like(exp), _at(states, place), accept_data)
            for place, (job, exp) in enumerate(members)
        ]
        del states
        if not any(run.start for run in runs):
            for line in report.lines(first.dataset):
                say(line)
        for start in sorted({run.start for run in runs} - {first.steps}):
            group = [run for run in runs if run.start == start]
            if _train(group, mesh, stop, failed):
                return stop.status
    return 0


def _first_states(exp: Experiment, seeds: Sequence[int]) -> TrainState:
    """Draws the states before the first step, with a first axis of runs."""
    create = jax.vmap(partial(create_state, exp.algorithm))
    return compilation.jit_once(create)(jnp.array(seeds, jnp.uint32))


def _open(
    stack: ExitStack, job: Job, exp: Experiment, first: TrainState, accept: bool
) -> Run:
    workdir = job.workdir
    stack.enter_context(run_directory.open_for_training(workdir, exp.config, DEFAULTS))
    if not accept and data_record.recognise(workdir, exp.dataset) is not exp.dataset:
        raise UserError(
            f"{workdir} has recorded its images in another order than the first run; "
            "train these seeds with --notogether."
        )
    data_record.write(workdir, exp.dataset, again=accept)
    checkpoints = stack.enter_context(Checkpoints(workdir / CHECKPOINTS))
    newest = checkpoints.restore_newest(first) or first
    return Run(job.label, exp, workdir, checkpoints, jax.device_get(newest))


def _train(
    runs: Sequence[Run], mesh: Mesh, stop: StopRequest, failed: Failures
) -> bool:
    """Trains runs that are at the same step; returns whether a signal stopped them.

    `failed` gets the reason of each run that diverges.
    """
    exp, start = runs[0].exp, runs[0].start
    states = parallel.replicate(mesh, _stack([run.state for run in runs]))
    feed = batches.of_runs([run.exp.feed(start) for run in runs])
    data = parallel.replicate(mesh, feed.resident)
    one_step = partial(vmapped_step, _algorithms([run.exp for run in runs]))
    advance = parallel.map_steps(one_step, feed.fetch, mesh)
    with ExitStack() as stack:
        shown = [stack.enter_context(_progress(run)) for run in runs]
        say(f"{exp.config['name']}: {len(runs)} runs in one program")
        for step, call in zip(exp.call_ends(start), _calls(runs, mesh), strict=True):
            images = parallel.split_batches(mesh, call)
            states, metrics = advance(states, data, images)
            stopping = stop.stops_here(exp.is_due("log", step))
            if step == start + exp.steps_per_call:
                _restart_clocks(shown, start)  # the program has been compiled
            shown[0].estimate(step, metrics)
            for place, (run, progress) in enumerate(zip(runs, shown, strict=True)):
                if run.label not in failed:
                    own = {name: value[:, place] for name, value in metrics.items()}
                    state = partial(_at, states, place)
                    _write(run, progress, step, own, state, stopping, failed)
            if exp.is_due("picture", step) or exp.is_due("checkpoint", step):
                _restart_clocks(shown, step)
            if stopping:
                say(STOPPED.format(step))
                return True
            if all(run.label in failed for run in runs):
                return False
    return False


def _write(
    run: Run,
    progress: Progress,
    step: int,
    metrics: Metrics,
    state: Callable[[], TrainState],
    stopping: bool,
    failed: Failures,
) -> None:
    """Writes what is due for one run; `failed` gets the reason where it diverges."""
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
        failed[run.label] = str(error)
        say(f"{run.label} failed: {error}")


def _restart_clocks(shown: Sequence[Progress], step: int) -> None:
    for progress in shown:
        progress.restart_clock(step)


Algorithms = tuple[Callable[[Any], Algorithm], Any]
"""Makes an algorithm from the numbers of a run, and the numbers of all: [runs, ...]."""


def _algorithms(exps: Sequence[Experiment]) -> Algorithms:
    """Returns the algorithms of runs of one program; equal numbers stay constants."""
    first, numbers = exps[0], [building.numbers(exp.flat) for exp in exps]
    if all(each == numbers[0] for each in numbers):
        return same_for_all(first.algorithm)
    arrays = jax.tree.map(lambda *values: jnp.array(values, jnp.float32), *numbers)
    return partial(building.with_numbers, first.algorithm, first.flat), arrays


def same_for_all(algorithm: Algorithm) -> Algorithms:
    """Returns the algorithms of runs that differ in their seeds alone."""
    return lambda _: algorithm, {}


def vmapped_step(
    algorithms: Algorithms, states: TrainState, images: Any, axis: str | None = None
) -> tuple[TrainState, Metrics]:
    """Takes `train_step` for every run, on images of its own.

    Args:
      algorithms: the fixed parts of the step for each run.
      states: every array with a first axis of runs.
      images: [batch, runs, height, width, channels], in bytes; or a `Batch` of these
        and of the labelled images, [runs, ...].
      axis: as in `train_step`.

    Returns:
      The next states, and metrics [runs].
    """
    make, numbers = algorithms

    def step(own: Any, state: TrainState, batch: Any) -> tuple[TrainState, Metrics]:
        algorithm = make(own)
        nets = networks.with_matmul_convolutions(algorithm.nets)
        return train_step(replace(algorithm, nets=nets), state, batch, axis=axis)

    axis_of_runs = BATCH_AXES if isinstance(images, Batch) else 1
    return jax.vmap(step, in_axes=(0, 0, axis_of_runs))(numbers, states, images)


def _calls(runs: Sequence[Run], mesh: Mesh) -> Iterator[np.ndarray]:
    """Yields the batches of all runs for each call: [steps, rows, runs, ...]."""
    exp, start = runs[0].exp, runs[0].start
    rows = parallel.local_rows(mesh, exp.batch_size)
    feeds = [run.exp.feed(start).calls(rows) for run in runs]
    return (np.stack(parts, axis=2) for parts in zip(*feeds, strict=True))


def _progress(run: Run) -> Progress:
    record_data(run.exp, run.workdir)
    exp, label = run.exp, run.label
    find_warnings = partial(collapse.warnings_in_stats, exp.algorithm)
    tracked = trackers.start(exp.trackers, run.workdir, exp.config, say)
    return Progress(
        run.workdir, run.start, exp.steps, exp.batch_size, find_warnings, label, tracked
    )


def _stack(states: Sequence[TrainState]) -> TrainState:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)


def _at(states: TrainState, place: int) -> TrainState:
    return jax.tree.map(lambda leaf: leaf[place], states)
