"""Plots of an evaluation as PNG files: training curves and shaded tables."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from infogan_jax.analysis.report.section import Table
from infogan_jax.run.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERS = 32
"""A table with more rows or columns is drawn without numbers: they would be tiny."""

PANELS = {"losses": "loss/", "bounds, in nats": "bound"}
"""The title of each panel of curves, and a part of the names of its quantities."""


def write_table(path: Path, table: Table, x_label: str, y_label: str) -> None:
    """Writes a table as a PNG file of shaded cells, its columns along the x axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(table.shades, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set(xlabel=x_label, ylabel=y_label)
    if max(table.values.shape) <= MOST_NUMBERS:
        axes.set_xticks(range(len(table.columns)), table.columns)
        axes.set_yticks(range(len(table.rows)), table.rows)
        for row, column in np.argwhere(table.values != 0).tolist():
            colour = "white" if table.shades[row, column] > 0.5 else "black"
            number = f"{table.values[row, column]:.3g}"
            axes.text(column, row, number, ha="center", va="center", color=colour)
    _write(path, figure)


def write_curves(path: Path, lines: Sequence[Mapping[str, float]]) -> None:
    """Writes the losses and bounds in the lines of `stats.jsonl` as curves (PNG)."""
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


def write_dots(
    path: Path, rows: Sequence[str], values: Mapping[str, Sequence[Sequence[float]]]
) -> None:
    """Writes a panel for each quantity, with a dot for each of its values (PNG).

    Args:
      path: of the file.
      rows: the names of the rows, from the top down.
      values: for each quantity, the values of each row; a bar marks their mean.
    """
    from matplotlib.figure import Figure

    size = (2.5 + 1.9 * len(values), 1.2 + 0.35 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
    for axes, (title, table) in zip(panels, values.items(), strict=True):
        for place, numbers in enumerate(table):
            axes.plot(numbers, [place] * len(numbers), "o", color="C0", alpha=0.6)
            axes.plot(np.mean(numbers), place, "|", color="black", markersize=16)
        axes.set_title(title, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    panels[0].set_yticks(range(len(rows)), rows)
    panels[0].invert_yaxis()
    _write(path, figure)


def write_points(
    path: Path,
    real: Float[np.ndarray, "n 2"],
    groups: Sequence[Float[np.ndarray, "m 2"]],
) -> None:
    """Writes points in the plane as a scatter plot (PNG).

    Args:
      path: of the file.
      real: points of the data, in gray.
      groups: generated points, in a colour for each group.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(*real.T, ".", color="0.8", markersize=4, label="data")
    for place, points in enumerate(groups, 1):
        axes.plot(*points.T, ".", markersize=2, label=f"component {place}")
    axes.set(xlim=(0, 255), ylim=(0, 255), aspect="equal")
    figure.legend(fontsize=8, markerscale=3, loc="outside right upper")
    _write(path, figure)


def write_rounds(path: Path, values: Mapping[str, Sequence[float]]) -> None:
    """Writes a panel for each quantity, with its value after each round (PNG)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 2.2 * len(values)), layout="constrained")
    panels = figure.subplots(len(values), sharex=True, squeeze=False)[:, 0]
    for axes, (title, numbers) in zip(panels, values.items(), strict=True):
        rounds = range(1, len(numbers) + 1)
        axes.plot(rounds, numbers, "o-")
        axes.set_title(title, fontsize=10)
        axes.set_xticks(rounds)
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel("components")
    _write(path, figure)


def _write(path: Path, figure: "Figure") -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())
