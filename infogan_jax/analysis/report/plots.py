"""Plots of an evaluation as PNG files: curves over the steps, and shaded tables."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infogan_jax.analysis.report.section import Table
from infogan_jax.run.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 32
"""Tables with more rows or columns are drawn without numbers, too small to read."""

PANELS = {"losses": "loss/", "bounds, in nats": "bound"}
"""The panels of the curves, and what the names of their quantities hold."""


def write_table(path: Path, table: Table, across: str, down: str) -> None:
    """Draws a table as shaded cells.

    Args:
      path: the PNG file.
      table: of numbers.
      across: what the columns are.
      down: what the rows are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(table.shades, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set(xlabel=across, ylabel=down)
    if max(table.values.shape) <= MOST_NUMBERS:
        axes.set_xticks(range(len(table.columns)), table.columns)
        axes.set_yticks(range(len(table.rows)), table.rows)
        for row, column in np.argwhere(table.values != 0).tolist():
            tint = "white" if table.shades[row, column] > 0.5 else "black"
            number = f"{table.values[row, column]:.3g}"
            axes.text(column, row, number, ha="center", va="center", color=tint)
    _write(path, figure)


def write_curves(path: Path, lines: Sequence[Mapping[str, float]]) -> None:
    """Draws the losses and the bounds of a run against the step.

    Args:
      path: the PNG file.
      lines: the records of `stats.jsonl`, in order.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6.5), layout="constrained")
    panels = figure.subplots(len(PANELS), sharex=True)
    names = sorted({name for line in lines for name in line})
    for axes, (title, part) in zip(panels, PANELS.items(), strict=True):
        for name in (name for name in names if part in name):
            points = [(line["step"], line[name]) for line in lines if name in line]
            axes.plot(*np.array(points).T, label=name, linewidth=1.2)
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    panels[-1].set_xlabel("step")
    _write(path, figure)


def _write(path: Path, figure: "Figure") -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())
