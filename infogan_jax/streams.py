"""What a step draws: numbers from U(-1, 1), for each purpose and example."""

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from infogan_jax import augment, distributions
from infogan_jax.algorithm import Algorithm
from infogan_jax.state import TrainState

Draws = Mapping[str, Float[Array, "batch _"]]
"""The numbers of each example, by purpose (`sizes`)."""


def sizes(algorithm: Algorithm) -> dict[str, int]:
    """How many numbers an example needs for each purpose; none where it is off.

    Latents come first, so that they stay the same whatever else is drawn.
    """
    spec, transformed = algorithm.spec, algorithm.reads_transformed
    noisy = algorithm.noise_sd is not None
    pixels = math.prod(algorithm.nets.image_shape) if noisy else 0
    return {
        "d_latents": spec.draws,
        "g_latents": spec.draws,
        "d_transformation": augment.DRAWS if transformed else 0,
        "d_noise_real": pixels,
        "d_noise_generated": pixels,
        "g_noise": pixels,
        "d_noise_transformed": pixels if transformed else 0,
    }


def draw(
    algorithm: Algorithm, state: TrainState, count: int, axis: str | None
) -> Draws:
    """Everything that a step draws for `count` examples, as one vector of each.

    Numbers of U(-1, 1) that depend on the seed, the step and the example's place in
    the whole batch, but not on how many devices share it. XLA takes as long to compile
    one more small draw as to compile a layer: so there is one, and the distributions
    are made from it (`distributions.standard_normal`, `latents.sample`).
    """
    step_key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    first = 0 if axis is None else lax.axis_index(axis) * count
    lengths = sizes(algorithm)

    def one(place: Array) -> Array:
        key = jax.random.fold_in(step_key, place)
        return distributions.draw_uniform(key, (sum(lengths.values()),))

    numbers = jax.vmap(one)(first + jnp.arange(count))
    ends = np.cumsum(list(lengths.values()))[:-1]
    return dict(zip(lengths, jnp.split(numbers, ends, axis=1), strict=True))
