"""Accuracy of a linear classifier with few labels, on the trunk's features."""

import numpy as np

from infogan_jax.analysis.metrics.linear_probe import linear_probe
from infogan_jax.analysis.report.section import Measure, Section
from infogan_jax.analysis.trained_model import TrainedModel

REPEATS = 5


def measure(model: TrainedModel) -> Section:
    """Measures the accuracy on features of the trunk of D and Q, and on pixels."""
    train, test = model.train, model.test
    if train.labels is None or test.labels is None:
        return Section(left_out="the images have no labels")
    if len(np.unique(train.labels)) < 2:
        return Section(left_out="all training images have the same label")
    if len(np.unique(test.labels)) < 2:
        count = len(test.labels)
        return Section(left_out=f"all {count} held-out images have the same label")
    features = {
        "trunk": (model.train_outputs.features, model.test_outputs.features),
        "pixels": (_pixels(train.images), _pixels(test.images)),
    }
    texts = {"trunk": "the trunk's features", "pixels": "pixels"}
    measures = {}
    for name, (on_train, on_test) in features.items():
        probes = linear_probe(
            on_train,
            train.labels,
            on_test,
            test.labels,
            repeats=REPEATS,
            seed=model.seed,
        )
        for count, probe in probes.items():
            protocol = (
                f"accuracy of logistic regression on {texts[name]} with {count} "
                f"labels, on {model.test_description}; mean of {REPEATS} draws of "
                f"labels, sd {probe.sd:.3f}"
            )
            measures[f"linear_{name}_{count}_labels"] = Measure(
                probe.mean, "share", protocol
            )
    return Section(measures)


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255.0
