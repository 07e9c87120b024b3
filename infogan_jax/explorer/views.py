"""What the page asks for, checked, and the images that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, UInt8

from infogan_jax.analysis import generate, traversals
from infogan_jax.analysis.grids import grid
from infogan_jax.errors import UserError
from infogan_jax.model.latents import Code, Latents, LatentSpec
from infogan_jax.trained.infogan import InfoGAN

COLUMNS = 5
"""The number of images in a row, each of other noise."""

STEPS = 9
"""The number of values of a continuous code in a traversal."""

MOST_ROWS = 16
MOST_CATEGORIES = 20
"""A traversal of more categories shows those around the chosen one."""

LARGEST_ROW = 2**31 - 1
BATCH = 50
"""A slider waits for one batch: small enough to answer at once."""

Sprite = UInt8[np.ndarray, "rows_height columns_width channels"]
"""Images side by side, without margins."""


@dataclass(frozen=True)
class View:
    """What the sliders and rows of the page are set to.

    Attributes:
      codes: the value of every code; None of a categorical one takes the categories in
        turn, from row to row.
      rows: the seed of each row; `infogan_jax.load(run).latents(5, seed=row)` has the
        same noise.
    """

    codes: Mapping[str, float | None]
    rows: tuple[int, ...]


def parse_view(spec: LatentSpec, asked: Mapping[str, Any]) -> View:
    """Checks the fields `codes` and `rows` of a request.

    Raises:
      UserError: where a code is missing, unknown or out of range, or a row is not a
        seed.
    """
    codes, rows = asked.get("codes"), asked.get("rows")
    names = {code.name for code in spec.codes}
    if not isinstance(codes, dict) or set(codes) != names:
        raise UserError(
            f"codes must have exactly {', '.join(sorted(names)) or 'none'}."
        )
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise UserError(f"rows must be a list of 1 to {MOST_ROWS} seeds.")
    if not all(type(row) is int and 0 <= row <= LARGEST_ROW for row in rows):
        raise UserError(f"a row must be an integer from 0 to {LARGEST_ROW}.")
    values = {code.name: _value(code, codes[code.name]) for code in spec.codes}
    return View(values, tuple(rows))


def _value(code: Code, value: Any) -> float | None:
    if code.is_categorical:
        if value is None:
            return None
        if type(value) is not int or not 0 <= value < code.size:
            raise UserError(
                f"{code.name} must be an integer from 0 to {code.size - 1}, or null."
            )
        return value
    low, high = code.of_kind.sweep(1, 2).tolist()
    if type(value) not in (int, float) or not low <= value <= high:
        raise UserError(f"{code.name} must be a number from {low:g} to {high:g}.")
    return float(value)


def samples(model: InfoGAN, view: View) -> Sprite:
    """Returns 5 images of the chosen codes for each row, each of other noise."""
    drawn = _latents(model.spec, view, COLUMNS)
    return grid(model.generate(drawn, BATCH), COLUMNS, margin=0, smallest=1)


def traversal(model: InfoGAN, view: View, code: Code) -> tuple[Sprite, list[float]]:
    """Returns a traversal of a code for each row, with the first noise of the row.

    Returns:
      The images, and the values that the code takes from left to right.
    """
    base = _latents(model.spec, view, 1)
    drawn, columns = traversals.traverse(code, base, STEPS)
    if columns > MOST_CATEGORIES:
        first = int(view.codes[code.name] or 0) - MOST_CATEGORIES // 2
        first = min(max(first, 0), columns - MOST_CATEGORIES)
        place = np.arange(len(drawn.noise)) % columns - first
        shown = (0 <= place) & (place < MOST_CATEGORIES)
        drawn = jax.tree.map(lambda leaf: leaf[shown], drawn)
        columns = MOST_CATEGORIES
    values = np.asarray(drawn.codes[code.name])[:columns].tolist()
    return grid(model.generate(drawn, BATCH), columns, margin=0, smallest=1), values


@lru_cache(maxsize=256)
def row_noise(spec: LatentSpec, row: int) -> Float[np.ndarray, "5 noise"]:
    """Returns the noise of a row: that of the first samples of the seed `row`."""
    return np.asarray(generate.sample_latents(spec, row, COLUMNS).noise)


def _latents(spec: LatentSpec, view: View, columns: int) -> Latents:
    """Returns the latents of the first images of each row, in reading order."""
    noise = [row_noise(spec, row)[:columns] for row in view.rows]
    place = np.arange(len(view.rows)).repeat(columns)
    codes: dict[str, Any] = {}
    for code in spec.codes:
        value = view.codes[code.name]
        values = place % code.size if value is None else np.full(len(place), value)
        codes[code.name] = values.astype(
            np.int32 if code.is_categorical else np.float32
        )
    return Latents(codes, np.concatenate(noise))  # type: ignore[arg-type]
