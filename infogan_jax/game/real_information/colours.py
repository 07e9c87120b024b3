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

SHADING_NUMBERS = 2
"""Two more are the shading from left to right, and from top to bottom."""


@dataclass(frozen=True)
class Colours:
    """The maximum of each change; an image's own values are uniform in +- this.

    Attributes:
      contrast: the natural logarithm of the scale about the image's mean.
      brightness: what is added to all channels, as a share of the range.
      tint: what is added to each channel by itself, as a share of the range.
      shading: what is added at one edge and taken off at the opposite one, as a share
        of the range, with all values between them.
      invert: whether every second image, by chance, has dark and light exchanged.
    """

    contrast: float = 0.0
    brightness: float = 0.0
    tint: float = 0.0
    shading: float = 0.0
    invert: bool = False

    @property
    def numbers(self) -> int:
        """How many random numbers each image needs; 0 where nothing changes."""
        if self == Colours():
            return 0
        return COLOUR_NUMBERS + (SHADING_NUMBERS if self.shading else 0)


def recolour(
    colours: Colours,
    images: Images,
    drawn: Float[Array, "batch numbers"],
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
    if colours.shading:
        added = added + colours.shading * _ramps(images, drawn[:, COLOUR_NUMBERS:])
    return jnp.clip(changed + (high - low) * added, low, high)


def _ramps(
    images: Images, slopes: Float[Array, "batch 2"]
) -> Float[Array, "batch height width 1"]:
    """Returns planes that rise from -slope at one edge to slope at the other."""
    _, height, width, _ = images.shape
    across = slopes[:, 0, None, None] * jnp.linspace(-1.0, 1.0, width)[None, None]
    down = slopes[:, 1, None, None] * jnp.linspace(-1.0, 1.0, height)[None, :, None]
    return (across + down)[..., None]
