"""The factors of dSprites (Matthey et al. 2017), drawn by this project.

A white shape on black, and five factors that make every image: shape (square,
ellipse, heart), 6 scales from 0.5 to 1, 40 orientations, and 32 x 32 positions.
Nothing is downloaded, and the true factors of every image are known.

What differs from the original: images are gray at their edges (antialiased, 10 x 10
samples a pixel) and not binary; the 40 orientations are 9 degrees apart on the
whole circle, where the original's last one repeats the first; the three shapes of
one scale have one area and turn about their centre of mass.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.errors import UserError

FACTORS = ("shape", "scale", "orientation", "x", "y")
COUNTS = (3, 6, 40, 32, 32)
SHAPES = ("square", "ellipse", "heart")
TOTAL = 737_280
SIZE = 64
TEST_SIZE = 10_000
RENDERER = 1
"""The version of the drawing: raise it with any change of a pixel."""

_SIDE = 22.0  # of the square of scale 1, in pixels: all shapes have its area
_WINDOW = 33  # pixels: holds every shape; its 32 places fill the frame
_SAMPLES = 10  # a pixel and axis: sides of squares fall between them at every scale
_TURN = 40  # orientations in a whole turn
_QUARTERS = np.array([1, 1j, -1, -1j])
_SMALL = (
    slice(None),
    slice(None, None, 5),
    slice(None, None, 5),
    *[slice(2, 32, 4)] * 2,
)


def factors(indices: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n 5"]:
    """The factors of images, each counted from 0, in the order of `FACTORS`.

    Scale i is 0.5 + 0.1 i; orientation i turns by 9 i degrees, counter-clockwise;
    x i and y i move the centre to i pixels right of, and below, the first place.

    Args:
      indices: from 0 to 737,279; the last factor, y, changes fastest.

    Raises:
      ValueError: where an index is out of range.
    """
    return np.stack(np.unravel_index(indices, COUNTS), axis=1).astype(np.int32)


def render(indices: Int[np.ndarray, "n"]) -> UInt8[np.ndarray, "n 64 64 1"]:
    """Draws images, each independent of the others: the share covered, in 255ths.

    Position moves by whole pixels, so that a shape is drawn once per scale and
    orientation among the images, at most 720 times, and then copied into place.

    Args:
      indices: from 0 to 737,279, in any order, with repetitions.

    Raises:
      ValueError: where an index is out of range.
    """
    if not len(indices):
        return np.zeros((0, SIZE, SIZE, 1), np.uint8)
    values = factors(indices)
    kinds, which = np.unique(values[:, :3], axis=0, return_inverse=True)
    stamps = np.stack([_stamp(*kind) for kind in kinds.tolist()])
    frames = np.zeros((len(indices), SIZE, SIZE, 1), np.uint8)
    places = zip(frames, which.reshape(-1), *values[:, 3:].T, strict=True)
    for frame, kind, left, top in places:
        frame[top : top + _WINDOW, left : left + _WINDOW, 0] = stamps[kind]
    return frames


def _stamp(
    shape: int, scale: int, orientation: int
) -> UInt8[np.ndarray, "window window"]:
    """One shape in the middle of its window.

    A quarter turn swaps coordinates and is exact: so are the symmetries.
    """
    length = _WINDOW * _SAMPLES
    line = (np.arange(length) + 0.5) / _SAMPLES - _WINDOW / 2
    quarters, rest = divmod(orientation, _TURN // 4)
    turn = np.exp(2j * np.pi * rest / _TURN) * _QUARTERS[quarters]
    unit = _SIDE * (0.5 + 0.1 * scale)
    across, up = line[None, :] / unit, -line[:, None] / unit
    u = turn.real * across + turn.imag * up  # turned back by the orientation
    v = turn.real * up - turn.imag * across
    inside = _inside(SHAPES[shape], u, v)
    blocks = inside.reshape(_WINDOW, _SAMPLES, _WINDOW, _SAMPLES)
    return np.round(255 * blocks.mean((1, 3))).astype(np.uint8)


def _inside(
    shape: str,
    u: Float[np.ndarray, "rows columns"],
    v: Float[np.ndarray, "rows columns"],
) -> Bool[np.ndarray, "rows columns"]:
    """Whether points lie in a shape of area 1 whose centre of mass is the origin.

    The heart is a square on its corner with half a disc on each upper side. With
    a square of side 1, a half disc of area pi / 8 has its centre of mass
    1/2 + 2 / (3 pi) from the square's: this shifts the heart's along each side.
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
    """The whole set, or `small`: 3,072 images for a run of seconds.

    All images are for training, as in the literature, whose measures of
    disentanglement need every combination of the factors. `test` is 10,000 of
    them, drawn once for good: a sample for evaluation, **not** held out. Of
    `small` it is every image.

    The whole set is drawn once into a file of 3 GB and mapped; `small` (each shape,
    the first and last scale, 8 orientations, 8 x 8 positions) is drawn in memory.
    Its factors keep the numbers that they have in the whole set.

    Args:
      request: `name` is "" or "small"; `directory` is where the file is kept, the
        user's cache directory if it is "".

    Raises:
      UserError: for another name, or another size, crop or number of channels.
    """
    _check(request)
    if request.name == "small":
        indices = np.arange(TOTAL).reshape(COUNTS)[_SMALL].reshape(-1)
        images = render(indices)
        digest = hashlib.sha256(images.tobytes()).hexdigest()
    else:
        indices = np.arange(TOTAL)
        images, digest = _all(request.directory)
    picked = np.random.default_rng(0).permutation(len(indices))[:TEST_SIZE]
    picked.sort()
    return Dataset(
        Split(images, factors=factors(indices)),
        Split(np.asarray(images[picked]), factors=factors(indices[picked])),
        {
            "name": request.name or "sprites",
            "source": f"sprites, renderer {RENDERER}",
            "train": len(indices),
            "test": len(picked),
            "test_is_held_out": False,
            "sha256": {"train": digest},
        },
        FACTORS,
    )


def _check(request: Request) -> None:
    allowed = {
        "name": ("", "small"),
        "crop": (0, SIZE),
        "size": (0, SIZE),
        "channels": (0, 1),
    }
    for field, values in allowed.items():
        value = getattr(request, field)
        if value not in values:
            raise UserError(
                f"config.data.{field} (={value!r}) must be {values[0]!r} or "
                f"{values[1]!r} for sprites, which are drawn at {SIZE} x {SIZE} x 1; "
                f"leave it at {values[0]!r}."
            )


def _all(directory: str) -> tuple[UInt8[np.ndarray, "n 64 64 1"], str]:
    """All images, mapped from a file, and their SHA-256."""
    recipe = {"name": "sprites", "renderer": RENDERER}
    beside = Path(directory).expanduser() if directory else prepared.user_cache()
    split, record = prepared.prepare(beside, recipe, TOTAL, _examples)
    return split.images, record["sha256"]


def _examples() -> Iterator[prepared.Example]:
    """All images in order, drawn 1,024 at a time: one shape in all its places."""
    step = COUNTS[3] * COUNTS[4]
    for start in range(0, TOTAL, step):
        for image in render(np.arange(start, start + step)):
            yield prepared.Example(image)
