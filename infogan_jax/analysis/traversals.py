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


def base_latents(
    spec: LatentSpec, seed: UInt32[Array, ""] | int, count: int
) -> Latents:
    """Draws `count` latents to traverse, one for each row of a picture.

    The first categorical code, if there is one, takes its categories in turn from row
    to row, so that the traversal of another code shows every category.
    """
    drawn = sample_latents(spec, seed, count, "pictures")
    first = next((code for code in spec.codes if code.is_categorical), None)
    if first is None:
        return drawn
    in_turn: Any = np.arange(count, dtype=np.int32) % first.size
    return drawn._replace(codes={**drawn.codes, first.name: in_turn})


def traverse(code: Code, base: Latents, steps: int = 10) -> tuple[Latents, int]:
    """Repeats each of the base latents with `code` set to a series of values.

    A categorical code takes all its categories, a continuous one `steps` values of
    its sweep, from -2 to 2. All other latents are the same within a row.

    Returns:
      The latents [rows * columns] in reading order, and the number of columns.
    """
    values = code.of_kind.sweep(code.size, steps)
    columns = len(values)
    repeated = jax.tree.map(lambda leaf: np.repeat(leaf, columns, axis=0), base)
    tiled = np.tile(values, len(base.noise))
    return repeated._replace(codes={**repeated.codes, code.name: tiled}), columns


def sample_and_traversal_grids(
    spec: LatentSpec, nets: Networks, params: Variables, stats: Variables, seed: int
) -> dict[str, UInt8[np.ndarray, "rows columns channels"]]:
    """Generates the pictures `samples` and `traversal_<code>` of each code.

    Each picture is a grid of 10 rows. In a traversal only the code changes within a
    row; from left to right it takes its categories, or values from -2 to 2.
    """

    def picture(drawn: Latents, columns: int) -> np.ndarray:
        images = generate(spec, nets, params, stats, drawn)
        return grid(scaling.to_uint8(images, nets.output_range), columns)

    drawn = sample_latents(spec, seed, 100, "pictures")
    grids = {"samples": picture(drawn, 10)}
    base = base_latents(spec, seed, 10)
    for code in spec.codes:
        grids[f"traversal_{code.name}"] = picture(*traverse(code, base))
    return grids
