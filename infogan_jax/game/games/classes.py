"""The game in which D tells K classes of real images from each other and from G's.

D has K logits l_k. That of the further class "generated" is fixed at 0, because only
differences of logits count. With Z(x) = sum_k exp l_k,

    D(x) = Z/(Z + 1)  is the probability that x is real,
    p(y | x, real)    is softmax(l)_y

(Salimans et al. 2016, section 5). log Z is therefore the logit of "real". Labelled
images come in by the term of `game/labels.py`.
"""

from functools import cache

import jax.numpy as jnp
from jax.nn import logsumexp
from jaxtyping import Array, Float

from infogan_jax.game import game, losses
from infogan_jax.game.game import Bound, Game

Logits = Float[Array, "batch classes"]
Features = Float[Array, "batch features"]


def discriminator(real: Logits, generated: Logits) -> Float[Array, ""]:
    """Returns -1/2 E_P[log D] - 1/2 E_Q[log(1 - D)] in nats.

    It is half the loss of the paper's game, beside which labels have a weight of 1.
    """
    of_real, of_generated = logsumexp(real, axis=-1), logsumexp(generated, axis=-1)
    return 0.5 * game.cross_entropy(of_real, of_generated)


def match_features(real: Features, generated: Features) -> Float[Array, ""]:
    """Returns |E f(x) - E f(G)|^2 of the trunk's features f (section 3.1)."""
    apart = jnp.mean(real, axis=0) - jnp.mean(generated, axis=0)
    return jnp.sum(apart**2)


def _bound(real: Logits, generated: Logits) -> Float[Array, ""]:
    return losses.jsd_bound(logsumexp(real, axis=-1), logsumexp(generated, axis=-1))


@cache
def classes(count: int = 10) -> Game:
    """Returns the game of K = `count` classes and matched features."""
    return Game(
        discriminator,
        match_features,
        Bound("jsd_bound", _bound, game.JENSEN_SHANNON.formula, "nat"),
        outputs=count,
        compares="features",
        separated=0.0,
        classes=count,
    )
