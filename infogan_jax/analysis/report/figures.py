"""The figures and tables of an evaluation as files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from infogan_jax.analysis import reconstruction
from infogan_jax.analysis.report import plots
from infogan_jax.analysis.report.section import Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.analysis.traversals import sample_and_traversal_grids
from infogan_jax.run.files import csv_lines, write_bytes, write_png
from infogan_jax.run.stats_file import Line


def write_figures(directory: Path, stats: Sequence[Line], model: TrainedModel) -> None:
    """Writes curves, samples, traversals and reconstructions as PNG files.

    `stats` are the lines of the run's `stats.jsonl`; without any, there are no curves.
    """
    if stats:
        plots.write_curves(directory / "curves.png", stats)
    nets, sampling = model.algorithm.nets, model.state.sampling
    grids = sample_and_traversal_grids(model.spec, nets, *sampling, model.seed)
    for name, grid in grids.items():
        write_png(directory / f"{name}.png", grid)
    if model.spec.codes:
        picture = reconstruction.pairs(model.test.images, model.reconstructed)
        write_png(directory / "reconstructions.png", picture)


def write_tables(directory: Path, tables: Mapping[str, Table]) -> None:
    """Writes every table as a CSV file, and the confusion table as a picture too."""
    for name, table in tables.items():
        values = zip(table.rows, table.values.tolist(), strict=True)
        rows = [["", *table.columns], *([row, *cells] for row, cells in values)]
        write_bytes(directory / f"{name}.csv", csv_lines(rows))
    if confusion := tables.get("confusion"):
        plots.write_table(
            directory / "confusion.png",
            confusion,
            "class of the held-out image",
            "category, and the class to which it is matched",
        )
