"""Factors, attributes, samples and few labels where the answer is known."""

import math
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr
from tiny import build_tiny
from tiny_model import IMAGES, LABELS, build, read, values

from infogan_jax.analysis.classifier import train_classifier
from infogan_jax.analysis.metrics.attributes import correlations
from infogan_jax.analysis.report import attributes, factors, few_labels, samples
from infogan_jax.analysis.trained_model import Generated
from infogan_jax.data.dataset import Split

RNG = np.random.default_rng(0)


def test_a_code_is_read_in_units_of_its_prior_and_a_category_once_or_spread():
    spec = build_tiny("categorical(3), uniform, gaussian").spec
    outputs = np.array([[0, math.log(2), 0, 0.5, 0, -1.5, 0]], np.float32)
    single, spread = factors.columns(spec, outputs)
    sd_of_three = math.sqrt(2 / 3)
    expected = [[1 / sd_of_three, 0.5 * math.sqrt(3), -1.5]]
    np.testing.assert_allclose(single, expected, rtol=1e-6)
    expected = [[0.25, 0.5, 0.25, 0.5 * math.sqrt(3), -1.5]]
    np.testing.assert_allclose(spread, expected, rtol=1e-6)


FACTORS = np.stack(np.unravel_index(np.arange(600), (4, 5, 30)), axis=1) % [4, 5, 3]
SOME = Split(np.zeros((600, 8, 8, 1), np.uint8), factors=FACTORS.astype(np.int32))


def outputs_of(codes):
    """Q's outputs for uniform codes with the given means."""
    return np.stack([codes, np.zeros_like(codes)], axis=2).reshape(len(codes), -1)


def test_codes_that_are_the_factors_are_disentangled():
    codes = FACTORS / np.array([3, 4, 2]) * 2.0 - 1
    reads = {"test_outputs": read(outputs_of(codes))}
    found = factors.measure(build("3 x uniform", SOME, **reads)).measures
    scores = values(found)
    assert scores.keys() == {
        *("factor_vae", "beta_vae", "mig", "sap", "modularity", "explicitness"),
        *("dci_disentanglement", "dci_completeness", "dci_informativeness"),
    }
    for name in scores.keys() - {"sap", "explicitness"}:
        assert scores[name] == pytest.approx(1, abs=0.02), name
    for measure in found.values():
        assert "on 3 codes and 3 factors of 600 held-out images" in measure.protocol


def test_codes_that_never_change_have_no_score_and_the_reason_is_said():
    reads = {"test_outputs": read(np.zeros((600, 6)))}
    found = factors.measure(build("3 x uniform", SOME, **reads))
    assert not found.measures
    assert "0 of 3 codes and 3 of 3 factors vary" in found.left_out


def test_the_attribute_that_a_code_moves_is_found_with_its_sign():
    grays = RNG.uniform(-1, 1, 120).astype(np.float32)
    levels = np.uint8(120 - 100 * grays)
    painted = np.repeat(levels, 64).reshape(120, 8, 8, 1)
    digit = np.int32(levels > 120)
    codes = {
        "digit": jnp.asarray(digit),
        "uniform_0": jnp.asarray(grays),
        "uniform_1": jnp.zeros(120),
    }
    made = Generated(codes, painted, np.zeros((120, 7), np.float32))
    found = attributes.measure(build(generated=made))
    scores = values(found.measures)
    assert scores["spearman_brightness/uniform_0"] == pytest.approx(-1, abs=1e-3)
    explained = (
        1
        - sum(levels[digit == k].var() * np.mean(digit == k) for k in (0, 1))
        / levels.var()
    )
    assert scores["eta_squared_brightness/digit"] == pytest.approx(explained)
    assert [value for name, value in scores.items() if "uniform_1" in name] == [0, 0]
    assert found.tables["attributes"].rows == ("digit", "uniform_0", "uniform_1")
    assert found.tables["attributes_within"].rows == ("uniform_0", "uniform_1")


def within(value, attribute, categories):
    table = correlations({"code": value}, {"of": attribute}, categories)
    return table["code"]["of"]


def test_a_category_hides_nothing_of_what_a_code_does_within_it():
    value, digit = RNG.uniform(-1, 1, 300), np.arange(300) % 3
    width = 10.0 * digit + value
    assert abs(correlations({"c": value}, {"w": width})["c"]["w"]) < 0.5
    assert within(value, width, digit) == pytest.approx(1)
    assert within(value, width, 7 - digit) == pytest.approx(1)
    opposite = np.where(digit == 0, -value, value)
    assert within(value, opposite, digit) == pytest.approx(1 / 3)
    assert within(value, 1.0 * digit, digit) == 0
    of_all = spearmanr(value, opposite).statistic
    assert within(value, opposite, np.zeros(300, int)) == pytest.approx(of_all)


def test_with_several_categorical_codes_there_is_no_within():
    codes = {
        "categorical_0": LABELS,
        "categorical_1": LABELS,
        "uniform_0": LABELS - 1.0,
    }
    made = Generated(codes, IMAGES, np.zeros((120, 8), np.float32))
    model = build("2 x categorical(3), uniform", generated=made)
    found = attributes.measure(model)
    assert set(found.tables) == {"attributes"}
    assert not [name for name in found.measures if "within" in name]


def test_training_images_are_their_own_best_samples(monkeypatch):
    quick = partial(train_classifier, steps=60, layers="fc 8 bn relu")
    monkeypatch.setattr(samples, "train_classifier", quick)
    made = Generated({}, IMAGES, np.zeros((120, 7), np.float32))
    numbered = Split(IMAGES, 5 + 2 * LABELS)
    found = samples.measure(build(split=numbered, generated=made))
    scores = values(found.measures)
    name = "120_lines_classifier"
    assert scores["accuracy_lines_classifier"] == 1
    assert scores[f"frechet_{name}"] == pytest.approx(0, abs=1e-4)
    for kind in ("precision", "recall", "coverage", "classes_found"):
        assert scores[f"{kind}_{name}"] == 1
    assert scores[f"class_divergence_{name}"] == pytest.approx(0, abs=1e-9)
    table = found.tables["classes"]
    np.testing.assert_allclose(table.values, 1 / 3)
    assert table.columns == ("5", "7", "9"), "labels that do not occur are no classes"


def test_a_count_of_thousands_is_named_as_such():
    assert [samples._short(count) for count in (200, 1437, 10_000)] == [
        *("200", "1437", "10k")
    ]


def test_features_that_are_the_classes_need_few_labels():
    reading = read(np.zeros((120, 7)), np.eye(3)[LABELS])
    noise = Split(RNG.integers(0, 256, IMAGES.shape, np.uint8), LABELS)
    reads = {"train_outputs": reading, "test_outputs": reading}
    found = few_labels.measure(build(split=noise, **reads))
    assert found.measures.keys() == {
        f"linear_{what}_{count}_labels"
        for what in ("trunk", "pixels")
        for count in (10, 100)
    }
    assert found.measures["linear_trunk_10_labels"].value == 1
    assert found.measures["linear_pixels_10_labels"].value < 0.6
