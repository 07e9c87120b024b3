"""Which modes images are from, with classifiers that are known to be right."""

import numpy as np
import pytest

from infogan_jax.analysis import modes
from infogan_jax.data.dataset import Dataset, Split


class Reader:
    """A classifier that reads the class from the first pixel."""

    def predict(self, images):
        return images[:, 0, 0, 0].astype(np.int64) // 10


@pytest.fixture
def seen(monkeypatch):
    """What the classifier was fitted to."""
    fitted = []

    def fit(images, classes, *_):
        fitted.append((images, classes))
        return Reader()

    monkeypatch.setattr(modes, "train_classifier", fit)
    return fitted


def images_of(classes):
    """Images of 4 x 4 with a class in each channel."""
    classes = np.asarray(classes, np.uint8).reshape(len(classes), -1)
    return np.tile(10 * classes[:, None, None, :], (1, 4, 4, 1))


def test_digits_in_three_colours_are_one_of_a_thousand_modes(seen):
    digits = np.random.default_rng(0).integers(0, 10, (50, 3), np.int32)
    split = Split(images_of(digits), factors=digits)
    provenance = {"name": "stacked", "classes_of_a_channel": 10}
    measured = modes.measures(Dataset(split, split, provenance))
    images, classes = seen[0]
    assert images.shape == (150, 4, 4, 1), "one classifier for all three colours"
    np.testing.assert_array_equal(images[:, 0, 0, 0] // 10, classes)
    assert "of 1000" in measured.about and "is 1.000" in measured.about
    values = measured.of(images_of([(1, 2, 3), (3, 2, 1), (1, 2, 3), (0, 0, 0)]))
    assert values["modes_found"] == 3
    entropy = -(0.5 * np.log(0.5) + 2 * 0.25 * np.log(0.25))
    assert values["mode_divergence"] == pytest.approx(np.log(1000) - entropy)


def test_the_modes_of_labelled_images_are_their_classes(seen):
    labels = np.array([2, 4, 7] * 5)
    named = Split(images_of(np.array([0, 1, 2] * 5)), labels)
    measured = modes.measures(Dataset(named, named, {"name": "labelled"}))
    assert measured.of(images_of([0, 1, 1]))["modes_found"] == 2
    assert measured.of(images_of([0, 1, 2]))["mode_divergence"] == pytest.approx(0)
    assert "of 3 with an image" in measured.about and "is 1.000" in measured.about


@pytest.mark.parametrize("labels", [None, np.zeros(4, int)])
def test_images_without_classes_have_no_known_modes(labels):
    split = Split(images_of([1, 2, 3, 4]), labels)
    assert modes.measures(Dataset(split, split, {"name": "unknown"})) is None
