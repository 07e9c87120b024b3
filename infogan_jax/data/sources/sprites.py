"""A data set with the factors of dSprites (Matthey et al. 2017), drawn by this project.

Each image is a white shape on black with five factors: shape (square, ellipse, heart),
6 scales from 0.5 to 1, 40 orientations, and 32 x 32 positions. Nothing is downloaded,
and the true factors of every image are known.

There are three differences from dSprites. The edges are antialiased with 10 x 10
samples per pixel, so images are not binary. The 40 orientations are 9 degrees apart on
the whole circle; the last orientation of dSprites repeats the first. The three shapes
have the same area at the same scale, and rotate about their centre of mass.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from infogan_jax.data import prepared
from infogan_jax.data.dataset import CATEGORY, CIRCLE, LINE, Dataset, Request, Split
from infogan_jax.data.rendering import Rules
from infogan_jax.data.survey import Task

FACTORS = ("shape", "scale", "orientation", "x", "y")
COUNTS = (3, 6, 40, 32, 32)
FACTOR_KINDS = (CATEGORY, LINE, CIRCLE, LINE, LINE)
SHAPES = ("square", "ellipse", "heart")
TOTAL = 737_280
SIZE = 64
TEST_SIZE = 10_000
RENDERER = 1
"""The version of the drawing: increase it with any change of a pixel."""

SUPPORTED = {
    "name": ("", "small"),
    "crop": (0, SIZE),
    "size": (0, SIZE),
    "channels": (0, 1),
}

_SIDE = 22.0  # pixels: side of the square of scale 1, whose area all shapes have
_WINDOW = 33  # pixels: contains every shape; its 32 x 32 positions fill the image
_SAMPLES = 10  # per pixel and axis: no sample lies on a side of an upright square
_TURN = 40  # orientations in a whole turn
_QUARTERS = np.array([1, 1j, -1, -1j])
_SMALL = np.s_[:, ::5, ::5, 2::4, 2::4]


def factors(indices: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n 5"]:
    """Returns the factors of images, each counted from 0, in the order of `FACTORS`.

    Scale i is 0.5 + 0.1 i. Orientation i is a rotation by 9 i degrees,
    counter-clockwise. Position x = i is i pixels to the right of x = 0, and y = i is
    i pixels below y = 0.

    Args:
      indices: from 0 to 737,279; the last factor, y, changes fastest.

    Raises:
      ValueError: if an index is out of range.
    """
    return np.stack(np.unravel_index(indices, COUNTS), axis=1).astype(np.int32)


def render(indices: Int[np.ndarray, "n"]) -> UInt8[np.ndarray, "n 64 64 1"]:
    """Draws images; the value of a pixel is the covered share of it, times 255.

    An image does not depend on the other images. Positions are whole pixels: each
    combination of shape, scale and orientation, of which there are 720, is drawn at
    most once and then copied to its positions.

    Args:
      indices: from 0 to 737,279, in any order, with repetitions.

    Raises:
      ValueError: if an index is out of range.
    """
    images = np.zeros((len(indices), SIZE, SIZE, 1), np.uint8)
    values = factors(indices)
    kinds, inverse = np.unique(values[:, :3], axis=0, return_inverse=True)
    windows = [_draw_window(*kind) for kind in kinds.tolist()]
    positions = zip(images, inverse.reshape(-1), *values[:, 3:].T, strict=True)
    for image, kind, left, top in positions:
        image[top : top + _WINDOW, left : left + _WINDOW, 0] = windows[kind]
    return images


def _draw_window(
    shape: int, scale: int, orientation: int
) -> UInt8[np.ndarray, "window window"]:
    """Draws one shape in the middle of its window.

    Quarter turns only swap coordinates. They, and the symmetries, are therefore exact.
    """
    length = _WINDOW * _SAMPLES
    line = (np.arange(length) + 0.5) / _SAMPLES - _WINDOW / 2
    quarters, rest = divmod(orientation, _TURN // 4)
    turn = np.exp(2j * np.pi * rest / _TURN) * _QUARTERS[quarters]
    unit = _SIDE * (0.5 + 0.1 * scale)
    across, up = line[None, :] / unit, -line[:, None] / unit
    u = turn.real * across + turn.imag * up  # rotated back by the orientation
    v = turn.real * up - turn.imag * across
    inside = _inside(SHAPES[shape], u, v)
    blocks = inside.reshape(_WINDOW, _SAMPLES, _WINDOW, _SAMPLES)
    return np.round(255 * blocks.mean((1, 3))).astype(np.uint8)


def _inside(
    shape: str,
    u: Float[np.ndarray, "rows columns"],
    v: Float[np.ndarray, "rows columns"],
) -> Bool[np.ndarray, "rows columns"]:
    """Returns whether points lie in a shape of area 1 centred on its centre of mass.

    The heart is a square that stands on a corner, with half a disc on each upper side.
    If the square has side 1, a half disc has area pi / 8, and its centre of mass is
    1/2 + 2 / (3 pi) from the centre of the square. `shift` is the resulting distance of
    the heart's centre of mass from the centre of the square, along each side.
    """
    if shape == "square":
        return np.maximum(np.abs(u), np.abs(v)) <= 0.5
    if shape == "ellipse":  # axes 3 to 2
        return (u**2 / 1.5 + v**2 * 1.5) * np.pi <= 1
    area = 1 + np.pi / 4
    shift = np.pi / 8 * (1 / 2 + 2 / (3 * np.pi)) / area
    p = (u + v) * np.sqrt(area / 2) + shift
    q = (v - u) * np.sqrt(area / 2) + shift
    square = np.maximum(np.abs(p), np.abs(q)) <= 0.5
    lobes = np.minimum((p - 0.5) ** 2 + q**2, p**2 + (q - 0.5) ** 2) <= 0.25
    return square | lobes


def load(request: Request) -> Dataset:
    """Loads the whole data set, or `small`: 3,072 images for a run of seconds.

    All images are for training, as in the literature: measures of disentanglement need
    every combination of the factors. The split `test` is **not** held out. It is a
    fixed random sample of 10,000 training images, or all images of `small`.

    The whole data set is drawn once into a file of 3 GB, which is then mapped. `small`
    (each shape, the first and last scale, 8 orientations, 8 x 8 positions) is drawn in
    memory. Its factors have the same numbers as in the whole data set.

    Args:
      request: `name` is "" or "small"; `directory` is where the file is kept, or "" for
        the user's cache directory.

    Raises:
      UserError: for another name, or another crop, size or number of channels.
    """
    request.check(SUPPORTED, f"sprites, which are drawn at {SIZE} x {SIZE} x 1")
    if request.name == "small":
        indices = np.arange(TOTAL).reshape(COUNTS)[_SMALL].reshape(-1)
        images = render(indices)
        digest, prints = hashlib.sha256(images.tobytes()).hexdigest(), None
    else:
        indices = np.arange(TOTAL)
        split, digest = _all(request)
        images, prints = split.images, split.prints
    sample = np.random.default_rng(0).permutation(len(indices))[:TEST_SIZE]
    sample.sort()
    provenance = {
        "name": request.name or "sprites",
        "source": f"sprites, renderer {RENDERER}",
        "train": len(indices),
        "test": len(sample),
        "test_is_held_out": False,
        "sha256": {"train": digest},
    }
    train = Split(images, factors=factors(indices), prints=prints)
    test = Split(np.asarray(images[sample]), factors=factors(indices[sample]))
    return Dataset(train, test, provenance, FACTORS, FACTOR_KINDS)


def _all(request: Request) -> tuple[Split, str]:
    """Returns all images, mapped from a file, and their SHA-256."""
    recipe = {"name": "sprites", "renderer": RENDERER}
    cache = request.directory or request.cache
    facts = {"rules": Rules().record()}
    splits, record = prepared.prepare(
        replace(request, cache=cache),
        recipe,
        {"": prepared.Block(TOTAL, _tasks)},
        lambda: facts,
    )
    return splits[""], record["splits"][""]["sha256"]


def _tasks(first: int) -> Iterator[Task]:
    """Yields all images in order, drawn 1,024 at a time: one shape in all positions."""
    step = COUNTS[3] * COUNTS[4]
    for start in range(first - first % step, TOTAL, step):
        images = render(np.arange(start, start + step))
        for place in range(max(0, first - start), step):
            yield Task("one", partial(_take, images, place))


def _take(images: np.ndarray, place: int) -> np.ndarray:
    return images[place]
