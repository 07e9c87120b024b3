"""The classifier for sample quality, on the embedded digits."""

import dataclasses
from functools import partial

import jax
import numpy as np
import pytest

from infogan_jax.analysis import classifier
from infogan_jax.data import batches
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError

DATA = digits.load()
TRAIN, TEST = DATA.train, DATA.test
QUICK = {"xla_backend_optimization_level": 1}
train = partial(classifier.train_classifier, TRAIN.images, steps=150)


@pytest.fixture(scope="module", autouse=True)
def compiled_quickly():
    program = jax.jit(
        classifier._fit.__wrapped__, static_argnums=0, compiler_options=QUICK
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "_fit", program)
        yield


@pytest.fixture(scope="module")
def trained() -> classifier.Classifier:
    return train(TRAIN.labels, seed=0)


def accuracy(found, split=TEST):
    return np.mean(found.predict(split.images) == split.labels)


def test_the_accuracy_on_held_out_digits_is_high(trained):
    assert accuracy(trained) >= 0.97


def test_logits_are_linear_in_the_features_of_the_last_hidden_layer(trained):
    features = trained.features(TEST.images)
    assert features.shape == (360, 128)
    assert features.dtype == np.float32
    assert features.min() == 0 and features.std(axis=0).max() > 0.1
    last = trained.params[1]["fc_0"]
    logits = features @ np.asarray(last["kernel"]) + np.asarray(last["bias"])
    assert logits.shape == (360, 10)
    np.testing.assert_array_equal(logits.argmax(axis=1), trained.predict(TEST.images))


def test_the_same_seed_gives_the_same_classifier(trained):
    features = trained.features(TEST.images)
    again = train(TRAIN.labels, seed=0).features(TEST.images)
    np.testing.assert_array_equal(again, features)
    other = train(TRAIN.labels, seed=1)
    assert np.abs(other.features(TEST.images) - features).max() > 0.1
    assert accuracy(other) >= 0.97


def test_the_seed_is_used_for_the_weights_and_for_the_order(monkeypatch):
    seen = []

    def fit(stacks, seed, images, labels, order):
        seen.append((int(seed), order))
        return ({}, {}), {}

    monkeypatch.setattr(classifier, "_fit", fit)
    train(TRAIN.labels, seed=3)
    [(seed, order)] = seen
    assert seed == 3
    expected = batches.indices(3, 0, 150, 128, len(TRAIN.images))
    np.testing.assert_array_equal(order, expected)


def test_with_shuffled_labels_the_accuracy_is_at_chance():
    shuffled = np.random.default_rng(0).permutation(TRAIN.labels)
    found = train(shuffled, seed=0)
    assert accuracy(found) == pytest.approx(0.1, abs=0.08)
    # The classifier has learnt the shuffled labels instead.
    learnt = np.mean(found.predict(TRAIN.images) == shuffled)
    assert learnt > 0.3


@pytest.mark.parametrize(
    "part", [slice(7, 8), slice(100, 700), slice(None, None, -1)], ids=str
)
def test_the_features_of_an_image_do_not_depend_on_other_images(trained, part):
    together = trained.features(TRAIN.images)
    separate = trained.features(TRAIN.images[part])
    np.testing.assert_allclose(separate, together[part], rtol=1e-4, atol=1e-4)


def test_a_trained_classifier_cannot_change(trained):
    with pytest.raises(dataclasses.FrozenInstanceError):
        trained.stats = {}


def test_any_layers_in_the_notation_of_a_config_and_any_number_of_classes():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), np.uint8)
    labels = np.array([0, 2, 1, 0, 2, 1])
    found = classifier.train_classifier(images, labels, 0, 60, "fc 16 relu")
    assert found.features(images).shape == (6, 16)
    np.testing.assert_array_equal(found.predict(images), labels)


def test_layers_with_wrong_notation_are_refused():
    with pytest.raises(UserError, match="layers: cannot read 'convolve 3'"):
        train(TRAIN.labels, layers="convolve 3")


def test_rotations_are_quarters_against_the_clock_and_their_number():
    image = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    images, turns = classifier.rotations(image)
    by_hand = [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0], [2, 0, 3, 1]]
    np.testing.assert_array_equal(images.reshape(4, 4), by_hand)
    np.testing.assert_array_equal(turns, [0, 1, 2, 3])


def test_images_that_are_not_square_are_turned_upside_down_alone():
    images, turns = classifier.rotations(np.zeros((3, 2, 5, 1), np.uint8))
    assert images.shape == (6, 2, 5, 1)
    np.testing.assert_array_equal(turns, [0, 0, 0, 1, 1, 1])


def test_of_large_images_a_random_choice_is_rotated(monkeypatch):
    monkeypatch.setattr(classifier, "LARGEST", 4 * 4 * 70 + 3)
    numbered = np.arange(200, dtype=np.uint8).repeat(4).reshape(200, 2, 2, 1)
    images, turns = classifier.rotations(numbered)
    assert len(images) == len(turns) == 4 * 70
    chosen = np.unique(images)
    assert len(chosen) == 70 and chosen.max() > 150 and chosen.min() < 50
