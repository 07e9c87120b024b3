"""Codes -> images: samples of G, and images that vary one code at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8, UInt32

from infogan_jax import distributions, images, latents, networks
from infogan_jax.latents import Code, Latents, LatentSpec
from infogan_jax.networks import Networks, Variables

SWEEP = (-2.0, 2.0)
"""Continuous codes are swept beyond their prior, as in the paper's figure 2."""

BATCH_SIZE = 512


def draw(spec: LatentSpec, seed: UInt32[Array, ""] | int, count: int) -> Latents:
    """`count` latents from the prior, a pure function of the seed.

    They are drawn 512 at a time, so that any number needs one program only.
    """
    root = jnp.asarray(seed, jnp.uint32)
    parts = [_draw(spec, root, part) for part in range(max(1, -(-count // BATCH_SIZE)))]
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return jax.tree.map(lambda leaf: leaf[:count], joined)


@partial(jax.jit, static_argnums=0)
def _draw(
    spec: LatentSpec, seed: UInt32[Array, ""], part: Int[Array, ""] | int
) -> Latents:
    key = jax.random.fold_in(jax.random.key(seed), part)
    return latents.sample(
        spec, distributions.draw_uniform(key, (BATCH_SIZE, spec.draws))
    )


def rows(spec: LatentSpec, seed: UInt32[Array, ""] | int, count: int) -> Latents:
    """`count` latents to vary, one a row of the picture.

    The first categorical code, if there is one, counts up row by row, so that a
    sweep of another code is seen on every category.
    """
    drawn = draw(spec, seed, count)
    first = next((code for code in spec.codes if code.is_categorical), None)
    if first is None:
        return drawn
    counted: Any = np.arange(count, dtype=np.int32) % first.size
    return drawn._replace(codes={**drawn.codes, first.name: counted})


def traverse(code: Code, base: Latents, steps: int = 10) -> tuple[Latents, int]:
    """Repeats each of `base` with `code` set to each of its values in turn.

    Args:
      code: a categorical code takes all its categories, a continuous one `steps`
        values from -2 to 2.
      base: the latents of the rows; everything but `code` stays fixed in a row.
      steps: the number of columns for a continuous code.

    Returns:
      The latents [rows * columns] in reading order, and the number of columns.
    """
    if code.is_categorical:
        values = np.arange(code.size, dtype=np.int32)
    else:
        values = np.linspace(*SWEEP, steps, dtype=np.float32)
    columns = len(values)
    repeated = jax.tree.map(lambda leaf: np.repeat(leaf, columns, axis=0), base)
    tiled = np.tile(values, len(base.noise))
    return repeated._replace(codes={**repeated.codes, code.name: tiled}), columns


def paint(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
) -> Float[np.ndarray, "n height width channels"]:
    """G's images for any number of latents, in the networks' range, in batches.

    Batch norm uses running averages: an image depends on its own latents alone.
    """
    return np.concatenate(list(paint_in_batches(spec, nets, params, stats, drawn)))


def paint_in_batches(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
) -> Iterator[Float[np.ndarray, "batch height width channels"]]:
    """The same images, up to 512 at a time."""
    drawn = jax.device_get(drawn)
    count = len(drawn.noise)
    for start in range(0, count, BATCH_SIZE):
        rows = np.arange(start, start + BATCH_SIZE)
        filled = jax.tree.map(
            partial(np.take, indices=rows, axis=0, mode="clip"), drawn
        )
        yield np.asarray(_paint(spec, nets, params, stats, filled))[: count - start]


@partial(jax.jit, static_argnums=(0, 1))
def _paint(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
) -> Array:
    inputs = latents.pack(spec, drawn)
    painted, _ = networks.generate(nets, params, stats, inputs, train=False)
    return painted


def pictures(
    spec: LatentSpec, nets: Networks, params: Variables, stats: Variables, seed: int
) -> dict[str, UInt8[np.ndarray, "rows columns channels"]]:
    """Samples, and one traversal per code on fixed latents, as grids by name.

    In `traversal_<code>` each row keeps all latents but the code, which runs
    through its categories, or from -2 to 2, from left to right.
    """

    def picture(drawn: Latents, columns: int) -> np.ndarray:
        painted = paint(spec, nets, params, stats, drawn)
        return images.grid(images.to_uint8(painted, nets.output_range), columns)

    made = {"samples": picture(draw(spec, seed, 100), 10)}
    base = rows(spec, seed, 10)
    for code in spec.codes:
        made[f"traversal_{code.name}"] = picture(*traverse(code, base))
    return made
