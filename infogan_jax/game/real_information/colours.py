"""Random changes of light and colour, which keep the shapes that an image shows.

They are the part of T that is not a movement. A house number stays what it is in the
shade, in another paint, and as dark figures on a light ground.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.real_information.transformations import Images

COLOUR_NUMBERS = 6
"""Six numbers from U(-1, 1) define the change of one image, each as a share of its
maximum: contrast, brightness, the tint of up to three channels; above 0 the last one
inverts the image.
"""


@dataclass(frozen=True)
class Colours:
    """The maximum of each change; an image's own values are uniform in +- this.

    Attributes:
      contrast: the natural logarithm of the scale about the image's mean.
      brightness: what is added to all channels, as a share of the range.
      tint: what is added to each channel by itself, as a share of the range.
      invert: whether every second image, by chance, has dark and light exchanged.
    """

    contrast: float = 0.0
    brightness: float = 0.0
    tint: float = 0.0
    invert: bool = False

    @property
    def numbers(self) -> int:
        """How many random numbers each image needs; 0 where nothing changes."""
        return COLOUR_NUMBERS if self != Colours() else 0


def recolour(
    colours: Colours,
    images: Images,
    drawn: Float[Array, "batch 6"],
    value_range: tuple[float, float],
) -> Images:
    """Returns each image changed by its own drawn numbers, and cut to the range.

    Args:
      colours: the maximum of each change.
      images: their channels are one or three.
      drawn: from U(-1, 1).
      value_range: the lowest and the highest value of a pixel.
    """
    low, high = value_range
    contrast, brightness, invert = (drawn[:, k, None, None, None] for k in (0, 1, 5))
    tint = drawn[:, None, None, 2 : 2 + images.shape[-1]]
    mean = jnp.mean(images, axis=(1, 2, 3), keepdims=True)
    changed = mean + (images - mean) * jnp.exp(colours.contrast * contrast)
    if colours.invert:
        changed = jnp.where(invert > 0, low + high - changed, changed)
    added = colours.brightness * brightness + colours.tint * tint
    return jnp.clip(changed + (high - low) * added, low, high)
