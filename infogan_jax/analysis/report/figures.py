"""The figures and tables of an evaluation: written as files, returned for its page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from infogan_jax.analysis.report import plots
from infogan_jax.analysis.report.page import Figure
from infogan_jax.analysis.report.section import Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.analysis.traversals import sample_and_traversal_grids
from infogan_jax.model.latents import Code
from infogan_jax.run.files import csv_lines, write_bytes, write_png
from infogan_jax.run.stats_file import Line


def write_figures(
    directory: Path, stats: Sequence[Line], model: TrainedModel
) -> list[Figure]:
    """Writes the training curves, samples and one traversal of each code as PNG files.

    `stats` are the lines of the run's `stats.jsonl`; without any, there are no curves.

    Returns:
      The same figures, with captions.
    """
    captions = {
        "curves": "Losses of D and G, and the bounds in nats, by step.",
        "samples": "Samples: images of codes and noise drawn from the prior.",
        **{f"traversal_{code.name}": _caption(code) for code in model.spec.codes},
    }
    if stats:
        plots.write_curves(directory / "curves.png", stats)
    else:
        del captions["curves"]
    nets, sampling = model.algorithm.nets, model.state.sampling
    grids = sample_and_traversal_grids(model.spec, nets, *sampling, model.seed)
    for name, grid in grids.items():
        write_png(directory / f"{name}.png", grid)
    return [
        Figure(caption, (directory / f"{name}.png").read_bytes())
        for name, caption in captions.items()
    ]


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


def _caption(code: Code) -> str:
    values = "its categories"
    if not code.is_categorical:
        values = "values from {:.3g} to {:.3g}".format(*code.of_kind.sweep())
    return (
        f"{code.name}: in each row only this code changes; from left to right it takes "
        f"{values}."
    )
