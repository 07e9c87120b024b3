"""Bounds on real images, which equation 6 does not look at (docs/method.md).

Q reads a real image x and Tx, a small transformation of it. A category is to be the
same for both. A continuous code is to change as T does, alike in every image. All
values are in nats.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.game.real_information.transformations import (
    APPEARANCE_COLUMNS,
    Transformation,
)
from infogan_jax.model import distributions, latents
from infogan_jax.model.latents import Categorical, LatentSpec, Normal

TINY = 1e-6

Metrics = dict[str, Float[Array, ""]]


@dataclass(frozen=True)
class RealInformation:
    """Which bounds on real images D and Q maximise; by default none.

    Attributes:
      weight: of the bound of a categorical code (`mi_bounds`), relative to its lambda;
        0 is off.
      temperature: at which that bound draws its codes, in (0, 1].
      change_weight: the same weight for continuous codes (`change_bounds`); 0 is off.
      transformation: T, under which a category is to stay the same.
    """

    weight: float = 0.0
    temperature: float = 1.0
    change_weight: float = 0.0
    transformation: Transformation = Transformation()

    @property
    def is_on(self) -> bool:
        """Whether D and Q see a third batch, of transformed real images."""
        return self.weight > 0 or self.change_weight > 0


def weighted_bounds(
    spec: LatentSpec,
    real_information: RealInformation,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    drawn: Float[Array, "batch 7"],
    axis: str | None,
) -> tuple[Float[Array, ""], Metrics]:
    """Returns the weighted sum that D and Q maximise, and each bound by its name.

    A bound of weight 0 is not computed.

    Args:
      spec: the codes.
      real_information: weights and temperature.
      outputs: Q's, of the real images.
      transformed: Q's, of the same images after T.
      drawn: the numbers from U(-1, 1) that T was drawn by.
      axis: the device axis over which the batch is spread, if any.
    """
    total = jnp.zeros(())
    metrics: Metrics = {}
    if weight := real_information.weight:
        bounds = mi_bounds(
            spec, outputs, transformed, real_information.temperature, axis
        )
        total = total + weight * latents.weighted_sum(spec, bounds)
        metrics |= {f"real_mi_bound/{name}": bound for name, bound in bounds.items()}
    if weight := real_information.change_weight:
        bounds = change_bounds(spec, outputs, transformed, drawn, axis)
        total = total + weight * latents.weighted_sum(spec, bounds)
        metrics |= {f"change_bound/{name}": bound for name, bound in bounds.items()}
    return total, metrics


def mi_bounds(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    temperature: float = 1.0,
    axis: str | None = None,
) -> Metrics:
    """Returns L_I of each categorical code on real images, in nats.

    This is the bound of equation 5 with a real image x in the generator's place. The
    code is drawn from R(c | x), which is Q(c | x)^(1 / temperature) over its sum. The
    image that is to show it is Tx, a small transformation of x, and Q reads it back:

        H(c) + E_x E_{c ~ R(c|x)}[log Q(c | Tx)]  <=  I(c; Tx),

    where c has the marginal E_x R(c | x). It is at most ln(size). It reaches that where
    the categories are equally frequent among real images and T changes none. In the
    second term R(c | x) stands for a code that was drawn: no gradient flows into it.

    Args:
      spec: the codes.
      outputs: Q's, of the real images.
      transformed: Q's, of the same images after T.
      temperature: in (0, 1]. Below 1 the code is drawn as if Q were surer than it is,
        and Q becomes surer. At 1 a Q that gives every image the same posterior has no
        reason to change.
      axis: the device axis over which the marginal is averaged, if any.
    """
    before, after = (
        latents.posterior(spec, outputs),
        latents.posterior(spec, transformed),
    )
    mean = _mean_over(axis)
    bounds: Metrics = {}
    for name, first in before.items():
        again = after[name]
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
    drawn: Float[Array, "batch 7"],
    axis: str | None = None,
) -> Metrics:
    """Returns how much the change of each continuous code says about T, in nats.

    Under T the posterior mean of a code changes by d = mean(Tx) - mean(x). T was drawn
    by numbers t, of which those for rotation, shear, scale and stroke count. In them d
    follows one direction u, that of E[t d]. With r^2 the share of Var(d) that is linear
    in u, a linear reader with Gaussian errors learns from d

        -1/2 ln(1 - r^2)

    nats about u. This is what equation 5 certifies of I(u; d), but for a constant of at
    most 0.18 that depends only on the distribution of u. It is large where T changes
    the code alike in every image. A code that leans a seven to the right and a four to
    the left is moved up in one and down in the other by the same T, and r^2 is small.
    The shift is not among t: a code that follows it only has larger errors.

    A later code is credited only with what is orthogonal to the directions of the
    earlier ones, so that two codes do not follow the same; a sixth finds none left.

    Args:
      spec: the codes.
      outputs: Q's, of the real images.
      transformed: Q's, of the same images after T.
      drawn: the numbers from U(-1, 1) that T was drawn by.
      axis: the device axis over which moments are averaged, if any.
    """
    before, after = (
        latents.posterior(spec, outputs),
        latents.posterior(spec, transformed),
    )
    mean, t = _mean_over(axis), drawn[:, APPEARANCE_COLUMNS]
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
            share = (own @ own) / (slopes @ slopes + 3.0 * (errors + TINY))
            bounds[name] = -0.5 * jnp.log1p(-jnp.minimum(share, 1.0 - TINY))
            taken.append(lax.stop_gradient(own / jnp.sqrt(own @ own + TINY**2)))
    return bounds


def _mean_over(axis: str | None) -> Callable[[Array], Array]:
    """Returns a function that averages over the batch on all devices."""

    def mean(values: Array) -> Array:
        local = jnp.mean(values, axis=0)
        return local if axis is None else lax.pmean(local, axis)

    return mean
