"""The figures and tables of an evaluation, as files and for its page."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from infogan_jax.analysis.report import plots
from infogan_jax.analysis.report.page import Figure
from infogan_jax.analysis.report.section import Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.analysis.traversals import sample_and_traversal_grids
from infogan_jax.model.latents import Code
from infogan_jax.run.files import write_bytes, write_png
from infogan_jax.run.stats_file import Line

CURVES = "Losses of D and G, and the bounds in nats, by step."
SAMPLES = "Samples: codes and noise from the prior."


def write_figures(
    directory: Path, stats: Sequence[Line], model: TrainedModel
) -> list[Figure]:
    """Draws the curves of a run, samples and one traversal for each code.

    Args:
      directory: where the PNG files go.
      stats: the lines of the run's `stats.jsonl`.
      model: the trained model.
    """
    captions = {"curves": CURVES, "samples": SAMPLES}
    captions |= {f"traversal_{c.name}": _caption(c) for c in model.spec.codes}
    if stats:
        plots.write_curves(directory / "curves.png", stats)
    sampling = model.state.sampling
    grids = sample_and_traversal_grids(
        model.spec, model.algorithm.nets, *sampling, model.seed
    )
    for name, grid in grids.items():
        write_png(directory / f"{name}.png", grid)
    names = (["curves"] if stats else []) + list(grids)
    return [
        Figure(captions[name], (directory / f"{name}.png").read_bytes())
        for name in names
    ]


def write_tables(directory: Path, tables: Mapping[str, Table]) -> None:
    """Writes every table as CSV, and the table of confusion as a picture too."""
    for name, table in tables.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["", *table.columns])
        for row, values in zip(table.rows, table.values.tolist(), strict=True):
            writer.writerow([row, *values])
        write_bytes(directory / f"{name}.csv", text.getvalue().encode())
    if confusion := tables.get("confusion"):
        plots.write_table(
            directory / "confusion.png",
            confusion,
            "class of the held-out image",
            "category, and the class it is matched to",
        )


def _caption(code: Code) -> str:
    values = "through its categories" if code.is_categorical else "from -2 to 2"
    return (
        f"{code.name}: each row keeps all latents but this code, which runs {values} "
        "from left to right."
    )
