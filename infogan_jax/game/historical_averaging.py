"""Historical averaging: each player is held near the mean of its own past.

The penalty |theta - (1/t) sum_i theta_i|^2 (Salimans et al. 2016, section 3.3) is added
to a player's loss. The theta_i are a player's parameters before its steps 1 to t, the
last of which is the step that is taken. Players who run in circles around a fixed point
are drawn to its middle.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int


class Past(NamedTuple):
    """The mean of a player's parameters before each of its steps.

    Attributes:
      steps: their number.
      mean: a tree like the parameters; zeros before the first step.
    """

    steps: Int[Array, ""]
    mean: Any


def historical_averaging(weight: float) -> optax.GradientTransformation:
    """Adds the gradient of weight * |theta - mean of the past|^2, for a fixed mean.

    The mean needs as much memory as the parameters, and is a part of the optimiser's
    state: so checkpoints have it, and only where the penalty is on.

    Args:
      weight: of the penalty, at least 0.
    """

    def init(params: Any) -> Past:
        return Past(jnp.zeros((), jnp.int32), jax.tree.map(jnp.zeros_like, params))

    def update(grads: Any, past: Past, params: Any = None) -> tuple[Any, Past]:
        steps = past.steps + 1
        share = 1.0 / steps.astype(jnp.float32)
        mean = jax.tree.map(
            lambda then, now: then + share * (now - then), past.mean, params
        )
        pulled = jax.tree.map(
            lambda grad, now, then: grad + 2.0 * weight * (now - then),
            grads,
            params,
            mean,
        )
        return pulled, Past(steps, mean)

    return optax.GradientTransformation(init, update)
