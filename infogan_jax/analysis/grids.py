"""Grids: joins many images into one picture, and splits such a picture again."""

import numpy as np
from jaxtyping import UInt8


def grid(
    images: UInt8[np.ndarray, "n height width channels"],
    columns: int,
    margin: int = 1,
    smallest: int = 32,
) -> UInt8[np.ndarray, "rows cols channels"]:
    """Joins images into one picture, in reading order, in rows of `columns` images.

    Images are separated by white margins. Images under `smallest` pixels are enlarged
    by an integer factor, so that each pixel becomes a square. Missing images in the
    last row are white.
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


def split_grid(
    picture: UInt8[np.ndarray, "rows cols channels"],
    rows: int,
    columns: int,
    margin: int = 1,
) -> UInt8[np.ndarray, "n height width channels"]:
    """Returns the images of a `grid` of full rows, each with its margin included."""
    picture = picture[margin:, margin:]
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    cells = picture.reshape(rows, height, columns, width, -1).swapaxes(1, 2)
    return cells.reshape(rows * columns, height, width, -1)
