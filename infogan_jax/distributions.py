"""Log densities and entropies, in nats.

Everything starts from unnormalised quantities (logits, a log standard
deviation), so that values and gradients stay finite where probabilities would
round to 0 or 1: logits of +-1e4 are safe in float32.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_SMALLEST = 1e-30  # whose logarithm is finite in float32


def categorical_log_prob(
    logits: Float[Array, "*batch k"], index: Int[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """Log probability of category `index` under softmax(`logits`), in nats, <= 0.

    The softmax is applied here and nowhere else.
    """
    chosen = jnp.take_along_axis(logits, index[..., None], axis=-1)[..., 0]
    return chosen - jax.nn.logsumexp(logits, axis=-1)


def normal_log_prob(
    value: Float[Array, "*batch"],
    mean: Float[Array, "*batch"],
    log_sd: Float[Array, "*batch"],
) -> Float[Array, "*batch"]:
    """Log density of N(`mean`, exp(`log_sd`)^2) at `value`, in nats."""
    standardised = (value - mean) * jnp.exp(-log_sd)
    return -0.5 * jnp.square(standardised) - log_sd - _HALF_LOG_TWO_PI


def entropy(probabilities: Float[Array, "k"]) -> Float[Array, ""]:
    """Entropy of a categorical distribution in nats, 0 to ln(k); 0 log 0 = 0."""
    logs = jnp.log(jnp.maximum(probabilities, _SMALLEST))
    return -jnp.sum(probabilities * logs)


def categorical_entropy(size: int) -> float:
    """Entropy of the uniform distribution over `size` categories: ln(size) nats."""
    return math.log(size)


def uniform_entropy(low: float = -1.0, high: float = 1.0) -> float:
    """Differential entropy of U(`low`, `high`): ln(high - low) nats."""
    return math.log(high - low)


def normal_entropy(sd: float = 1.0) -> float:
    """Differential entropy of a normal with standard deviation `sd`, in nats."""
    return 0.5 + _HALF_LOG_TWO_PI + math.log(sd)
