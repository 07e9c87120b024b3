"""From images to codes: the outputs of D and Q for any number of images."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from infogan_jax.analysis.metrics.agreement import Predictions
from infogan_jax.data import scaling
from infogan_jax.model import latents, networks
from infogan_jax.model.code_kinds import Categorical
from infogan_jax.model.latents import LatentSpec, Posterior
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
      logits: D's outputs, in the paper's game the logits of "real".
      outputs: Q's outputs, the parameters of its posterior (`latents.posterior`).
      features: the flattened last layer of the trunk that D and Q share.
    """

    logits: Float[np.ndarray, "n *d"]
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
    does not depend on the other images.
    """
    parts = _outputs_in_batches(nets, params, stats, images)
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

    With `batch_statistics`, batch norm uses the statistics of each 512 images, as in
    training, and not the running averages. Generated images need this as long as they
    differ much from real ones. A last batch that is not full is filled up with copies
    of its own images.
    """
    parts = _outputs_in_batches(nets, params, stats, images, batch_statistics)
    return NetworkOutputs(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def posterior_arrays(posterior: Posterior) -> dict[str, Float[np.ndarray, "..."]]:
    """Returns the posterior as arrays of floats with one row for each image.

    Returns:
      `<code>/probabilities` [n, k] of a categorical code, `<code>/mean` and
      `<code>/sd` [n] of a continuous one; of a code with a parent those within the
      most probable category of the parent. The probability of a category and one within
      it is their product.
    """
    arrays: dict[str, Any] = {}
    for name, q in posterior.items():
        if isinstance(q, Categorical):
            arrays[f"{name}/probabilities"] = jax.nn.softmax(q.logits)
        else:
            arrays |= {f"{name}/mean": q.mean, f"{name}/sd": jnp.exp(q.log_sd)}
    return {name: np.asarray(array) for name, array in arrays.items()}


def predictions(posterior: Posterior) -> Predictions:
    """Returns what Q predicts of each code: a category or, if continuous, the mean.

    Of a code with a parent it is that within the most probable category of the parent.
    """
    return {
        name: np.asarray(q.logits.argmax(-1) if isinstance(q, Categorical) else q.mean)
        for name, q in posterior.items()
    }


def apply_in_batches(
    function: Callable[[Any], tuple[Array, ...]], images: Images
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields the outputs of a function of 512 images for each 512 of `images`.

    Only one batch is in memory at a time, so that `images` may be a memory-mapped
    file. A last batch that is not full is filled up with copies of its own images.
    """
    for start in range(0, max(len(images), 1), BATCH_SIZE):
        part = images[start : start + BATCH_SIZE]
        padded = np.resize(part, (BATCH_SIZE, *part.shape[1:]))
        outputs = jax.device_get(function(padded))
        yield tuple(values[: len(part)] for values in outputs)


def _outputs_in_batches(
    nets: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
    batch_statistics: bool = False,
) -> Iterator[NetworkOutputs]:
    def apply(batch: np.ndarray) -> tuple[Array, ...]:
        if batch.dtype == np.uint8:
            batch = np.asarray(scaling.to_range(batch, nets.output_range))
        return _apply_discriminator(nets, batch_statistics, params, stats, batch)

    for outputs in apply_in_batches(apply, images):
        yield NetworkOutputs(*outputs)


@partial(jax.jit, static_argnums=(0, 1))
def _apply_discriminator(
    nets: Networks,
    batch_statistics: bool,
    params: Variables,
    stats: Variables,
    images: Array,
) -> tuple[Array, Array, Array]:
    logits, outputs, features, _ = networks.discriminate(
        nets, params, stats, images, train=batch_statistics
    )
    return logits, outputs, features.reshape(len(features), -1)
