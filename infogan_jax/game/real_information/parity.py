"""Codes that are even or odd: what a mirror does to the codes of a real image.

A mirror changes the sign of some of what varies in images, such as an azimuth or the
side of the light, and leaves the rest as it is, such as an elevation. Continuous codes
are asked to be of one kind or the other, so that no code mixes the two. How many codes
are odd is chosen; what they mean is not.
"""

from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.real_information.bounds import TINY, batch_mean
from infogan_jax.game.terms import Metrics, Term, View
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import (
    Categorical,
    ContinuousPosterior,
    VonMises,
)
from infogan_jax.model.latents import LatentSpec


@dataclass(frozen=True)
class Parity:
    """The correlations that D and Q maximise; by default none.

    Attributes:
      weight: of each continuous code's correlation, relative to the code's lambda; 0
        is off.
      odd: how many continuous codes are odd, the last ones; the others are even.
    """

    weight: float = 0.0
    odd: int = 0

    def terms(self) -> tuple[Term, ...]:
        """The term of D and Q's objective, or none if the weight is 0."""
        if not self.weight:
            return ()
        return (Term("parity", self.weighted_correlations, shows_images=True),)

    def weighted_correlations(self, view: View) -> tuple[Float[Array, ""], Metrics]:
        """Returns the weighted sum of the correlations, and each as a metric.

        D and Q see one more batch, the mirrored real images.
        """
        assert view.real is not None  # D's step has real images
        mirrored = view.discriminate(view.real.images[:, :, ::-1]).outputs
        found = correlations(
            view.spec, view.real.outputs, mirrored, self.odd, view.axis
        )
        metrics = {f"parity/{name}": value for name, value in found.items()}
        return self.weight * latents.weighted_sum(view.spec, found), metrics


def correlations(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    mirrored: Float[Array, "batch outputs"],
    odd: int,
    axis: str | None = None,
) -> Metrics:
    """Returns for each code the correlation of an image's with its mirror image's.

    The codes are the continuous ones without a parent. One with a parent may mean
    something even in one value of the parent, and something odd in another.

    They are correlations of Q's means over all images, in [-1, 1]; an odd code's is
    that with the negative. 1 is a code that is even or odd as it should be. A mixture
    of an even and an odd factor has less, by its share of the wrong one: of
    a even + b odd it is (a^2 - b^2) / (a^2 + b^2) for factors of one variance.

    An angle's is the mean of two correlations, of its cosine and of its sine. A mirror
    changes the sign of an odd angle, and so the sign of its sine alone.

    The information -1/2 ln(1 - r^2) in their place grows without end where Q is
    certain; it was tried (docs/trials/faces.md).

    Args:
      spec: the codes.
      outputs: Q's outputs for the real images.
      mirrored: Q's outputs for the same images, left and right exchanged.
      odd: how many continuous codes are odd, the last ones.
      axis: the device axis over which moments are averaged, if any.
    """
    before = latents.posterior(spec, outputs)
    after = latents.posterior(spec, mirrored)
    mean = partial(batch_mean, axis=axis)
    count = len(spec.continuous)
    found: Metrics = {}
    for place, code in enumerate(spec.continuous):
        pair = (_coordinates(q[code.name]) for q in (before, after))
        own, other = (each - mean(each)[None] for each in pair)
        scale = jnp.sqrt(mean(own**2) * mean(other**2) + TINY**2)
        signs = jnp.ones(own.shape[1])
        if place >= count - odd:
            signs = signs.at[-1].set(-1.0)
        found[code.name] = jnp.mean(signs * mean(own * other) / scale)
    return found


def _coordinates(
    q: Categorical | ContinuousPosterior,
) -> Float[Array, "batch coordinates"]:
    """Returns the numbers that are even or odd: cosine and sine of an angle's mean."""
    assert not isinstance(q, Categorical)
    return q.direction if isinstance(q, VonMises) else q.mean[:, None]
