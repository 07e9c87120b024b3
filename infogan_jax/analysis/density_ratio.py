"""How many times as often a mixture makes an image as the data has it.

A classifier tells real images from generated ones. Where d is its probability of "real"
and both are equally many, (1 - d) / d estimates the ratio of their densities.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from infogan_jax.analysis.classifier import LAYERS, Classifier, train_classifier

STEPS = 1000

LEAST = 1e-3
"""Probabilities are kept this far from 0 and 1, and so ratios below 1,000."""

Bytes = UInt8[np.ndarray, "n height width channels"]


class Ratios(NamedTuple):
    """Estimated density ratios of generated to real images.

    Attributes:
      values: at each real image.
      accuracy: the share of real and generated images that are told apart, by a
        classifier that has not seen them.
    """

    values: Float[np.ndarray, "n"]
    accuracy: float


def ratios(
    images: Bytes,
    generated: Bytes,
    seed: int = 0,
    layers: str = LAYERS,
    steps: int = STEPS,
) -> Ratios:
    """Returns the density ratio of generated to real images at each real image.

    Both sets are cut into two halves. The classifier that is fitted to one half gives
    the ratios of the other, so that none has seen the images that it judges. Its logits
    are calibrated there, by a slope and an offset (Platt 1999).

    Args:
      images: real images, at least 4.
      generated: as many generated ones, in random order.
      seed: of the halves, and of the classifiers.
      layers: the hidden layers of the classifiers, in the notation of a config.
      steps: of 128 images, for each classifier.
    """
    count = len(images)
    values, right = np.zeros(count), 0
    first, second = halves(count, seed)
    for fitted, judged in ((first, second), (second, first)):
        fitted = np.sort(fitted[: count // 2])  # of one size: one program
        together = np.concatenate([images[fitted], generated[fitted]])
        labels = (np.arange(len(together)) < len(fitted)).astype(np.int32)
        classifier = train_classifier(together, labels, seed, steps, layers)
        real, made = calibrated(
            _logits(classifier, images[judged]), _logits(classifier, generated[judged])
        )
        real_or_not = np.clip(real, LEAST, 1.0 - LEAST)
        values[judged] = (1.0 - real_or_not) / real_or_not
        right += int(np.sum(real > 0.5) + np.sum(made < 0.5))
    return Ratios(values, float(right / (2 * count)))


def calibrated(
    real: Float[np.ndarray, "n"], made: Float[np.ndarray, "m"]
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "m"]]:
    """Returns the calibrated probabilities of "real" of two sets of logits.

    Slope and offset are those of a logistic regression on these logits. Where larger
    logits do not mean "real", the probabilities are all equal.
    """
    logits = np.concatenate([real, made])
    scale = float(np.std(logits))
    if not scale:
        return np.full(len(real), 0.5), np.full(len(made), 0.5)
    is_real = np.arange(len(logits)) < len(real)
    regression = LogisticRegression().fit(logits[:, None] / scale, is_real)
    slope = float(regression.coef_[0, 0]) / scale
    offset = float(regression.intercept_[0])
    if slope <= 0.0:
        slope, offset = 0.0, float(logit(len(real) / len(logits)))
    return expit(slope * real + offset), expit(slope * made + offset)


def _logits(classifier: Classifier, images: Bytes) -> Float[np.ndarray, "n"]:
    shares = np.maximum(classifier.probabilities(images), 1e-12)
    return np.log(shares[:, 1]) - np.log(shares[:, 0])


def halves(count: int, seed: int) -> tuple[Int[np.ndarray, "a"], Int[np.ndarray, "b"]]:
    """Returns the two halves of the rows of `count` images."""
    rows = np.random.default_rng(seed).permutation(count)
    return rows[: count // 2], rows[count // 2 :]
