"""Images -> codes: what D and Q make of any number of images."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from infogan_jax import images, latents, networks
from infogan_jax.latents import LatentSpec, Normal, Posterior
from infogan_jax.networks import Networks, Variables

BATCH_SIZE = 512

Pictures = (
    UInt8[np.ndarray, "n height width channels"]
    | Float[np.ndarray, "n height width channels"]
)
"""Bytes, or floats in the networks' range."""


class Judgement(NamedTuple):
    """What D and Q make of each image.

    Attributes:
      logits: D's, of "real".
      outputs: Q's, as `latents.unpack` reads them.
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
    pictures: Pictures,
) -> Posterior:
    """Q's posterior of every code for each image.

    Batch norm uses the running averages of real batches, so what an image is read
    as does not depend on the images beside it.
    """
    parts = _in_batches(nets, params, stats, pictures)
    outputs = np.concatenate([part.outputs for part in parts])
    return latents.unpack(spec, jnp.asarray(outputs))


def judge(
    nets: Networks,
    params: Variables,
    stats: Variables,
    pictures: Pictures,
    *,
    together: bool = False,
) -> Judgement:
    """D's logits, Q's outputs and the trunk's features, as in `encode`.

    With `together` batch norm uses the statistics of each 512 images, as in training.
    That is how generated images are read while they are far from real ones; the last
    batch is filled up with images of its own.
    """
    parts = _in_batches(nets, params, stats, pictures, together)
    return Judgement(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def as_arrays(posterior: Posterior) -> dict[str, Float[np.ndarray, "..."]]:
    """The posterior as arrays of floats with one row for each image.

    Returns:
      `<code>/probabilities` [n, k] of a categorical code, `<code>/mean` and
      `<code>/sd` [n] of a continuous one.
    """
    arrays: dict[str, Any] = {}
    for name, read in posterior.items():
        if isinstance(read, Normal):
            arrays |= {f"{name}/mean": read.mean, f"{name}/sd": jnp.exp(read.log_sd)}
        else:
            arrays[f"{name}/probabilities"] = jax.nn.softmax(read.logits)
    return {name: np.asarray(array) for name, array in arrays.items()}


def _in_batches(
    nets: Networks,
    params: Variables,
    stats: Variables,
    pictures: Pictures,
    together: bool = False,
) -> Iterator[Judgement]:
    """Judges a batch at a time, so that images may be mapped from a file."""
    for start in range(0, len(pictures), BATCH_SIZE):
        part = pictures[start : start + BATCH_SIZE]
        if part.dtype == np.uint8:
            part = np.asarray(images.to_range(part, nets.output_range))
        missing = BATCH_SIZE - len(part)
        padded = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0)), mode="wrap")
        judged = jax.device_get(_judge(nets, together, params, stats, padded))
        yield Judgement(*(values[: len(part)] for values in judged))


@partial(jax.jit, static_argnums=(0, 1))
def _judge(
    nets: Networks,
    together: bool,
    params: Variables,
    stats: Variables,
    pictures: Array,
) -> tuple[Array, Array, Array]:
    logits, outputs, _ = networks.discriminate(
        nets, params, stats, pictures, train=together
    )
    # the same computation once more, which the compiler does once
    variables = {
        "params": params["discriminator"],
        "batch_stats": stats["discriminator"],
    }
    ((_, features), _) = nets.discriminator.apply(
        variables, pictures, together, mutable=["batch_stats"]
    )
    return logits, outputs, features.reshape(len(features), -1)
