"""Small random changes of images: what an image may undergo and stay what it is.

An affine map is resampled in two passes of one-dimensional linear interpolation
(Catmull and Smith 1980), first along the rows, then along the columns: two small matrix
products, fast on every platform, and differentiable. After it, strokes become thicker
or thinner.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channels"]

DRAWS = 7
"""A change is drawn by numbers from U(-1, 1), shares of the largest extents: of
rotation, shear, scale of the width, of the height, stroke, shift to the right and down.
"""

STROKE = 4
"""The place of the stroke among the draws."""

SEEN = slice(0, 5)
"""The draws of what is seen, not of where: all but the shift."""


@dataclass(frozen=True)
class Augmentation:
    """The largest extent of each part; every image draws its own below it, evenly.

    Attributes:
      rotation: in degrees, either way; below 90.
      shear: of the rows against each other, as a slope.
      scale: of width and of height, as a natural logarithm.
      stroke: how far each edge of what is bright moves out or in, in pixels; at most 1.
      shift: as a share of the side.
    """

    rotation: float = 0.0
    shear: float = 0.0
    scale: float = 0.0
    stroke: float = 0.0
    shift: float = 0.0


def transform(
    augmentation: Augmentation, images: Images, draws: Float[Array, "batch 7"]
) -> Images:
    """Each image under the map that was drawn for it, about its centre.

    What lies outside the image is taken from its nearest edge.
    """
    moved = jax.vmap(partial(_warp, augmentation))(images, draws)
    if not augmentation.stroke:
        return moved
    return jax.vmap(_thicken)(moved, draws[:, STROKE] * augmentation.stroke)


def _warp(
    augmentation: Augmentation,
    image: Float[Array, "height width channels"],
    draw: Float[Array, "7"],
) -> Float[Array, "height width channels"]:
    """Reads the image at A p + t for every pixel p = (x, y), both from the centre.

    With A = rotation x shear x scale, the first pass reads row y at
    (det A / A_yy) x + (A_xy / A_yy) (y - t_y) + t_x, the second reads column x at
    A_yx x + A_yy y + t_y.
    """
    height, width, _ = image.shape
    angle = draw[0] * jnp.deg2rad(augmentation.rotation)
    shear = draw[1] * augmentation.shear
    wide = jnp.exp(draw[2] * augmentation.scale)
    high = jnp.exp(draw[3] * augmentation.scale)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    xx, xy = cos * wide, cos * shear - sin * high
    yx, yy = sin * wide, sin * shear + cos * high
    x, y = _from_centre(width), _from_centre(height)
    dx, dy = draw[5] * augmentation.shift * width, draw[6] * augmentation.shift * height
    columns = (xx - xy * yx / yy) * x[None, :] + (xy / yy) * (y[:, None] - dy) + dx
    rows = yx * x[:, None] + yy * y[None, :] + dy
    image = jnp.einsum("yxj,yjc->yxc", _weights(columns, width), image)
    return jnp.einsum("xyi,ixc->yxc", _weights(rows, height), image)


def _thicken(
    image: Float[Array, "height width channels"], pixels: Float[Array, ""]
) -> Float[Array, "height width channels"]:
    """What is bright grows by `pixels`, in [-1, 1], on each side; below 0 it shrinks.

    A mixture of the image and its dilation or erosion (Serra 1982) by the four
    neighbours of a pixel, so that no value leaves the range of the image.
    """
    framed = jnp.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = framed[:, 1:-1], framed[1:-1]
    cross = jnp.stack([image, rows[:-2], rows[2:], columns[:, :-2], columns[:, 2:]])
    grown, shrunk = cross.max(axis=0) - image, cross.min(axis=0) - image
    return image + jnp.maximum(pixels, 0) * grown + jnp.maximum(-pixels, 0) * shrunk


def _from_centre(length: int) -> Float[Array, "length"]:
    return jnp.arange(length) - (length - 1) / 2


def _weights(
    places: Float[Array, "lines length"], length: int
) -> Float[Array, "lines length inputs"]:
    """Linear interpolation at places from the centre, as a matrix for each line."""
    places = jnp.clip(places + (length - 1) / 2, 0, length - 1)
    inputs = jnp.arange(length)[None, None, :]
    return jnp.maximum(0.0, 1.0 - jnp.abs(places[:, :, None] - inputs))
