"""An estimate of the memory that training needs, from shapes alone."""

import math
from collections.abc import Sequence

import jax

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import state_shapes
from infogan_jax.model import notation
from infogan_jax.model.layers import Layer

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
    generating = _kept(nets.generator.layers, (nets.input_size,))
    q_layers = nets.recognition.layers if nets.recognition else ()
    discriminating = _kept(
        (*nets.discriminator.trunk.layers, *q_layers), nets.image_shape
    )
    batches = 2 + sum(term.shows_images for term in algorithm.terms)
    kept = max(batches * discriminating, generating + discriminating)
    return 2 * state + batch_size * _FLOAT * kept


def _kept(layers: Sequence[Layer], shape: tuple[int, ...]) -> int:
    """Counts the activations kept per image: linear, normalised, and the output."""
    kept = 0
    for layer in layers:
        shape = notation.follow((layer,), shape, "layers")
        kept += math.prod(shape) * (2 + layer.norm)
    return kept
