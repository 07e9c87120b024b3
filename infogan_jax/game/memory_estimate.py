"""An estimate of the memory that training needs, from shapes alone."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import state_shapes
from infogan_jax.model import networks, notation
from infogan_jax.model.layers import Stack

_FLOAT = 4


def estimate(algorithm: Algorithm, batch_size: int) -> int:
    """Estimates the bytes that training needs on a device, right to a factor of 2.

    It adds up the state before and after a step, and the activations that the larger of
    the two players' passes keeps for its gradient. Nothing is compiled. The images of
    the data set come on top.

    Args:
      algorithm: networks, codes and switches.
      batch_size: images of a batch on one device.
    """
    state = sum(
        leaf.size * leaf.dtype.itemsize
        for leaf in jax.tree.leaves(state_shapes(algorithm))
    )
    nets = algorithm.nets
    kept_by = partial(_kept, batch_size)
    generating = kept_by(nets.generator, (nets.input_size,))
    discriminating = kept_by(nets.discriminator.trunk, nets.image_shape)
    if nets.recognition is not None:
        features = networks.output_shape(nets.discriminator.trunk, nets.image_shape)
        discriminating += kept_by(nets.recognition, features)
    if algorithm.contrast is not None:
        height, width, channels = nets.image_shape
        pair = (height, width, 2 * channels)
        generating = 2 * generating + kept_by(algorithm.contrast.network, pair)
    batches = 2 + sum(term.shows_images for term in algorithm.terms)
    kept = max(batches * discriminating, generating + discriminating)
    if any(term.shows_real for term in algorithm.terms):
        kept = 2 * (generating + discriminating)
    return 2 * state + batch_size * _FLOAT * kept


def _kept(batch_size: int, module: Any, shape: tuple[int, ...]) -> int:
    """Counts the activations kept per image: linear, normalised, and the output.

    A layer that compares images keeps a difference for each other image of the batch.
    Of a user's own module it counts what each of its parts returns, twice.
    """
    if not isinstance(module, Stack):
        x = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
        run = partial(module.init_with_output, train=True, capture_intermediates=True)
        key = jax.eval_shape(lambda: jax.random.key(0))
        _, variables = jax.eval_shape(run, key, x)
        return sum(leaf.size for leaf in jax.tree.leaves(variables["intermediates"]))
    kept = 0
    for layer in module.layers:
        shape = notation.follow((layer,), shape, "layers")
        kept += math.prod(shape) * (2 + layer.norm)
        if layer.kind == "minibatch":
            kept += batch_size * math.prod(layer.shape)
    return kept
