"""Images -> codes: what D and Q make of any number of images."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from infogan_jax import images, latents, networks
from infogan_jax.latents import LatentSpec, Posterior
from infogan_jax.networks import Networks, Variables

BATCH_SIZE = 512


def encode(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    pictures: UInt8[np.ndarray, "n height width channels"],
) -> Posterior:
    """Q's posterior of every code for each real image.

    Batch norm uses the running averages of real batches, so what an image is read
    as does not depend on the images beside it.
    """
    scaled = np.asarray(images.to_range(pictures, nets.output_range))
    _, outputs = judge(nets, params, stats, scaled)
    return latents.unpack(spec, jnp.asarray(outputs))


def judge(
    nets: Networks,
    params: Variables,
    stats: Variables,
    pictures: Float[np.ndarray, "n height width channels"],
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n outputs"]]:
    """D's logits and Q's outputs for images in the networks' range, in batches."""
    parts = []
    for start in range(0, len(pictures), BATCH_SIZE):
        part = pictures[start : start + BATCH_SIZE]
        missing = BATCH_SIZE - len(part)
        padded = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)), mode="edge")
        logits, outputs = jax.device_get(_judge(nets, params, stats, padded))
        parts.append((logits[: len(part)], outputs[: len(part)]))
    logits, outputs = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(outputs)


@partial(jax.jit, static_argnums=0)
def _judge(
    nets: Networks, params: Variables, stats: Variables, pictures: Array
) -> tuple[Array, Array]:
    logits, outputs, _ = networks.discriminate(
        nets, params, stats, pictures, train=False
    )
    return logits, outputs
