"""Traversals: rows of images in which only one code changes (paper, figure 2)."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Array, UInt8, UInt32

from infogan_jax.analysis.generate import generate, sample_latents
from infogan_jax.analysis.grids import grid
from infogan_jax.data import scaling
from infogan_jax.model.latents import Code, Latents, LatentSpec
from infogan_jax.model.networks import Networks, Variables

COLUMNS_WITHIN = 12
"""About so many images stand in a row of the picture of a code with a parent."""

MOST_ROWS = 20
GAP = 4
"""Pixels between the parts of that picture."""


def base_latents(
    spec: LatentSpec,
    seed: UInt32[Array, ""] | int,
    count: int,
    code: Code | None = None,
) -> Latents:
    """Draws `count` latents to traverse, one for each row of a picture.

    The first categorical code, if there is one, takes its categories in turn from row
    to row, so that the traversal of another code shows every category. Of a `code` with
    a parent it is the parent that does so.
    """
    drawn = sample_latents(spec, seed, count, "pictures")
    first = next((each for each in spec.codes if each.is_categorical), None)
    if code is not None and code.parent:
        first = spec.code(code.parent)
    if first is None:
        return drawn
    in_turn: Any = np.arange(count, dtype=np.int32) % first.size
    return drawn._replace(codes={**drawn.codes, first.name: in_turn})


def traverse(code: Code, base: Latents, steps: int = 10) -> tuple[Latents, int]:
    """Repeats each of the base latents with `code` set to a series of values.

    A categorical code takes all its categories, a continuous one `steps` values of
    its sweep: from -2 to 2, or once around. All other latents are the same within a
    row.

    Returns:
      The latents [rows * columns] in reading order, and the number of columns.
    """
    values = code.of_kind.sweep(code.size, steps)
    columns = len(values)
    repeated = jax.tree.map(lambda leaf: np.repeat(leaf, columns, axis=0), base)
    tiled = np.tile(values, len(base.noise))
    return repeated._replace(codes={**repeated.codes, code.name: tiled}), columns


def traverse_within(
    spec: LatentSpec, code: Code, seed: UInt32[Array, ""] | int, steps: int = 10
) -> tuple[Latents, int, int]:
    """Sets a code with a parent to each of its values within each value of the parent.

    All other latents are drawn once for each image of a row, of which a categorical
    code has several. They are the same for all values of the code and of its parent.

    Returns:
      The latents [values * rows * images], in this order, and the number of rows (the
      values of the parent, at most 20) and of images.
    """
    values = code.of_kind.sweep(code.size, steps)
    parent = spec.code(code.parent)
    rows = min(parent.size, MOST_ROWS)
    images = max(COLUMNS_WITHIN // len(values), 1) if code.is_categorical else 1
    base = sample_latents(spec, seed, images, "pictures")
    repeated = jax.tree.map(
        lambda leaf: np.concatenate([leaf] * (len(values) * rows)), base
    )
    in_turn = np.arange(rows, dtype=np.int32).repeat(images)
    chosen: Any = {
        parent.name: np.tile(in_turn, len(values)),
        code.name: values.repeat(rows * images),
    }
    return repeated._replace(codes={**repeated.codes, **chosen}), rows, images


def sample_and_traversal_grids(
    spec: LatentSpec, nets: Networks, params: Variables, stats: Variables, seed: int
) -> dict[str, UInt8[np.ndarray, "rows columns channels"]]:
    """Generates the pictures `samples` and `traversal_<code>` of each code.

    Each picture is a grid of 10 rows. In a traversal only the code changes within a
    row; from left to right it takes its categories, or the values of a sweep.

    The picture of a code with a parent has a row for each value of the parent, and from
    left to right a part for each value of the code: `traverse_within`.
    """

    def pixels(drawn: Latents) -> np.ndarray:
        images = generate(spec, nets, params, stats, drawn)
        return scaling.to_uint8(images, nets.output_range)

    def picture(drawn: Latents, columns: int) -> np.ndarray:
        return grid(pixels(drawn), columns)

    def picture_within(code: Code) -> np.ndarray:
        drawn, rows, columns = traverse_within(spec, code, seed)
        shown = pixels(drawn)
        parts = np.split(shown, len(shown) // (rows * columns))
        gap = ((0, 0), (0, GAP), (0, 0))
        grids = [
            np.pad(grid(part, columns), gap, constant_values=255) for part in parts
        ]
        return np.hstack(grids)[:, :-GAP]

    drawn = sample_latents(spec, seed, 100, "pictures")
    grids = {"samples": picture(drawn, 10)}
    base = base_latents(spec, seed, 10)
    for code in spec.codes:
        grids[f"traversal_{code.name}"] = (
            picture_within(code) if code.parent else picture(*traverse(code, base))
        )
    return grids
