"""The curves of a run as HTML: drawn as SVG, and read off under a slider."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from infogan_jax.run.stats_file import Line

HUES = 10
"""Curves of a panel beyond this number begin the colours again, dashed."""


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis.

    Attributes:
      title: with the unit.
      meaning: what they mean, and what is good.
      prefixes: how the names of its quantities in `stats.jsonl` begin.
    """

    title: str
    meaning: str
    prefixes: tuple[str, ...]


PANELS = (
    Panel(
        "Losses, in nats",
        "What D and G minimise. They need not fall: D at 1.39 and G at 0.69 mean that "
        "D cannot tell real from generated images. D near 0 means that G has lost. "
        "(In games other than the paper's, losses have other scales.)",
        ("loss/",),
    ),
    Panel(
        "Information about each code, in nats",
        "How much of a code an image shows, at least. Good is: it rises and stays; a "
        "category reaches the logarithm of the number of its values (2.30 for ten).",
        ("mi_bound/", "real_mi_bound/", "change_bound/"),
    ),
    Panel(
        "Codes that are even or odd in a mirror, a correlation",
        "Good is: near 1.",
        ("parity/",),
    ),
    Panel(
        "Information of pairs about the code that they share, in nats",
        "At least; 0 before the term begins. Good is: near the logarithm of the number "
        "of continuous codes (1.61 for five).",
        ("contrastive_bound",),
    ),
    Panel(
        "Divergence of generated from real images, in nats",
        "At least; between 0, where D cannot tell them apart, and 0.69. Good is: low, "
        "and not rising at the end.",
        ("jsd_bound",),
    ),
    Panel(
        "Divergence in the measure of the game, which is not the paper's",
        "At least, as D proves it. Good is: near 0, and not rising at the end.",
        ("divergence_bound/",),
    ),
    Panel(
        "Real images decoded from their own codes, log likelihood in nats",
        "Good is: it rises and stays. It is a density, and may have either sign.",
        ("reconstruction/",),
    ),
    Panel(
        "Distance of the codes of real images from their prior",
        "mmd_squared is near 0 where they are alike, and below it at times, because it "
        "is estimated without bias. kl is in nats, and holds information down.",
        ("prior/",),
    ),
    Panel(
        "Penalties on the gradient of D",
        "Good is: near 0, or steady.",
        ("penalty/",),
    ),
)


def html(lines: Sequence[Line]) -> str:
    """Returns the panels, under one slider of steps; "" where there are no lines."""
    steps = [line["step"] for line in lines]
    if not steps:
        return ""
    names = sorted({name for line in lines for name in line})
    panels = []
    for panel in PANELS:
        shown = [name for name in names if name.startswith(panel.prefixes)]
        curves = {name: _points(lines, name) for name in shown}
        if curves:
            panels.append(_panel(panel, curves, steps))
    last = len(steps) - 1
    return (
        f"<section class=curves data-steps='{json.dumps(steps)}'>\n"
        f'<p><label>step <input type=range min=0 max="{last}" value="{last}" '
        f'aria-label="step"></label> <output>{steps[-1]}</output></p>\n'
        + "\n".join(panels)
        + "\n</section>"
    )


def _points(lines: Sequence[Line], name: str) -> list[float | None]:
    return [
        line[name] if name in line and np.isfinite(line[name]) else None
        for line in lines
    ]


def _panel(
    panel: Panel, curves: Mapping[str, list[float | None]], steps: Sequence[float]
) -> str:
    from matplotlib.ticker import MaxNLocator

    known = [v for curve in curves.values() for v in curve if v is not None]
    if not known:
        return ""
    ticks = MaxNLocator(5).tick_values(min(known), max(known))
    low, high = float(ticks[0]), float(ticks[-1])
    last = max(steps[-1], 1)

    def path(curve: list[float | None]) -> str:
        return " ".join(
            f"{1000 * step / last:.1f},{1000 * (high - v) / (high - low):.1f}"
            for step, v in zip(steps, curve, strict=True)
            if v is not None
        )

    drawn = "".join(
        f'<polyline class="{_style(place)}" points="{path(curve)}"/>'
        for place, curve in enumerate(curves.values())
    )
    heights = [100 * (float(tick) - low) / (high - low) for tick in ticks]
    marks = "".join(
        f'<i style="bottom: {height:.1f}%">{float(tick):g}</i>'
        for height, tick in zip(heights, ticks, strict=True)
    )
    rules = "".join(
        f'<path d="M0 {1000 - 10 * height:.1f}H1000"/>' for height in heights
    )
    rows = "".join(
        f'<tr data-values="{escape(json.dumps(curve))}"><th scope="row">'
        f'<i class="{_style(place)}"></i>{escape(name)}</th>'
        f'<td class="number">{_last(curve)}</td></tr>'
        for place, (name, curve) in enumerate(curves.items())
    )
    label = escape(f"{panel.title}, by step from 0 to {steps[-1]}")
    return (
        f"<h3>{escape(panel.title)}</h3>\n<p>{escape(panel.meaning)}</p>\n"
        f'<div class="panel"><div class="plot">{marks}'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{rules}{drawn}<path class="cursor" d="M1000 0V1000"/>'
        f"</svg><b>0</b><b>{steps[-1]}</b></div>\n<table>{rows}</table></div>"
    )


def _style(place: int) -> str:
    return f"hue{place % HUES}{' dashed' if place >= HUES else ''}"


def _last(curve: list[float | None]) -> str:
    return "" if curve[-1] is None else f"{curve[-1]:.4g}"
