"""The figures and tables of an evaluation, as files and for its page."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from infogan_jax import pictures, record, traversals
from infogan_jax.experiment import Experiment
from infogan_jax.latents import Code
from infogan_jax.measures.finding import Table
from infogan_jax.page import Figure
from infogan_jax.run_directory import STATS, write_bytes
from infogan_jax.state import TrainState

CURVES = "Losses of D and G, and the bounds in nats, by step."
SAMPLES = "Samples: codes and noise from the prior."


def write_figures(
    directory: Path, workdir: Path, exp: Experiment, state: TrainState
) -> list[Figure]:
    """Draws the curves of a run, samples and one traversal for each code.

    Args:
      directory: where the PNG files go.
      workdir: of the run, for its `stats.jsonl`.
      exp: the run's experiment.
      state: its trained state.
    """
    captions = {"curves": CURVES, "samples": SAMPLES}
    if lines := record.read(workdir / STATS):
        pictures.write_curves(directory / "curves.png", lines)
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    grids = traversals.pictures(spec, nets, *state.sampling, exp.seed)
    for name, grid in grids.items():
        pictures.write_png(directory / f"{name}.png", grid)
    captions |= {f"traversal_{code.name}": _caption(code) for code in spec.codes}
    names = (["curves"] if lines else []) + list(grids)
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
        pictures.write_table(
            directory / "confusion.png",
            confusion,
            "class of the held-out image",
            "category, and the class it is matched to",
        )


def _caption(code: Code) -> str:
    runs = "through its categories" if code.is_categorical else "from -2 to 2"
    return (
        f"{code.name}: each row keeps all latents but this code, which runs {runs} "
        "from left to right."
    )
