"""The story of several seeds as one program: the step, vmapped over their states.

Each seed has a run directory of its own, as train.py would have written it; only the
rounding is another, since a batched product adds up in another order.
"""

from collections.abc import Iterator, Mapping, Sequence
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

from infogan_jax import (
    collapse,
    compilation,
    environment,
    experiment,
    networks,
    parallel,
    run_directory,
    state,
)
from infogan_jax.algorithm import Algorithm
from infogan_jax.checkpoints import Checkpoints
from infogan_jax.experiment import Experiment
from infogan_jax.objective import Metrics
from infogan_jax.reporting import Report, say
from infogan_jax.state import TrainState
from infogan_jax.steps import train_step
from infogan_jax.stopping import StopRequest
from infogan_jax.training import CHECKPOINTS, draw_pictures


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


def train(config: Mapping[str, Any], workdirs: Mapping[int, Path]) -> int:
    """Trains a config with several seeds at once, or goes on with them.

    Seeds that go on from the same step are one program; others follow after it.

    Args:
      config: as in `configs/`, nested.
      workdirs: by seed, its run directory: new, empty, or of an earlier call.

    Returns:
      The exit status: 0, or 130 after an interrupt (all states are saved first).

    Raises:
      UserError: for a mistake in config or directories, before anything is compiled.
      RunFailure: where a loss or parameter of a seed is not finite.
    """
    compilation.keep_compiled_programs()
    exp = experiment.build(config)
    experiment.check_memory(exp, len(workdirs))
    mesh = parallel.make_mesh(exp.batch_size)
    firsts = parallel.replicate(mesh, _first_states(exp, list(workdirs)))
    with ExitStack() as stack, StopRequest() as stop:
        runs = [
            _open(stack, exp.with_seed(seed), workdir, _at(firsts, place))
            for place, (seed, workdir) in enumerate(workdirs.items())
        ]
        del firsts
        for start in sorted({run.start for run in runs} - {exp.steps}):
            group = [run for run in runs if run.start == start]
            if _train(group, mesh, stop):
                return stop.status
    return 0


def _first_states(exp: Experiment, seeds: Sequence[int]) -> TrainState:
    """The states before the first step, every array with a first axis of seeds."""
    create = compilation.jit_for_once(jax.vmap(partial(state.create, exp.algorithm)))
    return exp.kept("first_states", create)(jnp.array(seeds, jnp.uint32))


def _open(stack: ExitStack, exp: Experiment, workdir: Path, first: TrainState) -> Run:
    stack.enter_context(run_directory.opened(workdir, exp.config))
    checkpoints = stack.enter_context(Checkpoints(workdir / CHECKPOINTS))
    newest = checkpoints.restore_newest(first) or first
    return Run(exp, workdir, checkpoints, jax.device_get(newest))


def _train(runs: Sequence[Run], mesh: Mesh, stop: StopRequest) -> bool:
    """Trains runs of one step to their end; returns whether it was told to stop."""
    exp, start = runs[0].exp, runs[0].start
    states = parallel.replicate(mesh, _stack([run.state for run in runs]))
    feed = exp.feed(start)
    data = parallel.replicate(mesh, feed.resident)
    one_step = partial(step_all, exp.algorithm)
    advance = exp.kept("steps", parallel.map_steps(one_step, feed.fetch, mesh))
    with ExitStack() as stack:
        reports = [stack.enter_context(_report(run)) for run in runs]
        say(f"{exp.config['name']}: {len(runs)} seeds in one program")
        for step, call in zip(exp.call_ends(start), _calls(runs, mesh), strict=True):
            drawn = parallel.split_batches(mesh, call)
            states, metrics = advance(states, data, drawn)
            stopping = stop.is_agreed(exp.is_due("log", step))
            for place, (run, report) in enumerate(zip(runs, reports, strict=True)):
                if exp.is_due("log", step):
                    report.log(step, {k: v[:, place] for k, v in metrics.items()})
                if exp.is_due("picture", step):
                    report.pictures(step, *draw_pictures(run.exp, _at(states, place)))
                if exp.is_due("checkpoint", step) or stopping:
                    run.checkpoints.save(_at(states, place))
            if stopping:
                say(f"stopped and saved at step {step}; the same command goes on.")
                return True
    return False


def step_all(
    algorithm: Algorithm, states: TrainState, images: Array, axis: str | None = None
) -> tuple[TrainState, Metrics]:
    """`train_step` of every seed on images of its own.

    Args:
      algorithm: the fixed parts, which all seeds share.
      states: every array with a first axis of seeds.
      images: [batch, seeds, height, width, channels], in bytes.
      axis: as in `train_step`.

    Returns:
      The next states, and metrics [seeds].
    """
    algorithm = replace(algorithm, nets=networks.as_products(algorithm.nets))
    step = partial(train_step, algorithm, axis=axis)
    return jax.vmap(step, in_axes=(0, 1))(states, images)


def _calls(runs: Sequence[Run], mesh: Mesh) -> Iterator[np.ndarray]:
    """For each call of the step what every seed sees: [steps, rows, seeds, ...]."""
    exp, start = runs[0].exp, runs[0].start
    rows = parallel.own_rows(mesh, exp.batch_size)
    feeds = [run.exp.feed(start).calls(rows) for run in runs]
    return (np.stack(parts, axis=2) for parts in zip(*feeds, strict=True))


def _report(run: Run) -> Report:
    environment.record(run.workdir, run.exp.dataset.provenance)
    watch = partial(collapse.of_record, run.exp.algorithm)
    exp, label = run.exp, f"seed {run.exp.seed}"
    return Report(run.workdir, run.start, exp.steps, exp.batch_size, watch, label)


def _stack(states: Sequence[TrainState]) -> TrainState:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)


def _at(states: TrainState, place: int) -> TrainState:
    return jax.tree.map(lambda leaf: leaf[place], states)
