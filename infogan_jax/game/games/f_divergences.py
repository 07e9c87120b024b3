"""The f-divergences and their games (Nowozin et al. 2016).

For a convex f and any function T of an image,

    D_f(P||Q) = E_Q[f(p/q)]  >=  E_P[T(x)] - E_Q[f*(T(x))],

with equality at T = f'(p/q). T is a function of D's output v that keeps it where f* is
finite (their table 2). D maximises the right side. G maximises E_Q[T(x)], which is
their section 3.2: this has the fixed point of minimising the right side, and the
gradient does not vanish where D is certain that an image is generated.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.game import Bound, Game

Values = Float[Array, "*batch"]
Function = Callable[[Values], Values]

LIMIT = 20.0
"""Where the exponential goes on as its tangent, so that gradients stay finite."""


def game(
    name: str,
    t: Function,
    conjugate: Function,
    *,
    unit: str = "index",
    largest: float | None = None,
) -> Game:
    """Returns the game of an f-divergence.

    Args:
      name: of the divergence.
      t: T, from D's outputs.
      conjugate: f*(T), from D's outputs.
      unit: of the divergence.
      largest: value of the divergence, of two distributions without a common image.
    """

    def discriminator(real: Values, generated: Values) -> Float[Array, ""]:
        return jnp.mean(conjugate(generated)) - jnp.mean(t(real))

    def bound(real: Values, generated: Values) -> Float[Array, ""]:
        """Every T gives a lower bound: this one is within the limits of `_exp`."""
        within = (jnp.clip(each, -LIMIT, LIMIT) for each in (real, generated))
        return -discriminator(*within)

    return Game(
        discriminator,
        lambda generated: -jnp.mean(t(generated)),
        Bound(f"divergence_bound/{name}", bound, "E_P[T] - E_Q[f*(T)]", unit),
        separated=None if largest is None else -largest,
    )


def _exp(v: Values) -> Values:
    return jnp.exp(jnp.minimum(v, LIMIT)) * (1.0 + jnp.maximum(v - LIMIT, 0.0))


KL = game("kl", lambda v: v, lambda v: _exp(v - 1.0), unit="nat")
"""sum p log(p/q); the optimal output is 1 + log(p/q)."""

REVERSE_KL = game("reverse_kl", lambda v: -_exp(-v), lambda v: v - 1.0, unit="nat")
"""sum q log(q/p); the optimal output is log(p/q)."""

PEARSON = game("pearson", lambda v: v, lambda v: v**2 / 4.0 + v)
"""sum (p - q)^2 / q; the optimal output is 2 (p/q - 1)."""

SQUARED_HELLINGER = game(
    "squared_hellinger",
    lambda v: 1.0 - _exp(-v),
    lambda v: _exp(v) - 1.0,
    largest=2.0,
)
"""sum (sqrt(p) - sqrt(q))^2; the optimal output is 1/2 log(p/q)."""

TOTAL_VARIATION = game(
    "total_variation",
    lambda v: 0.5 * jnp.tanh(v),
    lambda v: 0.5 * jnp.tanh(v),
    largest=1.0,
)
"""1/2 sum |p - q|; D's output should be large with the sign of p - q."""
