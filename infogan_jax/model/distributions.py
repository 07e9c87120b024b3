"""Log densities and entropies, in nats, and random variables made from uniform ones.

Densities take unnormalised inputs (logits, a log standard deviation). Their values and
gradients therefore stay finite where probabilities would round to 0 or 1: logits of
+-1e4 are safe in float32.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, Key

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_SMALLEST = 1e-30  # its logarithm is finite in float32
_ABOVE_MINUS_ONE = float(np.nextafter(np.float32(-1.0), np.float32(0.0)))


def draw_uniform(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "*shape"]:
    """Draws numbers from U(-1, 1), never -1 or 1 itself."""
    return jax.random.uniform(key, shape, minval=_ABOVE_MINUS_ONE)


def standard_normal(uniform: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Returns an N(0, 1) variable for each U(-1, 1) one, by the inverse normal CDF.

    In float32 it lies between -5.4 and 5.4.
    """
    return math.sqrt(2.0) * lax.erf_inv(uniform)


def category(uniform: Float[Array, "*shape"], size: int) -> Int[Array, "*shape"]:
    """Returns a category in 0 .. size - 1, all equally likely, for each of U(-1, 1)."""
    index = jnp.floor((uniform + 1.0) / 2.0 * size).astype(jnp.int32)
    return jnp.minimum(index, size - 1)


def categorical_log_prob(
    logits: Float[Array, "*batch k"], index: Int[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """Returns the log probability of `index` under softmax(`logits`), in nats, <= 0.

    The softmax is applied here and nowhere else.
    """
    chosen = jnp.take_along_axis(logits, index[..., None], axis=-1)[..., 0]
    return chosen - jax.nn.logsumexp(logits, axis=-1)


def normal_log_prob(
    value: Float[Array, "*batch"],
    mean: Float[Array, "*batch"],
    log_sd: Float[Array, "*batch"],
) -> Float[Array, "*batch"]:
    """Returns the log density of N(`mean`, exp(`log_sd`)^2) at `value`, in nats."""
    standardised = (value - mean) * jnp.exp(-log_sd)
    return -0.5 * jnp.square(standardised) - log_sd - _HALF_LOG_TWO_PI


def von_mises_log_prob(
    value: Float[Array, "*batch"],
    direction: Float[Array, "*batch 2"],
    log_sd: Float[Array, "*batch"],
) -> Float[Array, "*batch"]:
    """Returns the log density of a von Mises distribution at `value`, in nats.

    It is exp(k cos(value - mean)) / (2 pi I_0(k)) for an angle in radians. With a
    concentration k = exp(-2 log_sd) that is large it is nearly a normal distribution of
    that standard deviation; with k = 0 all angles are equally likely.

    Args:
      value: the angle, in radians.
      direction: the cosine and the sine of the mean.
      log_sd: the logarithm of 1 / sqrt(k).
    """
    concentration = jnp.exp(-2.0 * log_sd)
    towards = jnp.cos(value) * direction[..., 0] + jnp.sin(value) * direction[..., 1]
    scale = jnp.log(2.0 * math.pi * lax.bessel_i0e(concentration))
    return concentration * (towards - 1.0) - scale


def entropy(probabilities: Float[Array, "k"]) -> Float[Array, ""]:
    """Returns a categorical distribution's entropy in nats, 0 to ln(k); 0 log 0 = 0."""
    logs = jnp.log(jnp.maximum(probabilities, _SMALLEST))
    return -jnp.sum(probabilities * logs)


def categorical_entropy(size: int) -> float:
    """Returns the entropy of `size` equally likely categories: ln(size) nats."""
    return math.log(size)


def uniform_entropy(low: float = -1.0, high: float = 1.0) -> float:
    """Returns the differential entropy of U(`low`, `high`): ln(high - low) nats."""
    return math.log(high - low)


def angle_entropy() -> float:
    """Returns the differential entropy of a uniform angle: ln(2 pi) = 1.838 nats."""
    return math.log(2.0 * math.pi)


def normal_entropy(sd: float = 1.0) -> float:
    """Returns the differential entropy of a normal of deviation `sd`, in nats."""
    return 0.5 + _HALF_LOG_TWO_PI + math.log(sd)
