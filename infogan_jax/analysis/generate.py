"""From codes to images: draws latents from the prior and generates their images."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt32

from infogan_jax.model import distributions, latents, networks
from infogan_jax.model.latents import Latents, LatentSpec
from infogan_jax.model.networks import Networks, Variables
from infogan_jax.model.random_keys import Purpose, root_key

BATCH_SIZE = 512


def sample_latents(
    spec: LatentSpec,
    seed: UInt32[Array, ""] | int,
    count: int,
    purpose: Purpose = "evaluation",
) -> Latents:
    """Draws `count` latents from the prior as a pure function of seed and purpose.

    They are drawn 512 at a time, so that a single compiled program serves any count.
    """
    parts = list(latents_in_batches(spec, seed, count, purpose))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def latents_in_batches(
    spec: LatentSpec,
    seed: UInt32[Array, ""] | int,
    count: int,
    purpose: Purpose = "evaluation",
) -> Iterator[Latents]:
    """Yields the latents of `sample_latents`, at most 512 at a time, in host memory.

    The first of them do not depend on how many follow.
    """
    root = root_key(jnp.asarray(seed, jnp.uint32), purpose)
    for part in range(max(1, -(-count // BATCH_SIZE))):
        drawn = jax.device_get(_sample_batch(spec, root, part))
        left = count - part * BATCH_SIZE
        yield jax.tree.map(lambda leaf, left=left: leaf[:left], drawn)


@partial(jax.jit, static_argnums=0)
def _sample_batch(
    spec: LatentSpec, root: Key[Array, ""], part: Int[Array, ""] | int
) -> Latents:
    key = jax.random.fold_in(root, part)
    return latents.sample(
        spec, distributions.draw_uniform(key, (BATCH_SIZE, spec.uniform_size))
    )


def generate(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
    batch_size: int = BATCH_SIZE,
) -> Float[np.ndarray, "n height width channels"]:
    """Returns G's images for any number of latents, in `nets.output_range`.

    Batch norm uses running averages, so an image depends only on its own latents. A
    program is compiled for each `batch_size`; a small one answers a few images sooner.
    """
    parts = generate_in_batches(spec, nets, params, stats, drawn, batch_size)
    return np.concatenate(list(parts))


def generate_in_batches(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Float[np.ndarray, "batch height width channels"]]:
    """Yields the images of `generate`, at most `batch_size` at a time."""
    drawn = jax.device_get(drawn)
    count = len(drawn.noise)
    for start in range(0, count, batch_size):
        rows = np.arange(start, start + batch_size)
        filled = jax.tree.map(
            partial(np.take, indices=rows, axis=0, mode="clip"), drawn
        )
        images = _generate_batch(spec, nets, params, stats, filled)
        yield np.asarray(images)[: count - start]


@partial(jax.jit, static_argnums=(0, 1))
def _generate_batch(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    drawn: Latents,
) -> Array:
    inputs = latents.pack(spec, drawn)
    images, _ = networks.generate(nets, params, stats, inputs, train=False)
    return images
