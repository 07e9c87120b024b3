"""Information bounds on real images, an addition to equation 6 (docs/method.md).

Q sees a real image x and Tx, a small random transformation of it. The bound of a
categorical code is large if both have the same category. The bound of a continuous code
is large if the same T changes the code in the same way in every image. All values are
in nats.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.game.real_information.colours import Colours, recolour
from infogan_jax.game.real_information.transformations import (
    APPEARANCE_COLUMNS,
    DRAWN_NUMBERS,
    Transformation,
    transform,
)
from infogan_jax.game.terms import Metrics, Term, View
from infogan_jax.model import distributions, latents
from infogan_jax.model.code_kinds import Categorical, Normal
from infogan_jax.model.latents import Code, LatentSpec

TINY = 1e-6


@dataclass(frozen=True)
class RealInformation:
    """The bounds on real images that D and Q maximise; by default none.

    Attributes:
      weight: the weight of a categorical code's bound (`mi_bounds`), relative to the
        code's lambda; 0 is off.
      temperature: the temperature at which `mi_bounds` draws codes, in (0, 1].
      change_weight: the same weight for continuous codes (`change_bounds`); 0 is off.
      transformation: T, a random change of an image that keeps its category.
      colours: the change of light and colour that is a part of T.
      value_range: the lowest and the highest value of a pixel.
    """

    weight: float = 0.0
    temperature: float = 1.0
    change_weight: float = 0.0
    transformation: Transformation = Transformation()
    colours: Colours = Colours()
    value_range: tuple[float, float] = (0.0, 1.0)

    def terms(self) -> tuple[Term, ...]:
        """The term of D and Q's objective, or none if both weights are 0."""
        if not (self.weight or self.change_weight):
            return ()
        return (
            Term(
                "real_information",
                self.weighted_bounds,
                drawn_numbers=DRAWN_NUMBERS + self.colours.numbers,
                shows_images=True,
            ),
        )

    def weighted_bounds(self, view: View) -> tuple[Float[Array, ""], Metrics]:
        """Returns the weighted sum of the bounds, and each bound as a metric.

        D and Q see a third batch, the transformed real images. A bound of weight 0 is
        not computed.
        """
        assert view.real is not None  # D's step has real images
        moves = view.drawn[:, :DRAWN_NUMBERS]
        moved = transform(self.transformation, view.real.images, moves)
        if self.colours.numbers:
            changes = view.drawn[:, DRAWN_NUMBERS:]
            moved = recolour(self.colours, moved, changes, self.value_range)
        outputs, transformed = view.real.outputs, view.discriminate(moved).outputs
        spec, axis = view.spec, view.axis
        total = jnp.zeros(())
        metrics: Metrics = {}
        if self.weight:
            bounds = mi_bounds(spec, outputs, transformed, self.temperature, axis)
            total = total + self.weight * latents.weighted_sum(spec, bounds)
            metrics |= {f"real_mi_bound/{name}": b for name, b in bounds.items()}
        if self.change_weight:
            bounds = change_bounds(spec, outputs, transformed, moves, axis)
            total = total + self.change_weight * latents.weighted_sum(spec, bounds)
            metrics |= {f"change_bound/{name}": b for name, b in bounds.items()}
        return total, metrics


def mi_bounds(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    temperature: float = 1.0,
    axis: str | None = None,
) -> Metrics:
    """Returns L_I of each categorical code on real images, in nats.

    This is the bound of equation 5 for real images x. The code c is drawn from
    R(c | x), which is Q(c | x)^(1 / temperature) divided by its sum over c. The image
    is Tx in place of the generated image:

        H(c) + E_x E_{c ~ R(c|x)}[log Q(c | Tx)]  <=  I(c; Tx),

    where c has the marginal E_x R(c | x). The bound is at most ln(size). It reaches
    ln(size) if Q is certain, the categories are equally frequent among real images and
    T changes no category. In the second term R(c | x) stands for a code that has been
    drawn, so no gradient flows into it.

    A code with a parent has the bound of I(c; Tx | parent) of the same kind. The parent
    p is drawn from its own R(p | x), and then the code from R(c | x, p):

        H(c | p) + E_x E_{p, c}[log Q(c | Tx, p)].

    The bounds of both add up to one of I(c, p; Tx). No gradient flows into the draw of
    the parent, so that its children do not decide which images it takes.

    Args:
      spec: the codes.
      outputs: Q's outputs for the real images.
      transformed: Q's outputs for the same images after T.
      temperature: in (0, 1]. Below 1, R is more certain than Q, and Q becomes more
        certain. At 1, a Q with the same posterior for all images stays uncertain.
      axis: the device axis over which the marginal is averaged, if any.
    """
    before = latents.posterior(spec, outputs)
    after = latents.posterior(spec, transformed)
    mean = partial(batch_mean, axis=axis)
    bounds: Metrics = {}
    shares: dict[str, Array] = {}
    for code in spec.codes:
        q, q_after = before[code.name], after[code.name]
        if isinstance(q, Categorical) and isinstance(q_after, Categorical):
            if code.parent:
                bounds[code.name], shares[code.name] = _bound_within(
                    _all_logits(spec, code, outputs),
                    _all_logits(spec, code, transformed),
                    lax.stop_gradient(shares[code.parent]),
                    temperature,
                    mean,
                )
                continue
            probabilities = jax.nn.softmax(q.logits / temperature)
            log_q = jax.nn.log_softmax(q_after.logits)
            agreement = jnp.sum(lax.stop_gradient(probabilities) * log_q, axis=-1)
            entropy = distributions.entropy(mean(probabilities))
            bounds[code.name] = entropy + jnp.mean(agreement)
            shares[code.name] = probabilities
    return bounds


def _bound_within(
    logits: Float[Array, "batch blocks k"],
    transformed: Float[Array, "batch blocks k"],
    drawn: Float[Array, "batch blocks"],
    temperature: float,
    mean: Callable[[Array], Array],
) -> tuple[Float[Array, ""], Float[Array, "batch blocks_k"]]:
    """Returns the bound of a code within its parent, and R of the two together.

    Args:
      logits: Q's for the real images, in every block.
      transformed: the same for the images after T.
      drawn: R of the values of the parent, in whose blocks the code is.
      temperature: as in `mi_bounds`.
      mean: averages over the batch of all devices.
    """
    within = jax.nn.softmax(logits / temperature)
    log_q = jax.nn.log_softmax(transformed)
    agreement = jnp.sum(lax.stop_gradient(within) * log_q, axis=-1)
    joint = (drawn[:, :, None] * within).reshape(len(drawn), -1)
    entropy = distributions.entropy(mean(joint)) - distributions.entropy(mean(drawn))
    return entropy + jnp.mean(jnp.sum(drawn * agreement, axis=-1)), joint


def _all_logits(
    spec: LatentSpec, code: Code, outputs: Float[Array, "batch outputs"]
) -> Float[Array, "batch blocks k"]:
    """Returns Q's logits of a categorical code for every value of its parent."""
    own = next(own for each, own in latents.split(spec, outputs) if each is code)
    return own.reshape(len(outputs), spec.blocks(code), -1)


def change_bounds(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    transformed: Float[Array, "batch outputs"],
    drawn: Float[Array, "batch 7"],
    axis: str | None = None,
) -> Metrics:
    """Estimates each continuous code's information about T, in nats.

    T changes the posterior mean of a code by d = mean(Tx) - mean(x). Let t be the
    numbers that define T's rotation, shear, scales and stroke, let u be t along the
    direction of E[t d], and let r^2 be the share of Var(d) that is linear in u. A
    linear Gaussian Q(u | d) then gives

        -1/2 ln(1 - r^2).

    It differs from a bound by equation 5 on I(u; d) in two ways. It leaves out a
    constant of at most 0.18 nats that depends only on the distribution of u. Its slopes
    are fitted to the batch that it is measured on: a code that does not follow T has
    0.019 nats at batch 128, at the mean. It is large if the same T changes the
    code in the same way in every image. An example of a small r^2 is a code that slants
    a seven to the right but a four to the left: the same T raises the code of one image
    and lowers that of the other. The shift is not in t, so a code that follows the
    shift only has a larger error.

    A code with a parent has no such bound: it may mean another thing in each value of
    the parent, so that nothing asks it to change in the same way in every image.

    For each code, the directions of earlier codes are projected out of u, so that two
    codes do not follow the same one. t has 5 dimensions: a sixth code has none left.

    Args:
      spec: the codes.
      outputs: Q's outputs for the real images.
      transformed: Q's outputs for the same images after T.
      drawn: the numbers from U(-1, 1) that define T for each image.
      axis: the device axis over which moments are averaged, if any.
    """
    before = latents.posterior(spec, outputs)
    after = latents.posterior(spec, transformed)
    mean = partial(batch_mean, axis=axis)
    # Products rounded to bfloat16, as on a TPU, would leave directions not orthogonal.
    with jax.default_matmul_precision("highest"):
        t = drawn[:, APPEARANCE_COLUMNS]
        directions: list[Array] = []
        bounds: Metrics = {}
        for name in (code.name for code in spec.continuous):
            q, q_after = before[name], after[name]
            if isinstance(q, Normal) and isinstance(q_after, Normal):
                change = q_after.mean - q.mean
                change = change - mean(change)
                slopes = 3.0 * mean(t * change[:, None])
                error = mean((change - t @ slopes) ** 2)
                own = slopes
                for direction in directions:
                    own = own - (own @ direction) * direction
                share = (own @ own) / (slopes @ slopes + 3.0 * (error + TINY))
                bounds[name] = -0.5 * jnp.log1p(-jnp.minimum(share, 1.0 - TINY))
                directions.append(
                    lax.stop_gradient(own / jnp.sqrt(own @ own + TINY**2))
                )
    return bounds


def batch_mean(values: Array, axis: str | None) -> Array:
    """Returns the average over the batch of all devices."""
    local = jnp.mean(values, axis=0)
    return local if axis is None else lax.pmean(local, axis)
