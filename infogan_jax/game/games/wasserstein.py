"""The Wasserstein game with a gradient penalty (Gulrajani et al. 2017)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.game import Bound, Game
from infogan_jax.game.games.penalties import gradient_term

Outputs = Float[Array, "batch"]


def _difference(real: Outputs, generated: Outputs) -> Float[Array, ""]:
    return jnp.mean(real) - jnp.mean(generated)


WASSERSTEIN = Game(
    lambda real, generated: -_difference(real, generated),
    lambda generated: -jnp.mean(generated),
    Bound(
        "divergence_bound/wasserstein",
        _difference,
        "E_P[D] - E_Q[D], a bound of the distance in pixels if D has a slope up to 1",
    ),
    terms=(gradient_term(lambda view: view.judge, 10.0),),
)
"""The distance is that of moving images, |x - y| in the networks' range. D is held near
the slope 1 by its penalty, so the bound is one as far as it is 0."""
