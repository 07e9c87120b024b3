"""Accuracy with few labels: of Q or D that learned from them, and of linear probes.

A linear classifier on the trunk's features learns after training, from the same labels
and from draws of other numbers of them.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.metrics.linear_probe import linear_accuracy, linear_probe
from infogan_jax.analysis.report import taught
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel

REPEATS = 5
COUNTS = (10, 100, 1000)
THESE = "these {} labels"

Features = Float[np.ndarray, "n features"]
Labels = Int[np.ndarray, "n"]
Scores = dict[str, dict[str, float]]
"""Accuracies by who learned, and then by the labels."""


def measure(model: TrainedModel) -> Section:
    """Measures accuracies on held-out images, and puts them into one table."""
    train, test = model.train, model.test
    if train.labels is None or test.labels is None:
        return Section(left_out="the images have no labels")
    if len(np.unique(train.labels)) < 2:
        return Section(left_out="all training images have the same label")
    if len(np.unique(test.labels)) < 2:
        count = len(test.labels)
        return Section(left_out=f"all {count} held-out images have the same label")
    scores, measures = _taught(model), Measures()
    for name in ("trunk", "pixels"):
        measures |= _linear(model, name, train.labels, test.labels, scores)
    return Section(measures, {"few_labels": _table(model, scores)})


def _taught(model: TrainedModel) -> Scores:
    """Returns the accuracy of Q or D, whichever has learned from labels in training."""
    if model.labelled is None:
        return {}
    found, these = taught.measures(model), THESE.format(len(model.labelled.rows))
    if taught.ERROR in found:
        return {"D": {these: 1.0 - found[taught.ERROR].value}}
    return {"Q": {these: found[taught.ACCURACY].value}}


def _linear(
    model: TrainedModel,
    name: str,
    train_labels: Labels,
    test_labels: Int[np.ndarray, "m"],
    scores: Scores,
) -> Measures:
    """Measures linear classifiers on features of `trunk` or on `pixels`."""
    on_train, on_test = _features(model, name)
    text = {"trunk": "the trunk's features", "pixels": "pixels"}[name]
    own = scores.setdefault(f"linear, {text}", {})
    probes = linear_probe(
        on_train, train_labels, on_test, test_labels, COUNTS, REPEATS, model.seed
    )
    measures = {}
    for count, probe in probes.items():
        protocol = (
            f"accuracy of logistic regression on {text} with {count} "
            f"labels, on {model.test_description}; mean of {REPEATS} draws of "
            f"labels, sd {probe.sd:.3f}"
        )
        own[str(count)] = probe.mean
        measures[f"linear_{name}_{count}_labels"] = Measure(
            probe.mean, "share", protocol
        )
    if (few := model.labelled) is not None:
        labelled = _of_images(model, name, np.asarray(few.images))
        known = np.asarray(few.classes).argmax(axis=1)
        value = linear_accuracy(on_train, labelled, known, on_test, test_labels)
        own[THESE.format(len(known))] = value
        protocol = (
            f"accuracy of logistic regression on {text} with the {len(known)} labels "
            f"of training, on {model.test_description}"
        )
        measures[f"linear_{name}_same_labels"] = Measure(value, "share", protocol)
    return measures


def _features(
    model: TrainedModel, name: str
) -> tuple[Features, Float[np.ndarray, "m features"]]:
    if name == "trunk":
        return model.train_outputs.features, model.test_outputs.features
    return _pixels(model.train.images), _pixels(model.test.images)


def _of_images(model: TrainedModel, name: str, images: np.ndarray) -> Features:
    if name == "pixels":
        return _pixels(images)
    return model.apply_discriminator(images).features


def _table(model: TrainedModel, scores: Mapping[str, Mapping[str, float]]) -> Table:
    columns = tuple(dict.fromkeys(count for own in scores.values() for count in own))
    values = np.array(
        [[own.get(count, np.nan) for count in columns] for own in scores.values()]
    )
    return Table(
        f"Accuracy on {model.test_description} by the number of labels: the mean of "
        f"{REPEATS} draws, or that of the labels that training used.",
        tuple(scores),
        columns,
        values,
        np.nan_to_num(values),
    )


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255.0
