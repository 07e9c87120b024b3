"""Images -> codes: the outputs of D and Q for any number of images."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from infogan_jax.data import scaling
from infogan_jax.model import latents, networks
from infogan_jax.model.latents import LatentSpec, Normal, Posterior
from infogan_jax.model.networks import Networks, Variables

BATCH_SIZE = 512

Images = (
    UInt8[np.ndarray, "n height width channels"]
    | Float[np.ndarray, "n height width channels"]
)
"""Bytes, or floats in the range of the networks (`Networks.output_range`)."""


class NetworkOutputs(NamedTuple):
    """The outputs of D and Q for each image.

    Attributes:
      logits: D's, of "real".
      outputs: Q's, the parameters of its posterior (`latents.posterior`).
      features: the last layer of the trunk that both share, flat.
    """

    logits: Float[np.ndarray, "n"]
    outputs: Float[np.ndarray, "n outputs"]
    features: Float[np.ndarray, "n features"]


def encode(
    spec: LatentSpec,
    nets: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
) -> Posterior:
    """Returns Q's posterior of every code for each image.

    Batch norm uses the running averages of real batches, so the posterior of an image
    does not depend on the images beside it.
    """
    parts = _in_batches(nets, params, stats, images)
    outputs = np.concatenate([part.outputs for part in parts])
    return latents.posterior(spec, jnp.asarray(outputs))


def apply_discriminator(
    nets: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
    *,
    batch_statistics: bool = False,
) -> NetworkOutputs:
    """Returns D's logits, Q's outputs and the trunk's features for each image.

    Args:
      nets: the networks.
      params: of all three.
      stats: of all three.
      images: any number of them.
      batch_statistics: whether batch norm uses the statistics of each 512 images, as
        in training, and not the running averages. Generated images need it while
        they are far from real ones. A last batch that is not full is filled up with
        its own images.
    """
    parts = _in_batches(nets, params, stats, images, batch_statistics)
    return NetworkOutputs(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def posterior_arrays(posterior: Posterior) -> dict[str, Float[np.ndarray, "..."]]:
    """Returns the posterior as arrays of floats with one row for each image.

    Returns:
      `<code>/probabilities` [n, k] of a categorical code, `<code>/mean` and
      `<code>/sd` [n] of a continuous one.
    """
    arrays: dict[str, Any] = {}
    for name, q in posterior.items():
        if isinstance(q, Normal):
            arrays |= {f"{name}/mean": q.mean, f"{name}/sd": jnp.exp(q.log_sd)}
        else:
            arrays[f"{name}/probabilities"] = jax.nn.softmax(q.logits)
    return {name: np.asarray(array) for name, array in arrays.items()}


def _in_batches(
    nets: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
    batch_statistics: bool = False,
) -> Iterator[NetworkOutputs]:
    """Yields a batch of outputs at a time, so that images may be mapped from a file."""
    for start in range(0, len(images), BATCH_SIZE):
        part = images[start : start + BATCH_SIZE]
        if part.dtype == np.uint8:
            part = np.asarray(scaling.to_range(part, nets.output_range))
        missing = BATCH_SIZE - len(part)
        padded = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)), mode="wrap")
        outputs = jax.device_get(
            _apply_discriminator(nets, batch_statistics, params, stats, padded)
        )
        yield NetworkOutputs(*(values[: len(part)] for values in outputs))


@partial(jax.jit, static_argnums=(0, 1))
def _apply_discriminator(
    nets: Networks,
    batch_statistics: bool,
    params: Variables,
    stats: Variables,
    images: Array,
) -> tuple[Array, Array, Array]:
    logits, outputs, _ = networks.discriminate(
        nets, params, stats, images, train=batch_statistics
    )
    # the same computation once more, which the compiler does once
    variables = {
        "params": params["discriminator"],
        "batch_stats": stats["discriminator"],
    }
    ((_, features), _) = nets.discriminator.apply(
        variables, images, batch_statistics, mutable=["batch_stats"]
    )
    return logits, outputs, features.reshape(len(features), -1)
