"""Accuracy of a linear classifier on features, trained with few labels."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


class Probe(NamedTuple):
    """Mean and sample standard deviation of the held-out accuracy over the repeats."""

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
    """Returns the held-out accuracy of logistic regression, by the number of labels.

    Features are standardised with all training examples, which needs no label. The
    labelled examples are drawn from all classes in turn: the numbers of labels per
    class differ by at most 1, until a class has no more examples. The penalty is
    scikit-learn's default (L2, C = 1).

    `counts` are numbers of labels, at least 2; those above the number of training
    examples are left out. For each, labels are drawn `repeats` times, at least twice.
    """
    scaler = StandardScaler().fit(features_train)
    train, test = scaler.transform(features_train), scaler.transform(features_test)

    def accuracy(count: int, repeat: int) -> float:
        rng = np.random.default_rng([seed, count, repeat])
        drawn = _draw_evenly(labels_train, rng)[:count]
        return _accuracy(train[drawn], labels_train[drawn], test, labels_test)

    probes = {}
    for count in (count for count in counts if count <= len(train)):
        scores = [accuracy(count, repeat) for repeat in range(repeats)]
        probes[count] = Probe(statistics.mean(scores), statistics.stdev(scores))
    return probes


def linear_accuracy(
    features_train: Float[np.ndarray, "train features"],
    features_labelled: Float[np.ndarray, "labelled features"],
    labels: Int[np.ndarray, "labelled"],
    features_test: Float[np.ndarray, "test features"],
    labels_test: Int[np.ndarray, "test"],
) -> float:
    """Returns the held-out accuracy of logistic regression on labelled examples.

    Features are standardised with all of `features_train`, whose labels are not needed.
    """
    scaler = StandardScaler().fit(features_train)
    labelled, test = map(scaler.transform, (features_labelled, features_test))
    return _accuracy(labelled, labels, test, labels_test)


def _accuracy(
    labelled: Float[np.ndarray, "labelled features"],
    labels: Int[np.ndarray, "labelled"],
    test: Float[np.ndarray, "test features"],
    labels_test: Int[np.ndarray, "test"],
) -> float:
    regression = LogisticRegression(max_iter=1000)
    regression.fit(labelled, labels)
    return float(regression.score(test, labels_test))


def _draw_evenly(
    labels: Int[np.ndarray, "n"], rng: np.random.Generator
) -> Int[np.ndarray, "n"]:
    """Returns all examples in random order, the classes in turn while they last."""
    order = rng.permutation(len(labels))
    turns = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        turns[members] = np.arange(len(members))
    return order[np.argsort(turns, kind="stable")]
