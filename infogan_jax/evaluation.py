"""Evaluates a run: restore, measure, draw, write."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from infogan_jax.analysis import collapse, trained_model
from infogan_jax.analysis.report import (
    attributes,
    classes,
    factors,
    few_labels,
    figures,
    information,
    page,
    reconstruction,
    samples,
    visibility,
)
from infogan_jax.analysis.report.contents import contents
from infogan_jax.analysis.report.section import Measure, Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import restore
from infogan_jax.run import code_names
from infogan_jax.run.files import write_bytes, write_json
from infogan_jax.run.run_directory import EVALUATION, EVALUATION_RECORD, STATS
from infogan_jax.run.stats_file import Line, read_stats
from infogan_jax.version import __version__

REPORT = "report.html"

Sections = Mapping[str, Section]

SECTIONS: dict[str, Callable[[TrainedModel], Section]] = {
    "Information": information.measure,
    "Visibility": visibility.measure,
    "Classes": classes.measure,
    "Attributes": attributes.measure,
    "Factors": factors.measure,
    "Samples": samples.measure,
    "Reconstruction": reconstruction.measure,
    "Few labels": few_labels.measure,
}
QUICK = ("Information", "Visibility", "Classes")
"""The sections that need neither a classifier nor a measurement of every image."""


def evaluate(workdir: Path, *, quick: bool = False, data: str = "") -> str:
    """Evaluates the newest checkpoint of a run; needs its directory and its data.

    Writes `evaluation.json`, and pictures, tables and `report.html` in `evaluation/`.

    Args:
      workdir: of the run.
      quick: whether to measure information and classes alone.
      data: where the data lies now; "" is where the run has recorded it.

    Returns:
      A table of every measure, for the terminal.

    Raises:
      UserError: where the directory holds no run, or no checkpoint; where the data is
        gone or has changed; where the environment names several processes.
    """
    processes.refuse_several()
    compilation.use_persistent_cache()
    exp, state = restore(workdir, data)
    model = trained_model.from_dataset(
        exp.algorithm, state, exp.seed, exp.samples, exp.dataset, exp.labelled
    )
    stats = read_stats(workdir / STATS)
    sections = _measure(model, QUICK if quick else tuple(SECTIONS))
    warned = _warnings(stats, model, sections)
    run = {"name": exp.config["name"], "seed": exp.seed, "step": int(state.step)}
    run |= {"sections": list(sections), "version": __version__}
    metrics = {name: asdict(measure) for name, measure in _measures(sections)}
    write_json(
        workdir / EVALUATION_RECORD,
        {"metrics": metrics, "run": run, "warnings": warned},
    )
    directory = workdir / EVALUATION
    for section in sections.values():
        figures.write_tables(directory, section.tables)
    figures.write_figures(directory, stats, model)
    names = code_names.read_names(workdir, model.spec.codes)
    samples_png = (directory / "samples.png").read_bytes()
    parts = contents(model, stats, sections, names, samples_png)
    title = f"{run['name']}, seed {run['seed']}, step {run['step']}"
    name, count = exp.dataset.provenance["name"], len(exp.dataset.train.images)
    about = [f"{count} images of {name}", *warned]
    config = json.dumps(exp.config, indent=2)
    text = page.build_page(title, about, parts, config)
    write_bytes(directory / REPORT, text.encode(errors="replace"))
    return _table(title, sections, warned, workdir)


def is_done(workdir: Path, step: int, *, quick: bool = False) -> bool:
    """Whether this version has evaluated a run after `step` steps.

    Args:
      workdir: of the run.
      step: the last step of the run.
      quick: whether the sections of a quick evaluation are enough.
    """
    if not (workdir / EVALUATION_RECORD).exists():
        return False
    run = read_evaluation(workdir)["run"]
    wanted = QUICK if quick else SECTIONS
    is_new = (run["step"], run.get("version")) == (step, __version__)
    return is_new and set(wanted) <= set(run.get("sections", ()))


def read_evaluation(workdir: Path) -> dict[str, Any]:
    """Returns the content of a run's `evaluation.json`."""
    record: dict[str, Any] = json.loads((workdir / EVALUATION_RECORD).read_text())
    return record


def _warnings(
    stats: Sequence[Line], model: TrainedModel, sections: Sections
) -> list[str]:
    """Returns signs of a collapse in the stats, the samples and the codes of a run."""
    found = collapse.warnings_in_stats(model.algorithm, stats)
    found |= collapse.warnings_in_samples(model.generated.images, model.train.images)
    visible = _by_code(sections["Visibility"], "visible/")
    bounds = _by_code(sections["Information"], "mi_bound/")
    found |= collapse.warnings_in_visibility(model.spec.codes, visible, bounds)
    if quality := samples.recall_and_floor(sections.get("Samples", Section())):
        found |= collapse.warnings_in_quality(*quality)
    return [f"warning: {warning}." for warning in found.values()]


def _by_code(section: Section, prefix: str) -> dict[str, float]:
    """Returns the values of a section's measures by what follows a prefix."""
    return {
        name.removeprefix(prefix): measure.value
        for name, measure in section.measures.items()
    }


def _measure(model: TrainedModel, names: Sequence[str]) -> Sections:
    sections = {}
    # threads of small matrix products wait for each other longer than they work
    with threadpool_limits(1), warnings.catch_warnings():
        # a classifier that has not converged is scored as it is
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name in (bar := tqdm(names, unit="section", disable=None)):
            bar.set_description(name)
            sections[name] = SECTIONS[name](model)
    return sections


def _measures(sections: Sections) -> list[tuple[str, Measure]]:
    return [pair for each in sections.values() for pair in each.measures.items()]


def _table(title: str, sections: Sections, warned: Sequence[str], workdir: Path) -> str:
    measured = _measures(sections)
    width = max((len(name) for name, _ in measured), default=0)
    rows = [f"  {name:<{width}}  {m.value:8.4f} {m.unit}" for name, m in measured]
    missing = [
        f"left out: {name.lower()}: {section.left_out}"
        for name, section in sections.items()
        if section.left_out
    ]
    places = [
        f"protocols: {workdir / EVALUATION_RECORD}",
        f"report: {workdir / EVALUATION / REPORT}",
    ]
    return "\n".join([title, *rows, *warned, *missing, *places])
