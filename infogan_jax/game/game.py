"""A game of D and G as data: what each minimises, and what D certifies by it.

The paper's game is here. The others are in `game/games`, and a user's own joins their
table (`game/games/catalog.py`). In every game D and Q share the trunk, and both players
minimise their loss minus sum_i lambda_i L_I(c_i).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.game import losses
from infogan_jax.game.terms import Term

Outputs = Float[Array, "batch *d"]
"""D's outputs: [batch], or [batch, outputs] where D's head has several."""


@dataclass(frozen=True)
class Bound:
    """A lower bound of a divergence of real and generated images.

    Attributes:
      name: in the log: `jsd_bound`, or `divergence_bound/` and the divergence.
      value: returns it from D's outputs for real and for generated images.
      formula: the same in words, for the protocol of an evaluation.
      unit: `nat`, or `index` for a number without a unit.
    """

    name: str
    value: Callable[[Outputs, Outputs], Float[Array, ""]]
    formula: str
    unit: str = "index"


@dataclass(frozen=True)
class Game:
    """A game of D and G.

    Attributes:
      discriminator: D's loss, from D's outputs for real and for generated images. With
        `has_labels` it takes the label of real images as well.
      generator: G's loss, from D's outputs for generated images; with `compares`, from
        those for real and for generated images.
      bound: what D's outputs certify, for the log; None logs nothing.
      outputs: the number of outputs of D's head.
      has_labels: whether `objective.real_label` means something in this game.
      compares: what of the images the losses compare with each other; the whole batch
        is gathered from all devices for it. "outputs": those of D. "images": the
        pixels, flattened, in the place of D's outputs; the game has no D. "features":
        G's loss compares the trunk's, flattened, and D's is a mean of a function of one
        image. None: both losses are such means.
      separated: D's loss where it tells all images apart, if it has a least value; a
        run that stays near it is warned of.
      terms: what else a player wants, such as a gradient penalty.
      classes: the number of classes of real images that D's outputs tell apart, which
        it learns from labelled images; 0 where D learns from no label.
    """

    discriminator: Callable[..., Float[Array, ""]]
    generator: Callable[..., Float[Array, ""]]
    bound: Bound | None = None
    outputs: int = 1
    has_labels: bool = False
    compares: Literal["outputs", "images", "features"] | None = None
    separated: float | None = None
    terms: tuple[Term, ...] = ()
    classes: int = 0


def cross_entropy(
    real: Float[Array, "n"], generated: Float[Array, "m"], real_label: float = 1.0
) -> Float[Array, ""]:
    """Returns -V(D, G) in nats; a `real_label` below 1 is one-sided smoothing."""
    return jnp.mean(losses.binary_cross_entropy(real, real_label)) + jnp.mean(
        losses.binary_cross_entropy(generated, 0.0)
    )


def non_saturating(generated: Float[Array, "m"]) -> Float[Array, ""]:
    """Returns G's loss -E[log D(G(z, c))] in nats."""
    return jnp.mean(losses.non_saturating_loss(generated))


JENSEN_SHANNON = Bound("jsd_bound", losses.jsd_bound, "ln 2 + V/2", "nat")

NON_SATURATING = Game(
    cross_entropy, non_saturating, JENSEN_SHANNON, has_labels=True, separated=0.0
)
"""The paper's game (Goodfellow et al. 2014, section 3)."""


def _nothing(real: Outputs, generated: Outputs) -> Float[Array, ""]:
    return jnp.zeros(())


NO_GAME = Game(_nothing, _nothing, compares="images")
"""No D: both players want what the terms of the objective ask for, and L_I."""


def whole_batch(values: Float[Array, "..."], axis: str | None) -> Float[Array, "..."]:
    """Returns the rows of all devices, which share the batch over `axis`."""
    return values if axis is None else lax.all_gather(values, axis, tiled=True)
