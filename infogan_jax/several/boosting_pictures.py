"""Pictures of a mixture: images of each component, and its measures by round."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax.analysis import modes
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.report import plots
from infogan_jax.run.files import write_png
from infogan_jax.several.mixture import Mixture

SAMPLES, ROUNDS, POINTS = "samples.png", "rounds.png", "points.png"
COLUMNS, ROWS = 20, 2
"""The grid of images of one component."""

SPACE = 12
"""White pixels between the blocks of two components."""

MOST_POINTS = 1500


def write(workdir: Path, mixture: Mixture, rounds: Sequence[Mapping[str, Any]]) -> None:
    """Writes `samples.png` and `rounds.png`, and of points `points.png`.

    Args:
      workdir: where they go.
      mixture: all components so far.
      rounds: the records of their rounds, of which the measures are drawn.
    """
    if mixture.components[0].exp.image_shape == modes.POINT:
        _write_points(workdir / POINTS, mixture)
    write_png(workdir / SAMPLES, blocks(mixture))
    done = [each["measures"] for each in rounds if each.get("measures")]
    if done:
        values = {name: [each[name] for each in done] for name in done[0]}
        plots.write_rounds(workdir / ROUNDS, values)


def blocks(mixture: Mixture) -> UInt8[np.ndarray, "height width channels"]:
    """Returns two rows of 20 images for each component, the first one on top."""
    count = COLUMNS * ROWS
    grids = [
        grid(mixture.generate(place, count), COLUMNS)
        for place in range(len(mixture.components))
    ]
    pad = ((0, SPACE), (0, 0), (0, 0))
    spaced = [np.pad(each, pad, constant_values=255) for each in grids]
    return np.concatenate(spaced)[:-SPACE]


def _write_points(path: Path, mixture: Mixture) -> None:
    real = mixture.components[0].exp.dataset.test.images[:MOST_POINTS]
    count = MOST_POINTS // len(mixture.components)
    groups = [
        modes.points(mixture.generate(place, count), place)
        for place in range(len(mixture.components))
    ]
    plots.write_points(path, modes.points(real, 0), groups)
