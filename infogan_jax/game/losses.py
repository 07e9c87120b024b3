"""The GAN's loss formulas, from logits, in nats per example.

D(x) = sigmoid(logit) is the probability that x is real. Every formula is built
from softplus(l) = -log sigmoid(-l), whose value and gradient are finite for any
finite logit.
"""

import math

import jax.numpy as jnp
from jax.nn import softplus
from jaxtyping import Array, Float


def binary_cross_entropy(
    logits: Float[Array, "*batch"], target: float
) -> Float[Array, "*batch"]:
    """-[t log D + (1 - t) log(1 - D)] for a target t in [0, 1].

    t = 1 is "real", t = 0 is "generated", t = 0.9 is one-sided label smoothing
    (Salimans et al. 2016, section 3.4).
    """
    return target * softplus(-logits) + (1.0 - target) * softplus(logits)


def non_saturating_loss(logits: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """The generator's loss -log D(G(z, c)) (Goodfellow et al. 2014, section 3)."""
    return softplus(-logits)


def jsd_bound(
    real_logits: Float[Array, "n"], generated_logits: Float[Array, "m"]
) -> Float[Array, ""]:
    """ln 2 + V(D, G) / 2 in nats: a lower bound of the Jensen-Shannon divergence.

    V = E_real[log D(x)] + E_generated[log(1 - D(x))]. 0 where D cannot tell the
    two apart, ln 2 = 0.693 where it tells them apart perfectly, negative where D
    is worse than a guess. The bound is tight for the optimal D.
    """
    value = -jnp.mean(softplus(-real_logits)) - jnp.mean(softplus(generated_logits))
    return math.log(2.0) + 0.5 * value
