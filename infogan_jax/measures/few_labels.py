"""What the trunk of D and Q has learnt: classes from few labels."""

import numpy as np

from infogan_jax.measures.finding import Finding, Measure, Measures
from infogan_jax.measures.subject import Subject
from infogan_jax.metrics import probes

REPEATS = 5


def measure(subject: Subject) -> Finding:
    """A linear classifier on the trunk's features, and the same on pixels."""
    train, test = subject.train, subject.test
    if train.labels is None or test.labels is None:
        return Finding(left_out="the images have no labels")
    if len(np.unique(train.labels)) < 2:
        return Finding(left_out="all training images have the same label")
    features = subject.train_read.features, subject.test_read.features
    pixels = _pixels(train.images), _pixels(test.images)
    return Finding(
        _probe(subject, *features, "trunk", "the trunk's features")
        | _probe(subject, *pixels, "pixels", "pixels")
    )


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255.0


def _probe(
    subject: Subject, train: np.ndarray, test: np.ndarray, name: str, words: str
) -> Measures:
    known, wanted = subject.train.labels, subject.test.labels
    assert known is not None and wanted is not None
    found = probes.linear_probe(
        train, known, test, wanted, repeats=REPEATS, seed=subject.seed
    )
    return {
        f"linear_{name}_{count}_labels": Measure(
            probe.mean,
            "share",
            f"accuracy of logistic regression on {words} with {count} labels, on "
            f"{subject.unknown}; mean of {REPEATS} draws of labels, sd {probe.sd:.3f}",
        )
        for count, probe in found.items()
    }
