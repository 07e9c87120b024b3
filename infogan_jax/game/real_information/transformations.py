"""Small random transformations T of images, which leave what an image shows the same.

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

DRAWN_NUMBERS = 7
"""An image is transformed by seven numbers from U(-1, 1), each the share of a largest
extent: rotation, shear, scale of the width, of the height, stroke, shift right, down.
"""

STROKE_COLUMN = 4
"""The column of the stroke among the drawn numbers."""

APPEARANCE_COLUMNS = slice(0, 5)
"""The columns that change what an image looks like: all but the shift."""


@dataclass(frozen=True)
class Transformation:
    """The largest extent of each part of T; every image draws its own, uniformly.

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
    transformation: Transformation, images: Images, drawn: Float[Array, "batch 7"]
) -> Images:
    """Transforms each image about its centre by the numbers that were drawn for it.

    What lies outside the image is taken from its nearest edge.
    """
    moved = jax.vmap(partial(_warp, transformation))(images, drawn)
    if not transformation.stroke:
        return moved
    return jax.vmap(_thicken)(moved, drawn[:, STROKE_COLUMN] * transformation.stroke)


def _warp(
    transformation: Transformation,
    image: Float[Array, "height width channels"],
    drawn: Float[Array, "7"],
) -> Float[Array, "height width channels"]:
    """Reads the image at A p + t for every pixel p = (x, y), measured from the centre.

    With A = rotation x shear x scale, the first pass reads row y at
    (det A / A_yy) x + (A_xy / A_yy) (y - t_y) + t_x, the second reads column x at
    A_yx x + A_yy y + t_y.
    """
    height, width, _ = image.shape
    angle = drawn[0] * jnp.deg2rad(transformation.rotation)
    shear = drawn[1] * transformation.shear
    wide = jnp.exp(drawn[2] * transformation.scale)
    high = jnp.exp(drawn[3] * transformation.scale)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    xx, xy = cos * wide, cos * shear - sin * high
    yx, yy = sin * wide, sin * shear + cos * high
    x, y = _from_centre(width), _from_centre(height)
    dx, dy = (
        drawn[5] * transformation.shift * width,
        drawn[6] * transformation.shift * height,
    )
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
