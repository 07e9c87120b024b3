"""Terms that a player maximises besides equation 6, each with a weight of its own.

The paper's game has none. The bounds on real images and the parity of codes are such
terms (`game/real_information`), gradient penalties are others
(`game/games/penalties.py`), and a user's own are passed to `experiment.build`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Array, Float

from infogan_jax.model.convolutions import Images
from infogan_jax.model.latents import Codes, LatentSpec
from infogan_jax.model.networks import Variables

Metrics = dict[str, Float[Array, ""]]
"""What a step logs, by name."""

Player = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class Shown:
    """Images of one batch, and what D and Q say of them after the instance noise.

    Attributes:
      images: without instance noise, in the networks' range.
      logits: D's outputs, in the paper's game the logits of "real".
      outputs: Q's outputs, which `latents.posterior` understands.
      stats: the batch statistics of all networks afterwards.
      features: the last layer of the trunk that D and Q share.
    """

    images: Images
    logits: Float[Array, "batch *d"]
    outputs: Float[Array, "batch outputs"]
    stats: Variables
    features: Array | None = None


@dataclass(frozen=True)
class View:
    """What a term sees of one player's step.

    Attributes:
      spec: the codes.
      codes: those of the generated images.
      generated: the generated images.
      real: the real images; in G's step only for a term with `shows_real`, else None.
      drawn: the term's own numbers from U(-1, 1), `drawn_numbers` for each example.
      discriminate: shows D and Q further images, with instance noise of their own:
        images -> `Shown`. Only a term with `shows_images` may call it, and once.
      judge: D's outputs for such images, with the same noise, but by the running
        averages of batch norm. An output then depends on its own image alone, and has
        a gradient with respect to it.
      axis: the device axis over which the batch is split, if any.
      pick: draws labelled training images by numbers from U(-1, 1), one for each: the
        images, and their classes, one-hot. None in G's step, and where training uses
        no labels.
      generate: G's images of packed latents, normalised as a batch of their own. They
        have a gradient with respect to the latents, and in G's step to its parameters.
    """

    spec: LatentSpec
    codes: Codes
    generated: Shown
    real: Shown | None
    drawn: Float[Array, "batch _"]
    discriminate: Callable[[Images], Shown]
    judge: Callable[[Images], Float[Array, "batch *d"]]
    axis: str | None
    pick: Callable[[Array], tuple[Images, Float[Array, "batch classes"]]] | None = None
    generate: Callable[[Float[Array, "batch inputs"]], Images] | None = None


@dataclass(frozen=True)
class Term:
    """One more weighted term of a player's objective.

    Attributes:
      name: unique; `stats.jsonl` has the term's metrics.
      value: returns the value that the player maximises, and metrics to log. It is
        differentiated with respect to the player's parameters.
      weight: by which the value is multiplied.
      player: who maximises it: `discriminator` (D, Q and the trunk) or `generator`.
      drawn_numbers: how many random numbers the term needs for each example.
      shows_images: whether the term shows D further images.
      shows_real: whether a term of G needs the real images, which D sees again then.
    """

    name: str
    value: Callable[[View], tuple[Float[Array, ""], Metrics]]
    weight: float = 1.0
    player: Player = "discriminator"
    drawn_numbers: int = 0
    shows_images: bool = False
    shows_real: bool = False
