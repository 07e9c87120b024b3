"""Games in which D tells real from generated images, as a classifier of two classes.

D's loss has a least value, which gives a bound of a divergence.
"""

import math
from functools import cache

import jax.numpy as jnp
from jax.nn import relu, softplus
from jaxtyping import Array, Float

from infogan_jax.game import game
from infogan_jax.game.game import Bound, Game

Outputs = Float[Array, "batch"]
Loss = Float[Array, ""]


def _saturating(generated: Outputs) -> Loss:
    """Returns E[log(1 - D(G(z, c)))], which is V's part that depends on G."""
    return -jnp.mean(softplus(generated))


SATURATING = Game(
    game.cross_entropy,
    _saturating,
    game.JENSEN_SHANNON,
    has_labels=True,
    separated=0.0,
)
"""The paper's equation 1 as it is printed: G minimises V itself."""


@cache
def jensen_shannon(share: float = 0.5) -> Game:
    """Returns the game of the Jensen-Shannon divergence with a share of real images.

    With M = share P + (1 - share) Q for real images P and generated ones Q,

        share KL(P||M) + (1 - share) KL(Q||M)

    is the information between an image of M and the answer to "is it real?". D's loss
    is twice the mean cross-entropy of this answer. At a share of 1/2 the game is the
    paper's.

    Args:
      share: in (0, 1).
    """
    entropy = -share * math.log(share) - (1.0 - share) * math.log1p(-share)

    def discriminator(real: Outputs, generated: Outputs) -> Loss:
        of_real, of_generated = softplus(-real), softplus(generated)
        error = share * jnp.mean(of_real) + (1.0 - share) * jnp.mean(of_generated)
        return 2.0 * error

    def bound(real: Outputs, generated: Outputs) -> Loss:
        return entropy - 0.5 * discriminator(real, generated)

    name = "jsd_bound" if share == 0.5 else "divergence_bound/jensen_shannon"
    formula = f"H(s) - E[-log p(s|x)], {share:g} of the images real"
    certified = Bound(name, bound, formula, "nat")
    return Game(discriminator, game.non_saturating, certified, separated=0.0)


def _hinge(real: Outputs, generated: Outputs) -> Loss:
    return jnp.mean(relu(1.0 - real)) + jnp.mean(relu(1.0 + generated))


def _minus_mean(generated: Outputs) -> Loss:
    return -jnp.mean(generated)


HINGE = Game(
    _hinge,
    _minus_mean,
    Bound(
        "divergence_bound/total_variation",
        lambda real, generated: 1.0 - 0.5 * _hinge(real, generated),
        "1 - loss of D / 2",
    ),
    separated=0.0,
)
"""D's least loss is 2 - 2 TV(P, Q) (Lim and Ye 2017; Miyato et al. 2018)."""


def _least_squares(real: Outputs, generated: Outputs, real_label: float = 1.0) -> Loss:
    errors = jnp.mean((real - real_label) ** 2) + jnp.mean(generated**2)
    return 0.5 * errors


def _least_squares_generator(generated: Outputs) -> Loss:
    return 0.5 * jnp.mean((generated - 1.0) ** 2)


LEAST_SQUARES = Game(
    _least_squares,
    _least_squares_generator,
    Bound(
        "divergence_bound/le_cam",
        lambda real, generated: 1.0 - 4.0 * _least_squares(real, generated),
        "1 - 4 loss of D",
    ),
    has_labels=True,
    separated=0.0,
)
"""Labels 1 and 0 (Mao et al. 2017, equation 9).

The optimal D is p/(p + q), and the divergence is that of Le Cam, 1/2 sum (p - q)^2 /
(p + q), which is at most 1.
"""
