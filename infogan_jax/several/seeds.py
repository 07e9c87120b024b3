"""Trains and evaluates several seeds, ranks them, and sums up.

The runs are ranked without labels, by how well each agrees with the others on the
training images, so that the best can be chosen where nobody knows the classes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infogan_jax import evaluation, experiment, training
from infogan_jax.analysis.encode import encode, predictions
from infogan_jax.analysis.metrics import agreement
from infogan_jax.analysis.metrics.agreement import Predictions
from infogan_jax.analysis.trained_model import subset
from infogan_jax.errors import Diverged, RunFailure, UserError
from infogan_jax.machine import compilation, parallel, processes
from infogan_jax.model.code_kinds import AngleKind
from infogan_jax.restoring import restore
from infogan_jax.run import run_directory
from infogan_jax.run.files import write_json
from infogan_jax.run.progress import say
from infogan_jax.several import one_program, side_by_side
from infogan_jax.several.job import Failures, Job

SUMMARY = "seeds.json"

Values = dict[str, list[float]]
"""By metric, its value for each seed in order."""


Runner = Callable[..., tuple[int, Failures]]
"""Trains jobs: `side_by_side.run` and its like."""


def run(
    config: Mapping[str, Any],
    workdir: Path,
    count: int,
    *,
    success: str = "",
    quick: bool = False,
    together: bool | None = None,
    accept_data: bool = False,
) -> int:
    """Trains and evaluates the seeds from `config.seed` on, or goes on with them.

    A seed that this version has evaluated already after its last step is left as it is.
    One that fails is named and counted as a failure, and the others go on.

    Writes `seed_<seed>/`, a run directory each, and `seeds.json` with mean, standard
    deviation, minimum and every single value of each metric, the agreement of each
    seed with the others, the seed chosen by it, and the rate of success.

    Args:
      config: as in `configs/`, nested.
      workdir: where the run directories go.
      count: how many seeds, 2 at least.
      success: what a successful run has reached, as `accuracy_test>=0.9`; a run with
        a warning of collapse is never successful.
      quick: whether to measure information and classes alone.
      together: whether the seeds train as one vmapped program (True) or one after
        another on all cores (False). None is one program on an accelerator, and on a
        CPU as many seeds side by side as there are cores.
      accept_data: as in `training.train`.

    Returns:
      The exit status: 0, or 128 and the number of the signal that stopped it.

    Raises:
      UserError: for a mistake, before anything is compiled; for a metric in `success`
        that is not measured, at the end (the runs are kept).
      RunFailure: where fewer than two seeds are left to compare.
    """
    processes.refuse_several()
    condition = _parse(success)
    check_count(count)
    exp = experiment.describe(config)
    if not exp.algorithm.spec.codes:
        raise UserError("config.latents.codes is empty: no code to compare seeds by.")
    directories = directories_of(exp.seed, count, workdir)
    jobs = {
        seed: Job(f"seed {seed}", {**config, "seed": seed}, directory)
        for seed, directory in directories.items()
    }
    run_all = runner(together)
    status, reasons = run_all([*jobs.values()], quick=quick, accept_data=accept_data)
    if status:
        return status
    failed = {s: reasons[job.label] for s, job in jobs.items() if job.label in reasons}
    summary = sum_up(workdir, directories, failed, condition, quick=quick)
    say(_table(summary, workdir))
    return 0


def check_count(count: int) -> None:
    """Refuses fewer seeds than can be compared."""
    if count < 2:
        raise UserError(f"--seeds (={count}) must be at least 2; or train one alone.")


def directories_of(first: int, count: int, workdir: Path) -> dict[int, Path]:
    """Returns the run directory of each seed, by seed."""
    return {seed: workdir / f"seed_{seed}" for seed in range(first, first + count)}


def sum_up(
    workdir: Path,
    directories: Mapping[int, Path],
    failed: Mapping[int, str],
    condition: tuple[str, float] | None = None,
    *,
    quick: bool = False,
) -> dict[str, Any]:
    """Evaluates trained seeds where that is not done, and writes `seeds.json`.

    Args:
      workdir: where it goes.
      directories: the run directory of each seed.
      failed: why a seed failed, by seed.
      condition: as in `summarise`.
      quick: whether to measure information and classes alone.

    Returns:
      The content of `seeds.json`.

    Raises:
      RunFailure: where fewer than two seeds are left to compare.
    """
    good = [place for seed, place in directories.items() if seed not in failed]
    for directory in good:
        step = run_directory.read_config(directory)["training"]["steps"]
        if not evaluation.is_done(directory, step, quick=quick):
            evaluation.evaluate(directory, quick=quick)
    if len(good) < 2:
        raise RunFailure(
            f"{len(failed)} of {len(directories)} seeds failed, so that there are no "
            f"two to compare; their runs are kept in {workdir}. The first: "
            f"{next(iter(failed.values()))}"
        )
    records = [evaluation.read_evaluation(directory) for directory in good]
    agreements = agreement.with_the_others([_predictions(place) for place in good])
    summary = summarise(records, agreements.tolist(), condition, failed)
    write_json(workdir / SUMMARY, summary)
    return summary


def runner(together: bool | None = None) -> Runner:
    """Returns how several jobs train on this machine.

    Args:
      together: as in `run`.
    """
    if together is None:
        if parallel.all_devices()[0].platform != "cpu":
            return one_program.run
        if len(compilation.available_cores()) > 1:
            return side_by_side.run
    return one_program.run if together else run_one_by_one


def run_one_by_one(
    jobs: Sequence[Job], *, quick: bool = False, accept_data: bool = False
) -> tuple[int, Failures]:
    """Trains one job after another; returns the status, and why a job diverged."""
    failed: Failures = {}
    for job in jobs:
        try:
            status = training.train(job.config, job.workdir, accept_data=accept_data)
        except Diverged as error:
            failed[job.label] = str(error)
            say(f"{job.label} failed: {error}")
        else:
            if status:
                return status, failed
    return 0, failed


def summarise(
    records: Sequence[Mapping[str, Any]],
    agreements: Sequence[float],
    condition: tuple[str, float] | None,
    failed: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Returns the content of `seeds.json`.

    Args:
      records: the seeds' `evaluation.json`, in order.
      agreements: of each seed with the others.
      condition: a metric and the least value of it that is a success.
      failed: why a seed diverged, by seed; it counts as no success.

    Returns:
      `seeds`, `failed`, `agreement`, `chosen`, `metrics`, `success_rate`, `success`.

    Raises:
      UserError: where a seed lacks the metric of the condition.
    """
    seeds = [record["run"]["seed"] for record in records]
    shared = set.intersection(*(set(record["metrics"]) for record in records))
    names = [name for name in records[0]["metrics"] if name in shared]
    values: Values = {
        name: [record["metrics"][name]["value"] for record in records] for name in names
    }
    chosen = int(np.argmax(agreements))
    good = [not record["warnings"] for record in records]
    text = "no warning of collapse"
    if condition:
        name, least = condition
        if name not in values:
            raise UserError(
                f"--success names {name}, which is not measured; the runs are kept, "
                f"take one of {', '.join(names)}."
            )
        good = [g and v >= least for g, v in zip(good, values[name], strict=True)]
        text += f", {name} >= {least:g}"
    return {
        "seeds": seeds,
        "failed": {str(seed): reason for seed, reason in (failed or {}).items()},
        "agreement": list(agreements),
        "chosen": seeds[chosen],
        "success": text,
        "success_rate": sum(good) / (len(good) + len(failed or {})),
        "metrics": {
            name: {
                "mean": float(np.mean(numbers)),
                "sd": float(np.std(numbers, ddof=1)),
                "min": float(np.min(numbers)),
                "chosen": numbers[chosen],
                "values": numbers,
            }
            for name, numbers in values.items()
        },
    }


def _parse(success: str) -> tuple[str, float] | None:
    """Returns the metric and its least value in `METRIC>=NUMBER`; None for no text."""
    if not success:
        return None
    name, _, number = success.partition(">=")
    try:
        least = float(number)
    except ValueError:
        least = math.nan
    if not name.strip() or not math.isfinite(least):
        raise UserError(
            f"--success (={success}) must be METRIC>=NUMBER, such as "
            "accuracy_test>=0.9."
        )
    return name.strip(), least


def _predictions(directory: Path) -> Predictions:
    """Returns the categories and means that Q predicts for training images.

    Codes with a parent are left out: each run numbers them anew in every category. An
    angle is a point on the unit circle, which may begin elsewhere in each run.
    """
    exp, state = restore(directory)
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    images = subset(exp.dataset.train).images
    posterior = encode(spec, nets, state.params, state.stats, images)
    found = dict(predictions({code.name: posterior[code.name] for code in spec.roots}))
    for code in spec.roots:
        if isinstance(code.of_kind, AngleKind):
            found[code.name] = np.exp(1j * found[code.name])
    return found


def _table(summary: Mapping[str, Any], workdir: Path) -> str:
    metrics = summary["metrics"]
    width = max(len(name) for name in metrics)
    head = f"{'':{width}}     mean        sd       min    chosen"
    rows = [
        f"{name:<{width}} "
        + " ".join(f"{row[key]:9.4f}" for key in ("mean", "sd", "min", "chosen"))
        for name, row in metrics.items()
    ]
    pairs = zip(summary["seeds"], summary["agreement"], strict=True)
    agreed = ", ".join(f"{seed}: {value:.3f}" for seed, value in pairs)
    return "\n".join(
        [
            head,
            *rows,
            f"agreement with the other seeds: {agreed}",
            f"chosen by it, without labels: seed {summary['chosen']}",
            *(f"seed {seed} failed: {why}" for seed, why in summary["failed"].items()),
            f"success: {summary['success_rate']:.0%} ({summary['success']})",
            f"all values: {workdir / SUMMARY}",
        ]
    )
