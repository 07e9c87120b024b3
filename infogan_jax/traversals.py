"""Codes -> images: samples of G, and images that vary one code at a time."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8, UInt32

from infogan_jax import images, latents, networks
from infogan_jax.latents import Code, Latents, LatentSpec
from infogan_jax.networks import Networks, Variables

SWEEP = (-2.0, 2.0)
"""Continuous codes are swept beyond their prior, as in the paper's figure 2."""

BATCH_SIZE = 512


def draw(spec: LatentSpec, seed: UInt32[Array, ""] | int, count: int) -> Latents:
    """`count` latents from the prior, a pure function of the seed."""
    return latents.sample(spec, jax.random.split(jax.random.key(seed), count))


def rows(spec: LatentSpec, seed: UInt32[Array, ""] | int, count: int) -> Latents:
    """`count` latents to vary, one a row of the picture.

    The first categorical code, if there is one, counts up row by row, so that a
    sweep of another code is seen on every category.
    """
    drawn = draw(spec, seed, count)
    first = next((code for code in spec.codes if code.is_categorical), None)
    if first is None:
        return drawn
    counted = jnp.arange(count, dtype=jnp.int32) % first.size
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
        values = jnp.arange(code.size, dtype=jnp.int32)
    else:
        values = jnp.linspace(*SWEEP, steps)
    columns = len(values)
    repeated = jax.tree.map(lambda leaf: jnp.repeat(leaf, columns, axis=0), base)
    tiled = jnp.tile(values, len(base.noise))
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
    inputs = np.asarray(latents.pack(spec, drawn))
    parts = []
    for start in range(0, len(inputs), BATCH_SIZE):
        part = inputs[start : start + BATCH_SIZE]
        padded = np.pad(part, ((0, BATCH_SIZE - len(part)), (0, 0)))
        painted = _paint(nets, params, stats, padded)
        parts.append(np.asarray(painted)[: len(part)])
    return np.concatenate(parts)


@partial(jax.jit, static_argnums=0)
def _paint(nets: Networks, params: Variables, stats: Variables, inputs: Array) -> Array:
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
