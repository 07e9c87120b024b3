"""What Q is to say of real images, which equation 6 does not look at: beyond the paper.

Q reads a real image x and Tx, a small transformation of it. A category is to be the
same in both; a continuous code is to move as T says, alike in every image. All values
are in nats (docs/method.md).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax import distributions, latents
from infogan_jax.algorithm import Algorithm
from infogan_jax.augment import SEEN
from infogan_jax.latents import Categorical, LatentSpec, Normal
from infogan_jax.objective import Metrics, weighted_information

TINY = 1e-6


def weigh(
    algorithm: Algorithm,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    draws: Float[Array, "batch 7"],
    axis: str | None,
) -> tuple[Float[Array, ""], Metrics]:
    """What D and Q maximise of both kinds of bound, and each bound by name.

    A bound of weight 0 is not computed.
    """
    spec, total = algorithm.spec, jnp.zeros(())
    named: Metrics = {}
    if weight := algorithm.real_information:
        bounds = mi_bounds(spec, outputs, transformed, algorithm.real_temperature, axis)
        total = total + weight * weighted_information(spec, bounds)
        named |= {f"real_mi_bound/{name}": bound for name, bound in bounds.items()}
    if weight := algorithm.real_change:
        bounds = change_bounds(spec, outputs, transformed, draws, axis)
        total = total + weight * weighted_information(spec, bounds)
        named |= {f"change_bound/{name}": bound for name, bound in bounds.items()}
    return total, named


def mi_bounds(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    temperature: float = 1.0,
    axis: str | None = None,
) -> Metrics:
    """L_I of each categorical code on real images, in nats.

    The bound of equation 5 with a real image x in the generator's place: the code is
    drawn from R(c | x), which is Q(c | x)^(1 / temperature) over its sum, the picture
    that is to show it is Tx, a small transformation of x, and Q reads it back,

        H(c) + E_x E_{c ~ R(c|x)}[log Q(c | Tx)]  <=  I(c; Tx),

    where c has the marginal E_x R(c | x). It is at most ln(size), and full where the
    categories are equally frequent among real images and hold under T. In the second
    term R(c | x) is the code that was drawn: no gradient flows into it.

    Args:
      spec: the codes.
      outputs: Q's, of the real images.
      transformed: Q's, of the same images after T.
      temperature: in (0, 1]. Below 1, Q is drawn from as if it were surer than it is,
        and becomes so; at 1 a Q that reads every image alike has no reason to change.
      axis: the device axis over which the marginal is averaged, if any.
    """
    drawn, read = latents.unpack(spec, outputs), latents.unpack(spec, transformed)
    mean = _mean_over(axis)
    bounds: Metrics = {}
    for name, first in drawn.items():
        again = read[name]
        if isinstance(first, Categorical) and isinstance(again, Categorical):
            probabilities = jax.nn.softmax(first.logits / temperature)
            log_q = jax.nn.log_softmax(again.logits)
            agreement = jnp.sum(lax.stop_gradient(probabilities) * log_q, axis=-1)
            entropy = distributions.entropy(mean(probabilities))
            bounds[name] = entropy + jnp.mean(agreement)
    return bounds


def change_bounds(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    draws: Float[Array, "batch 7"],
    axis: str | None = None,
) -> Metrics:
    """What the change of each continuous code tells of T, in nats.

    Under T the mean that Q reads of a code changes by d = mean(Tx) - mean(x). Of the
    numbers t that T was drawn by, for lean, size and stroke, d follows one direction u,
    that of E[t d]; a linear reader with Gaussian errors learns from d

        -1/2 ln(1 - r^2),  r^2 = the share of Var(d) that is linear in u,

    nats of u: what equation 5 certifies of I(u; d), but for a constant of at most 0.18
    that knows only how u is distributed. It is large where T moves the code alike in
    every image. A code that leans a seven to the right and a four to the left is moved
    by the same T up and down: it tells nothing. Place is not among t, so that it is an
    error like any other: what a picture shows does not depend on its frame.

    A later code is credited only with what is orthogonal to the directions of the
    earlier ones, so that two codes do not follow the same; a sixth finds none left.

    Args:
      spec: the codes.
      outputs: Q's, of the real images.
      transformed: Q's, of the same images after T.
      draws: what T was drawn by, U(-1, 1) (`augment.DRAWS`).
      axis: the device axis over which moments are averaged, if any.
    """
    before, after = latents.unpack(spec, outputs), latents.unpack(spec, transformed)
    mean, t = _mean_over(axis), draws[:, SEEN]
    taken: list[Array] = []
    bounds: Metrics = {}
    for name, first in before.items():
        again = after[name]
        if isinstance(first, Normal) and isinstance(again, Normal):
            change = again.mean - first.mean
            change = change - mean(change)
            slopes = 3.0 * mean(t * change[:, None])
            errors = mean((change - t @ slopes) ** 2)
            own = slopes
            for direction in taken:
                own = own - (own @ direction) * direction
            told = (own @ own) / (slopes @ slopes + 3.0 * (errors + TINY))
            bounds[name] = -0.5 * jnp.log1p(-jnp.minimum(told, 1.0 - TINY))
            taken.append(lax.stop_gradient(own / jnp.sqrt(own @ own + TINY**2)))
    return bounds


def _mean_over(axis: str | None) -> Callable[[Array], Array]:
    """The mean over the batch, on all devices."""

    def mean(values: Array) -> Array:
        local = jnp.mean(values, axis=0)
        return local if axis is None else lax.pmean(local, axis)

    return mean
