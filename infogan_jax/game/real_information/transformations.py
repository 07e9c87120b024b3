"""Small random transformations T of images, which keep what an image shows.

T is an affine map, after which strokes become thicker or thinner. The map is computed
in two passes of one-dimensional linear interpolation (Catmull and Smith 1980), first
along the rows, then along the columns. These are two small matrix products, which are
differentiable and fast on every platform.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Images = Float[Array, "batch height width channels"]

DRAWN_NUMBERS = 7
"""Seven numbers from U(-1, 1) define T for one image, each as a share of its maximum:
rotation, shear, scale of the width, of the height, stroke, shift right, shift down.
"""

STROKE_COLUMN = 4
"""The column of the stroke in the drawn numbers."""

APPEARANCE_COLUMNS = slice(0, 5)
"""The columns of all parts of T but the shift."""


@dataclass(frozen=True)
class Transformation:
    """The maximum of each part of T; an image's own values are uniform in +- this.

    Attributes:
      rotation: the angle in degrees, below 90.
      shear: the slope by which rows are shifted against each other.
      scale: the natural logarithm of the scale of width and of height.
      stroke: how far each edge of a bright area moves out or in, in pixels; at most 1.
      shift: the shift as a share of the image's side.
    """

    rotation: float = 0.0
    shear: float = 0.0
    scale: float = 0.0
    stroke: float = 0.0
    shift: float = 0.0


def transform(
    transformation: Transformation, images: Images, drawn: Float[Array, "batch 7"]
) -> Images:
    """Returns each image transformed about its centre by its own drawn numbers.

    Pixels from outside the image have the value of its nearest edge. The matrix
    products that interpolate are float32 on every platform.
    """
    with jax.default_matmul_precision("highest"):
        warped = jax.vmap(partial(_warp, transformation))(images, drawn)
    if not transformation.stroke:
        return warped
    return jax.vmap(_thicken)(warped, drawn[:, STROKE_COLUMN] * transformation.stroke)


def _warp(
    transformation: Transformation,
    image: Float[Array, "height width channels"],
    drawn: Float[Array, "7"],
) -> Float[Array, "height width channels"]:
    """Samples the image at A p + t for each pixel p = (x, y), measured from the centre.

    With A = rotation x shear x scale, the first pass samples row y at
    (det A / A_yy) x + (A_xy / A_yy) (y - t_y) + t_x, and the second samples column x at
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
    dx = drawn[5] * transformation.shift * width
    dy = drawn[6] * transformation.shift * height
    columns = (xx - xy * yx / yy) * x[None, :] + (xy / yy) * (y[:, None] - dy) + dx
    rows = yx * x[:, None] + yy * y[None, :] + dy
    image = jnp.einsum("yxj,yjc->yxc", _weights(columns, width), image)
    return jnp.einsum("xyi,ixc->yxc", _weights(rows, height), image)


def _thicken(
    image: Float[Array, "height width channels"], pixels: Float[Array, ""]
) -> Float[Array, "height width channels"]:
    """Grows bright areas by `pixels`, in [-1, 1], on each side; below 0 they shrink.

    The result mixes the image with its dilation or erosion (Serra 1982) by the four
    neighbours of a pixel, so no value leaves the range of the image.
    """
    padded = jnp.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = padded[:, 1:-1], padded[1:-1]
    cross = jnp.stack([image, rows[:-2], rows[2:], columns[:, :-2], columns[:, 2:]])
    grown, shrunk = cross.max(axis=0) - image, cross.min(axis=0) - image
    return image + jnp.maximum(pixels, 0) * grown + jnp.maximum(-pixels, 0) * shrunk


def _from_centre(length: int) -> Float[Array, "length"]:
    return jnp.arange(length) - (length - 1) / 2


def _weights(
    positions: Float[Array, "lines length"], length: int
) -> Float[Array, "lines length inputs"]:
    """Returns a matrix for each line that interpolates at positions from the centre."""
    positions = jnp.clip(positions + (length - 1) / 2, 0, length - 1)
    inputs = jnp.arange(length)[None, None, :]
    return jnp.maximum(0.0, 1.0 - jnp.abs(positions[:, :, None] - inputs))
