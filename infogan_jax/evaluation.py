"""The story of an evaluation: restore, measure, draw, record."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import jax
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from infogan_jax import (
    collapse,
    compilation,
    experiment,
    figures,
    page,
    parallel,
    processes,
    record,
    run_directory,
)
from infogan_jax.checkpoints import Checkpoints
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.measures import (
    attributes,
    classes,
    factors,
    few_labels,
    information,
    samples,
    subject,
)
from infogan_jax.measures.finding import Finding, Measure
from infogan_jax.measures.subject import Subject
from infogan_jax.state import TrainState, state_shapes
from infogan_jax.training import CHECKPOINTS

EVALUATION = "evaluation"
RECORD = "evaluation.json"
REPORT = "report.html"

Findings = Mapping[str, Finding]

THEMES: dict[str, Callable[[Subject], Finding]] = {
    "Information": information.measure,
    "Classes": classes.measure,
    "Attributes": attributes.measure,
    "Factors": factors.measure,
    "Samples": samples.measure,
    "Few labels": few_labels.measure,
}
QUICK = ("Information", "Classes")
"""The themes that need neither a classifier nor a measurement of every image."""


def evaluate(workdir: Path, *, quick: bool = False) -> str:
    """Evaluates the newest checkpoint of a run; needs nothing but its directory.

    Writes `evaluation.json`, and pictures, tables and `report.html` in `evaluation/`.

    Args:
      workdir: of the run.
      quick: whether to measure information and classes alone.

    Returns:
      A table of every measure, for the terminal.

    Raises:
      UserError: where the directory holds no run, or no checkpoint, or the
        environment names several processes.
    """
    processes.stay_alone()
    compilation.keep_compiled_programs()
    exp, state = restore(workdir)
    chosen = _subject(exp, state)
    findings = _measure(chosen, QUICK if quick else tuple(THEMES))
    warned = _warnings(workdir, chosen)
    run = {"name": exp.config["name"], "seed": exp.seed, "step": int(state.step)}
    metrics = {name: asdict(measure) for name, measure in _measures(findings)}
    run_directory.write_json(
        workdir / RECORD,
        {"metrics": metrics, "run": run, "warnings": warned},
    )
    directory = workdir / EVALUATION
    for finding in findings.values():
        figures.write_tables(directory, finding.tables)
    drawn = figures.write_figures(directory, workdir, exp, state)
    title = f"{run['name']}, seed {run['seed']}, step {run['step']}"
    data, count = exp.dataset.provenance["name"], len(exp.dataset.train.images)
    about = [f"{count} images of {data}", *warned]
    asked = json.dumps(exp.config, indent=2)
    text = page.build(title, about, findings, drawn, asked)
    run_directory.write_bytes(directory / REPORT, text.encode(errors="replace"))
    return _table(title, findings, warned, workdir)


def restore(workdir: Path) -> tuple[Experiment, TrainState]:
    """The experiment of a run, and its newest checkpoint.

    Raises:
      UserError: where the directory holds no run, or no checkpoint.
    """
    config = run_directory.read_config(workdir)
    run_directory.keep_inside(workdir)
    exp = experiment.build(config)
    directory = workdir / CHECKPOINTS
    if not directory.is_dir():
        raise UserError(f"{directory} does not exist; run train.py first.")
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    with Checkpoints(directory, read_only=True) as checkpoints:
        like = parallel.replicated(mesh, state_shapes(exp.algorithm))
        state = checkpoints.restore_newest(like)
    if state is None:
        raise UserError(f"{directory} holds no checkpoint; run train.py for longer.")
    return exp, state


def _subject(exp: Experiment, state: TrainState) -> Subject:
    count = exp.flat["evaluation.samples"]
    return subject.choose(exp.algorithm, state, exp.seed, count, exp.dataset)


def _warnings(workdir: Path, chosen: Subject) -> list[str]:
    """Signs of a collapse in the record of the run and in its samples."""
    lines = record.read(workdir / run_directory.STATS)
    signs = collapse.of_record(chosen.algorithm, lines)
    signs |= collapse.of_samples(chosen.generated.images)
    return [f"warning: {sign}." for sign in signs.values()]


def _measure(chosen: Subject, themes: Sequence[str]) -> Findings:
    findings = {}
    # threads of small matrix products wait for each other longer than they work
    with threadpool_limits(1), warnings.catch_warnings():
        # a classifier that has not converged is scored as it is
        warnings.simplefilter("ignore", ConvergenceWarning)
        for theme in (bar := tqdm(themes, unit="theme", disable=None)):
            bar.set_description(theme)
            findings[theme] = THEMES[theme](chosen)
    return findings


def _measures(findings: Findings) -> list[tuple[str, Measure]]:
    return [pair for each in findings.values() for pair in each.measures.items()]


def _table(title: str, findings: Findings, warned: Sequence[str], workdir: Path) -> str:
    measured = _measures(findings)
    width = max((len(name) for name, _ in measured), default=0)
    rows = [f"  {name:<{width}}  {m.value:8.4f} {m.unit}" for name, m in measured]
    missing = [
        f"left out: {theme.lower()}: {finding.left_out}"
        for theme, finding in findings.items()
        if finding.left_out
    ]
    places = [
        f"protocols: {workdir / RECORD}",
        f"report: {workdir / EVALUATION / REPORT}",
    ]
    return "\n".join([title, *rows, *warned, *missing, *places])
