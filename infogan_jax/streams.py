"""The random keys of a step: one for each purpose and example."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from infogan_jax.state import TrainState

Keys = dict[str, Array]
"""A key [batch] for each of `STREAMS`."""

STREAMS = (
    "d_latents",
    "d_noise_real",
    "d_noise_generated",
    "g_latents",
    "g_noise",
    "d_transformation",
    "d_noise_transformed",
)


def example_keys(state: TrainState, count: int, axis: str | None) -> Keys:
    """A key for each stream and example, by the example's place in the whole batch.

    What an example draws does not depend on how many devices share the batch.
    """
    key = jax.random.fold_in(jax.random.key(state.seed), state.step)
    first = 0 if axis is None else lax.axis_index(axis) * count
    places = first + jnp.arange(count)
    fold = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
    return {
        name: fold(jax.random.fold_in(key, stream), places)
        for stream, name in enumerate(STREAMS)
    }
