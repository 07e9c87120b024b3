"""How much of the classes a linear map can read from features, with few labels."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class Probe:
    """Held-out accuracy over the repeats.

    Attributes:
      mean: share in [0, 1].
      sd: the sample standard deviation over the repeats.
    """

    mean: float
    sd: float


def linear_probe(
    features_train: Float[np.ndarray, "train features"],
    labels_train: Int[np.ndarray, "train"],
    features_test: Float[np.ndarray, "test features"],
    labels_test: Int[np.ndarray, "test"],
    counts: Sequence[int] = (10, 100, 1000),
    repeats: int = 5,
    seed: int = 0,
) -> dict[int, Probe]:
    """Multinomial logistic regression on features, with a few labels each time.

    Features are standardised by all training examples, which needs no label. The
    labelled ones are drawn class by class in turn, so that every class has as many
    as any other, as far as they go. scikit-learn's penalty (L2, C = 1) is kept.

    Args:
      features_train: of all training images.
      labels_train: of which some are used.
      features_test: of the held-out images.
      labels_test: their classes.
      counts: numbers of labels, each at least 2; those above the number of training
        examples are left out.
      repeats: draws of labelled examples for each number, at least 2.
      seed: of the draws.

    Returns:
      The accuracy on the held-out images, by the number of labels.
    """
    scaler = StandardScaler().fit(features_train)
    train, test = scaler.transform(features_train), scaler.transform(features_test)

    def accuracy(count: int, repeat: int) -> float:
        rng = np.random.default_rng([seed, count, repeat])
        drawn = _draw_evenly(labels_train, rng)[:count]
        regression = LogisticRegression(max_iter=1000)
        regression.fit(train[drawn], labels_train[drawn])
        return float(regression.score(test, labels_test))

    probes = {}
    for count in (count for count in counts if count <= len(train)):
        found = [accuracy(count, repeat) for repeat in range(repeats)]
        probes[count] = Probe(statistics.mean(found), statistics.stdev(found))
    return probes


def _draw_evenly(
    labels: Int[np.ndarray, "n"], rng: np.random.Generator
) -> Int[np.ndarray, "n"]:
    """All examples in random order, but one of each class before the next of any."""
    order = rng.permutation(len(labels))
    turns = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        turns[members] = np.arange(len(members))
    return order[np.argsort(turns, kind="stable")]
