"""The losses of the GAN as functions of D's logits, in nats per example.

D(x) = sigmoid(logit) is the probability that x is real. All formulas use
softplus(l) = -log sigmoid(-l), because its value and gradient are finite for any
finite logit.
"""

import math

import jax.numpy as jnp
from jax.nn import softplus
from jaxtyping import Array, Float


def binary_cross_entropy(
    logits: Float[Array, "*batch"], target: float
) -> Float[Array, "*batch"]:
    """Returns -[t log D + (1 - t) log(1 - D)] for a target t in [0, 1].

    t = 1 means "real" and t = 0 means "generated". t = 0.9 for real images is one-sided
    label smoothing (Salimans et al. 2016, section 3.4).
    """
    return target * softplus(-logits) + (1.0 - target) * softplus(logits)


def non_saturating_loss(logits: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Returns G's loss -log D(G(z, c)) (Goodfellow et al. 2014, section 3)."""
    return softplus(-logits)


def jsd_bound(
    real_logits: Float[Array, "n"], generated_logits: Float[Array, "m"]
) -> Float[Array, ""]:
    """Returns ln 2 + V / 2 nats, a lower bound of the Jensen-Shannon divergence.

    V = E_real[log D(x)] + E_generated[log(1 - D(x))]. The bound is 0 for a D that
    always answers 1/2, ln 2 = 0.693 for a perfect D, and negative for a D that is worse
    than guessing. It is tight for the optimal D.
    """
    value = -jnp.mean(softplus(-real_logits)) - jnp.mean(softplus(generated_logits))
    return math.log(2.0) + 0.5 * value
