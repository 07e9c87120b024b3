"""Accuracy of a linear classifier on features, with few labels."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics import linear_probe

CLASSES = np.arange(300) % 3


def features_of(classes, noise, seed=0, size=5):
    """A direction for each class, and noise."""
    drawn = np.random.default_rng(seed).normal(size=(len(classes), size))
    return np.eye(size)[classes] + noise * drawn


def probe(train, test, counts=(10, 100), **options):
    return linear_probe.linear_probe(train, CLASSES, test, CLASSES, counts, **options)


def test_separate_classes_need_ten_labels_in_any_draw():
    train, test = features_of(CLASSES, 0.05), features_of(CLASSES, 0.05, seed=1)
    assert probe(train, test) == {
        10: linear_probe.Probe(1.0, 0.0),
        100: linear_probe.Probe(1.0, 0.0),
    }


def test_more_labels_give_a_higher_accuracy_on_noisy_features():
    train, test = features_of(CLASSES, 0.5), features_of(CLASSES, 0.5, seed=1)
    found = probe(train, test, repeats=10)
    assert found[10].mean + 0.05 < found[100].mean < 0.95
    assert found[10].sd > found[100].sd > 0


def test_features_without_classes_give_chance():
    train, test = np.random.default_rng(0).normal(size=(2, 300, 5))
    assert probe(train, test)[100].mean == pytest.approx(1 / 3, abs=0.06)


def test_the_seed_decides_the_draw():
    train, test = features_of(CLASSES, 0.5), features_of(CLASSES, 0.5, seed=1)
    assert probe(train, test, seed=1) == probe(train, test, seed=1)
    assert probe(train, test, seed=1) != probe(train, test, seed=2)


def test_the_scale_and_the_shift_of_a_feature_do_not_matter():
    train, test = features_of(CLASSES, 0.5), features_of(CLASSES, 0.5, seed=1)
    scale, shift = np.float64([[1e-3, 1, 100, 5, 1]]), np.arange(5)[None]
    moved = probe(train * scale + shift, test * scale + shift)
    assert moved == probe(train, test)


def test_mean_and_sd_are_taken_over_the_draws(monkeypatch):
    scores = iter([0.5, 0.7, 0.9])
    monkeypatch.setattr(
        linear_probe.LogisticRegression, "score", lambda *arguments: next(scores)
    )
    found = probe(features_of(CLASSES, 0.5), features_of(CLASSES, 0.5), [10], repeats=3)
    assert found[10].mean == pytest.approx(0.7)
    assert found[10].sd == pytest.approx(0.2)


@pytest.mark.parametrize("count", [2, 3, 8, 20])
def test_labels_are_drawn_from_all_classes_in_turn(monkeypatch, count):
    fit, seen = linear_probe.LogisticRegression.fit, []

    def spy(self, features, labels):
        seen.append(np.bincount(labels, minlength=3))
        return fit(self, features, labels)

    monkeypatch.setattr(linear_probe.LogisticRegression, "fit", spy)
    rare = np.repeat([0, 1, 2], [280, 15, 5])
    features = features_of(rare, 0.5)
    linear_probe.linear_probe(features, rare, features, rare, [count], repeats=4)
    assert len(seen) == 4
    for drawn in seen:
        assert drawn.sum() == count
        shares = drawn if count < 16 else drawn[:2]
        assert np.ptp(shares) <= 1
        assert count < 16 or drawn[2] == 5


def test_counts_above_the_number_of_images_are_left_out():
    x = features_of(CLASSES, 0.5)
    assert list(probe(x, x, [10, 300, 301])) == [10, 300]
