"""Points in the plane from K Gaussians at random places, as images of two pixels.

A point is an image of 1 x 2 bytes: its two coordinates, each rounded to one of 256
levels. A Gaussian has a standard deviation of 5 levels, so rounding adds a 300th to its
variance. The places are uniform in the square from 30 to 225, and all Gaussians are
equally likely. Tolstikhin et al. (2017, section 4) measure AdaGAN on such data.
"""

import hashlib
import re

import numpy as np

from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.errors import UserError

SD = 5.0
"""The standard deviation of a Gaussian along each axis, in levels."""

LOWEST, HIGHEST = 30.0, 225.0
"""The range of the places along each axis: 6 standard deviations from the border."""

TRAIN, TEST = 20_000, 5_000
SUPPORTED = {"crop": (0,), "size": (0,), "channels": (0, 1)}

_NAME = re.compile(r"([1-9]\d{0,2})(?:-(\d{1,9}))?")


def load(request: Request) -> Dataset:
    """Loads 20,000 training and 5,000 held-out points, uint8 [n, 1, 2, 1].

    The label of a point is the Gaussian that it is from. The name in the request is K,
    or K-N for the places number N: "10", or "10-3". The points depend on it alone.

    Raises:
      UserError: if the name is another, or the request asks for another shape.
    """
    request.check(SUPPORTED, "points, which are images of 1 x 2 pixels")
    match = _NAME.fullmatch(request.name)
    if match is None:
        raise UserError(
            f"config.data.name (={request.name!r}) must be a number of Gaussians from "
            "1 to 999, with another number for other places: '10', or '10-3'."
        )
    count, number = int(match[1]), int(match[2] or 0)
    generator = np.random.default_rng([count, number])
    places = generator.uniform(LOWEST, HIGHEST, (count, 2))
    train, test = (_draw(generator, places, size) for size in (TRAIN, TEST))
    provenance = {
        "name": f"gaussians/{count}-{number}",
        "source": "drawn by infogan_jax/data/sources/gaussians.py",
        "train": TRAIN,
        "test": TEST,
        "places": places.tolist(),
        "sd": SD,
        "sha256": {"train": _sha256(train), "test": _sha256(test)},
    }
    return Dataset(train, test, provenance)


def _draw(generator: np.random.Generator, places: np.ndarray, size: int) -> Split:
    labels = generator.integers(len(places), size=size, dtype=np.int32)
    points = places[labels] + SD * generator.standard_normal((size, 2))
    levels = np.clip(np.rint(points), 0, 255).astype(np.uint8)
    return Split(levels.reshape(size, 1, 2, 1), labels)


def _sha256(split: Split) -> str:
    content = split.images.tobytes() + np.asarray(split.labels).tobytes()
    return hashlib.sha256(content).hexdigest()
