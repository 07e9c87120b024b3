"""The figures and tables of an evaluation as files."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from infogan_jax.analysis.report import plots, strips
from infogan_jax.analysis.report.section import Table
from infogan_jax.analysis.report.strips import Strip
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.analysis.traversals import sample_and_traversal_grids
from infogan_jax.run.files import write_bytes, write_png
from infogan_jax.run.stats_file import Line


def write_figures(
    directory: Path,
    stats: Sequence[Line],
    model: TrainedModel,
    traversed: Sequence[Strip],
) -> None:
    """Writes the curves, samples and traversals as PNG files, and moving ones as GIF.

    `stats` are the lines of the run's `stats.jsonl`; without any, there are no curves.
    Each continuous code has a GIF.
    """
    if stats:
        plots.write_curves(directory / "curves.png", stats)
    nets, sampling = model.algorithm.nets, model.state.sampling
    grids = sample_and_traversal_grids(model.spec, nets, *sampling, model.seed)
    for name, grid in grids.items():
        write_png(directory / f"{name}.png", grid)
    for strip in traversed:
        if not strip.code.is_categorical:
            strips.write_gif(directory / f"traversal_{strip.code.name}.gif", strip)


def write_tables(directory: Path, tables: Mapping[str, Table]) -> None:
    """Writes every table as a CSV file, and the confusion table as a picture too."""
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
            "category, and the class to which it is matched",
        )
