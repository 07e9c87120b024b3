"""Images as arrays: scaling between bytes and a network's range, and grids."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8


def to_range(
    images: UInt8[Array | np.ndarray, "*batch height width channels"],
    output_range: tuple[float, float],
) -> Float[Array, "*batch height width channels"]:
    """Bytes as float32 in `output_range`, the range of the generator's images."""
    low, high = output_range
    return jnp.asarray(images, jnp.float32) * ((high - low) / 255.0) + low


def to_uint8(
    images: Float[np.ndarray, "*batch height width channels"],
    output_range: tuple[float, float],
) -> UInt8[np.ndarray, "*batch height width channels"]:
    """The inverse of `to_range`, rounded and clipped."""
    low, high = output_range
    scaled = (images - low) * (255.0 / (high - low))
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)


def grid(
    images: UInt8[np.ndarray, "n height width channels"],
    columns: int,
    margin: int = 1,
    smallest: int = 32,
) -> UInt8[np.ndarray, "rows cols channels"]:
    """One picture of `n` images in rows of `columns`, on white, in reading order.

    Images under `smallest` pixels are enlarged by a whole factor, so that each
    pixel stays a square. A row that is not full ends in white.
    """
    factor = max(1, -(-smallest // images.shape[1]))
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    picture = np.full(
        (rows, columns, height + margin, width + margin, channels), 255, np.uint8
    )
    cells = picture.reshape(rows * columns, *picture.shape[2:])
    cells[:count, :height, :width] = images
    joined = picture.transpose(0, 2, 1, 3, 4).reshape(
        rows * (height + margin), columns * (width + margin), channels
    )
    return np.pad(joined, ((margin, 0), (margin, 0), (0, 0)), constant_values=255)


def cells(
    picture: UInt8[np.ndarray, "rows cols channels"],
    rows: int,
    columns: int,
    margin: int = 1,
) -> UInt8[np.ndarray, "n height width channels"]:
    """The images of a `grid` of `rows` full rows, each with the margin beside it."""
    picture = picture[margin:, margin:]
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    apart = picture.reshape(rows, height, columns, width, -1).swapaxes(1, 2)
    return apart.reshape(rows * columns, height, width, -1)
