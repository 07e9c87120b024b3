"""Which modes of the data generated images are from, where the modes are known.

A mode is a class of the labels, or a combination of the digits in three colours. Images
of two pixels are points, of which the covered share of the data is measured instead.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from infogan_jax.analysis.classifier import STEPS, train_classifier
from infogan_jax.analysis.metrics.point_coverage import coverage
from infogan_jax.analysis.metrics.sample_quality import class_divergence, class_shares
from infogan_jax.analysis.trained_model import subset
from infogan_jax.data.dataset import Dataset, Split

Bytes = UInt8[np.ndarray, "n height width channels"]

POINT = (1, 2, 1)
"""The shape of an image that is a point in the plane."""

MOST_POINTS = 5000


class Measures(NamedTuple):
    """What is measured of generated images.

    Attributes:
      of: (images in random order) -> values by name: `coverage` in [0, 1]; or
        `modes_found`, and `mode_divergence` in nats.
      about: how, in words.
    """

    of: Callable[[Bytes], dict[str, float]]
    about: str


def measures(dataset: Dataset, seed: int = 0, steps: int = STEPS) -> Measures | None:
    """Returns what can be measured of images that imitate a data set; None: nothing.

    Args:
      dataset: real images.
      seed: of the classifier, and of the places of points within their pixel.
      steps: of the classifier.
    """
    if dataset.image_shape == POINT:
        return _coverage(dataset.test.images, seed)
    of_channels = dataset.provenance.get("classes_of_a_channel", 0)
    labels = dataset.train.labels
    if not of_channels and (labels is None or len(np.unique(labels)) < 2):
        return None
    find = _digits_finder if of_channels else _class_finder
    modes, total, accuracy = find(dataset, seed, steps)

    def count(images: Bytes) -> dict[str, float]:
        found = modes(images)
        shares = class_shares(found, total)
        return {
            "modes_found": float(np.sum(shares > 0)),
            "mode_divergence": class_divergence(shares),
        }

    return Measures(
        count,
        f"modes_found of {total} with an image at least, and KL of their shares to "
        f"equal ones in nats, by a classifier of the labels whose accuracy on held-out "
        f"images is {accuracy:.3f}",
    )


def points(images: Bytes, seed: int) -> Float[np.ndarray, "n 2"]:
    """Returns the points of two-pixel images in levels, at random within their level.

    Without that, equal points would have a density without a limit.
    """
    whole = images.reshape(len(images), 2).astype(np.float64)
    return whole + np.random.default_rng(seed).uniform(-0.5, 0.5, whole.shape)


def _coverage(held_out: Bytes, seed: int) -> Measures:
    real = points(held_out[:MOST_POINTS], seed)

    def cover(images: Bytes) -> dict[str, float]:
        return {"coverage": coverage(real, points(images[:MOST_POINTS], seed + 1))}

    return Measures(
        cover,
        f"coverage: the share of {len(real)} held-out points inside the region that "
        f"holds 95 % of the mixture, of which {MOST_POINTS} points are drawn",
    )


Finder = tuple[Callable[[Bytes], Int[np.ndarray, "n"]], int, float]
"""The mode of each image, how many modes there are, and how often that is right."""


def _class_finder(dataset: Dataset, seed: int, steps: int) -> Finder:
    train, test = subset(dataset.train), subset(dataset.test)
    names, classes = np.unique(np.asarray(train.labels), return_inverse=True)
    classifier = train_classifier(train.images, classes, seed, steps)
    found = names[classifier.predict(test.images)]
    return classifier.predict, len(names), float(np.mean(found == test.labels))


def _digits_finder(dataset: Dataset, seed: int, steps: int) -> Finder:
    """Returns the number with one digit for each channel, red first."""
    classes = dataset.provenance["classes_of_a_channel"]
    classifier = train_classifier(*_channels(dataset.train), seed, steps)
    images, digits = _channels(dataset.test)

    def modes(images: Bytes) -> Int[np.ndarray, "n"]:
        digits = (classifier.predict(each) for each in _split(images))
        return np.ravel_multi_index(tuple(digits), (classes,) * images.shape[-1])

    right = float(np.mean(classifier.predict(images) == digits))
    return modes, classes ** dataset.image_shape[-1], right


def _channels(split: Split) -> tuple[Bytes, Int[np.ndarray, "m"]]:
    """Returns the channels of at most 10,000 images, and the digits of these."""
    split = subset(split)
    assert split.factors is not None
    return np.concatenate(_split(split.images)), split.factors.T.ravel()


def _split(images: Bytes) -> list[UInt8[np.ndarray, "n height width 1"]]:
    return [images[..., channel, None] for channel in range(images.shape[-1])]
