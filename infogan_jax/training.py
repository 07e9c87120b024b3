"""The story of a run: build, restore, step, report, save."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax

from infogan_jax import (
    collapse,
    compilation,
    environment,
    experiment,
    images,
    parallel,
    processes,
    run_directory,
    traversals,
)
from infogan_jax.checkpoints import Checkpoints
from infogan_jax.experiment import Experiment
from infogan_jax.reporting import Report, say
from infogan_jax.state import TrainState, state_shapes
from infogan_jax.steps import train_step
from infogan_jax.stopping import StopRequest

CHECKPOINTS = "checkpoints"
_AGAIN = "the same command goes on."


@processes.joined()
def train(config: Mapping[str, Any], workdir: Path) -> int:
    """Trains the experiment of a config in a run directory, or goes on with it.

    Args:
      config: as in `configs/`, nested.
      workdir: new, empty, or of an earlier call with the same config.

    Returns:
      The exit status: 0, or 130 after an interrupt (the state is saved first).

    Raises:
      UserError: for a mistake in config or directory, before anything is compiled.
      RunFailure: where losses or parameters are not finite, or a process is lost.
    """
    compilation.keep_compiled_programs()
    with processes.agreed():
        exp = experiment.build(config)
        experiment.check_memory(exp)
    mesh = parallel.make_mesh(exp.batch_size)
    with (
        run_directory.opened(workdir, exp.config),
        Checkpoints(workdir / CHECKPOINTS) as checkpoints,
        StopRequest() as stop,
    ):
        like = parallel.replicated(mesh, state_shapes(exp.algorithm))
        state = checkpoints.restore_newest(like)
        state = state or parallel.replicate(mesh, exp.first_state())
        start = int(state.step)
        if start >= exp.steps:
            say(f"{workdir} is complete: step {start}. {_next(workdir)}")
            return 0
        environment.record(workdir, exp.dataset.provenance)
        feed = exp.feed(start)
        data = parallel.replicate(mesh, feed.resident)
        one_step = partial(train_step, exp.algorithm)
        advance = exp.kept("step", parallel.map_steps(one_step, feed.fetch, mesh))
        watch = partial(collapse.of_record, exp.algorithm)
        with Report(workdir, start, exp.steps, exp.batch_size, watch) as report:
            report.say(_introduction(exp, workdir, start))
            calls = feed.calls(parallel.own_rows(mesh, exp.batch_size))
            for step, call in zip(exp.call_ends(start), calls, strict=True):
                drawn = parallel.split_batches(mesh, call)
                state, metrics = advance(state, data, drawn)
                if exp.is_due("log", step):
                    report.log(step, metrics)
                if exp.is_due("picture", step):
                    report.pictures(step, *draw_pictures(exp, state))
                stopping = stop.is_agreed(exp.is_due("log", step))
                if exp.is_due("checkpoint", step) or stopping:
                    checkpoints.save(state)
                if stopping:
                    report.say(f"stopped and saved at step {step}; {_AGAIN}")
                    return stop.status
            report.say(f"done. {_next(workdir)}")
    return 0


def _next(workdir: Path) -> str:
    return f"See {workdir}/pictures, then: python eval.py --workdir={workdir}"


def _introduction(exp: Experiment, workdir: Path, start: int) -> str:
    names = ", ".join(code.name for code in exp.algorithm.spec.codes) or "no code"
    begins = f"goes on from step {start}" if start else "starts"
    return (
        f"{exp.config['name']} {begins} in {workdir}, to step {exp.steps}, on "
        f"{jax.device_count()} x {jax.devices()[0].device_kind}; codes: {names}"
    )


def draw_pictures(
    exp: Experiment, state: TrainState
) -> tuple[dict[str, Any], collapse.Signs]:
    """Pictures, and signs of trouble in them, which a young G does not have to answer.

    Every process draws for itself, so that none waits for another.
    """
    algorithm, state = exp.algorithm, parallel.own_copy(state)
    drawn = traversals.pictures(
        algorithm.spec, algorithm.nets, *state.sampling, exp.seed
    )
    if state.step < collapse.WINDOW:
        return drawn, {}
    return drawn, collapse.of_samples(images.cells(drawn["samples"], 10, 10))
