"""Draws the random numbers of a training step, all of them uniform."""

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.game import contrast
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState
from infogan_jax.model import distributions
from infogan_jax.model.random_keys import root_key

Draws = Mapping[str, Float[Array, "batch _"]]
"""Numbers from U(-1, 1) for each example; the keys are the purposes of `sizes`."""


def sizes(algorithm: Algorithm) -> dict[str, int]:
    """Returns how many numbers an example needs for each purpose; 0 if it is off.

    Latents come first, so that they do not depend on what else is drawn.
    """
    spec, is_noisy = algorithm.spec, algorithm.noise_sd is not None
    pixels = math.prod(algorithm.nets.image_shape) if is_noisy else 0
    lengths = {
        "d_latents": spec.uniform_size,
        "g_latents": spec.uniform_size,
        "d_noise_real": pixels,
        "d_noise_generated": pixels,
        "g_noise": pixels,
    }
    for term in algorithm.terms:
        lengths[f"term_{term.name}"] = term.drawn_numbers
        lengths[f"term_{term.name}_noise"] = pixels if term.shows_images else 0
    if algorithm.contrast is not None:
        lengths |= dict.fromkeys(("h_pairs", "g_pairs"), contrast.drawn_numbers(spec))
    return lengths


def draw(
    algorithm: Algorithm, state: TrainState, count: int, axis: str | None
) -> Draws:
    """Draws all random numbers of a step for `count` examples, one vector for each.

    They depend on the seed, the step and the example's index in the whole batch, but
    not on the number of devices (`axis`) that share the batch. A single call draws all
    numbers, because XLA takes as long to compile another small draw as a layer.
    """
    step_key = jax.random.fold_in(root_key(state.seed, "steps"), state.step)
    first = 0 if axis is None else lax.axis_index(axis) * count
    lengths = sizes(algorithm)

    def draw_example(index: Array) -> Array:
        key = jax.random.fold_in(step_key, index)
        return distributions.draw_uniform(key, (sum(lengths.values()),))

    numbers = jax.vmap(draw_example)(first + jnp.arange(count))
    ends = np.cumsum(list(lengths.values()))[:-1]
    return dict(zip(lengths, jnp.split(numbers, ends, axis=1), strict=True))
