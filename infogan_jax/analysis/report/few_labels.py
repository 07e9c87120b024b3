"""What the trunk of D and Q has learnt: classes from few labels."""

import numpy as np

from infogan_jax.analysis.metrics import linear_probe
from infogan_jax.analysis.report.section import Measure, Measures, Section
from infogan_jax.analysis.trained_model import TrainedModel

REPEATS = 5


def measure(model: TrainedModel) -> Section:
    """A linear classifier on the trunk's features, and the same on pixels."""
    train, test = model.train, model.test
    if train.labels is None or test.labels is None:
        return Section(left_out="the images have no labels")
    if len(np.unique(train.labels)) < 2:
        return Section(left_out="all training images have the same label")
    features = model.train_outputs.features, model.test_outputs.features
    pixels = _pixels(train.images), _pixels(test.images)
    return Section(
        _probe(model, *features, "trunk", "the trunk's features")
        | _probe(model, *pixels, "pixels", "pixels")
    )


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255.0


def _probe(
    model: TrainedModel, train: np.ndarray, test: np.ndarray, name: str, words: str
) -> Measures:
    known, wanted = model.train.labels, model.test.labels
    assert known is not None and wanted is not None
    found = linear_probe.linear_probe(
        train, known, test, wanted, repeats=REPEATS, seed=model.seed
    )
    return {
        f"linear_{name}_{count}_labels": Measure(
            probe.mean,
            "share",
            f"accuracy of logistic regression on {words} with {count} labels, on "
            f"{model.test_images}; mean of {REPEATS} draws of labels, sd "
            f"{probe.sd:.3f}",
        )
        for count, probe in found.items()
    }
