"""Measures of factors, attributes, samples, bounds, few labels with known values."""

import math
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr
from tiny import build_tiny
from tiny_model import IMAGES, LABELS, build_model, network_outputs, values

from infogan_jax.analysis.classifier import train_classifier
from infogan_jax.analysis.metrics.attributes import correlations
from infogan_jax.analysis.report import (
    attributes,
    factors,
    few_labels,
    information,
    samples,
)
from infogan_jax.analysis.trained_model import Generated
from infogan_jax.data.dataset import Split
from infogan_jax.game.games.catalog import GAMES

RNG = np.random.default_rng(0)


def test_codes_are_in_units_of_the_prior_and_categories_are_one_column_or_several():
    spec = build_tiny("categorical(3), uniform, gaussian").spec
    outputs = np.array([[0, math.log(2), 0, 0.5, 0, -1.5, 0]], np.float32)
    single, expanded = factors.code_tables(spec, outputs)
    sd_of_three = math.sqrt(2 / 3)
    expected = [[1 / sd_of_three, 0.5 * math.sqrt(3), -1.5]]
    np.testing.assert_allclose(single, expected, rtol=1e-6)
    expected = [[0.25, 0.5, 0.25, 0.5 * math.sqrt(3), -1.5]]
    np.testing.assert_allclose(expanded, expected, rtol=1e-6)


FACTORS = np.stack(np.unravel_index(np.arange(600), (4, 5, 30)), axis=1) % [4, 5, 3]
SPLIT = Split(np.zeros((600, 8, 8, 1), np.uint8), factors=FACTORS.astype(np.int32))


def outputs_of(codes):
    """Q's outputs for uniform codes with the given means."""
    return np.stack([codes, np.zeros_like(codes)], axis=2).reshape(len(codes), -1)


def test_codes_that_are_the_factors_are_disentangled():
    codes = FACTORS / np.array([3, 4, 2]) * 2.0 - 1
    outputs = {"test_outputs": network_outputs(outputs_of(codes))}
    measures = factors.measure(build_model("3 x uniform", SPLIT, **outputs)).measures
    scores = values(measures)
    assert scores.keys() == {
        *("factor_vae", "beta_vae", "mig", "sap", "modularity", "explicitness"),
        *("dci_disentanglement", "dci_completeness", "dci_informativeness"),
    }
    for name in scores.keys() - {"sap", "explicitness"}:
        assert scores[name] == pytest.approx(1, abs=0.02), name
    for measure in measures.values():
        assert "on 3 codes and 3 factors of 600 held-out images" in measure.protocol


def test_a_game_that_compares_images_has_the_mean_bound_of_blocks(monkeypatch):
    monkeypatch.setattr(information.encode, "BATCH_SIZE", 50)
    model = build_model()
    algorithm = replace(model.algorithm, game=GAMES["moment_matching"])
    model = replace(model, algorithm=algorithm)
    generated = np.split(np.float32(RNG.random((120, 8, 8, 1))), [50, 100])
    vars(model).update(generate=lambda count: iter(generated))
    [(name, measure)] = information.divergence_bound(model).items()
    real = np.split(np.float32(IMAGES) / 255, [50, 100])
    bound = algorithm.game.bound.value
    parts = [
        bound(*(jnp.asarray(each.reshape(len(each), -1)) for each in block))
        for block in zip(real, generated, strict=True)
    ]
    assert name == "divergence_bound/mmd_squared" and measure.unit == "index"
    assert measure.value == pytest.approx(np.mean(parts), rel=1e-5)


def test_a_game_without_a_bound_has_none_in_the_report():
    game = replace(GAMES["hinge"], bound=None)
    model = build_model()
    model = replace(model, algorithm=replace(model.algorithm, game=game))
    assert information.divergence_bound(model) == {}


def test_constant_codes_have_no_score_and_the_reason_is_given():
    outputs = {"test_outputs": network_outputs(np.zeros((600, 6)))}
    section = factors.measure(build_model("3 x uniform", SPLIT, **outputs))
    assert not section.measures
    assert "0 of 3 codes and 3 of 3 factors vary" in section.left_out


def test_the_attribute_that_a_code_changes_is_found_with_the_sign_of_the_change():
    grays = RNG.uniform(-1, 1, 120).astype(np.float32)
    levels = np.uint8(120 - 100 * grays)
    images = np.repeat(levels, 64).reshape(120, 8, 8, 1)
    digit = np.int32(levels > 120)
    codes = {
        "digit": jnp.asarray(digit),
        "uniform_0": jnp.asarray(grays),
        "uniform_1": jnp.zeros(120),
    }
    generated = Generated(codes, images, np.zeros((120, 7), np.float32))
    section = attributes.measure(build_model(generated=generated))
    scores = values(section.measures)
    assert scores["spearman_brightness/uniform_0"] == pytest.approx(-1, abs=1e-3)
    explained = (
        1
        - sum(levels[digit == k].var() * np.mean(digit == k) for k in (0, 1))
        / levels.var()
    )
    assert scores["eta_squared_brightness/digit"] == pytest.approx(explained)
    assert [value for name, value in scores.items() if "uniform_1" in name] == [0, 0]
    assert section.tables["attributes"].rows == ("digit", "uniform_0", "uniform_1")
    assert section.tables["attributes_within"].rows == ("uniform_0", "uniform_1")


def within(value, attribute, categories):
    table = correlations({"code": value}, {"of": attribute}, categories)
    return table["code"]["of"]


def test_the_correlation_within_categories_ignores_differences_between_them():
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


def test_with_several_categorical_codes_nothing_is_measured_within_categories():
    codes = {
        "categorical_0": LABELS,
        "categorical_1": LABELS,
        "uniform_0": LABELS - 1.0,
    }
    generated = Generated(codes, IMAGES, np.zeros((120, 8), np.float32))
    model = build_model("2 x categorical(3), uniform", generated=generated)
    section = attributes.measure(model)
    assert set(section.tables) == {"attributes"}
    assert not [name for name in section.measures if "within" in name]


def test_generated_images_equal_to_the_training_images_have_the_best_scores(
    monkeypatch,
):
    small_classifier = partial(train_classifier, steps=60, layers="fc 8 bn relu")
    monkeypatch.setattr(samples, "train_classifier", small_classifier)
    generated = Generated({}, IMAGES, np.zeros((120, 7), np.float32))
    numbered = Split(IMAGES, 5 + 2 * LABELS)
    section = samples.measure(build_model(split=numbered, generated=generated))
    scores = values(section.measures)
    name = "120_lines_classifier"
    assert scores["accuracy_lines_classifier"] == 1
    assert scores[f"frechet_{name}"] == pytest.approx(0, abs=1e-4)
    for kind in ("precision", "recall", "coverage", "classes_found"):
        assert scores[f"{kind}_{name}"] == 1
    assert abs(scores[f"kernel_distance_{name}"]) < 0.1
    for kind in ("kernel_distance", "frechet", "coverage"):
        held_out = scores[f"{kind}_120_held_out_lines_classifier"]
        assert held_out == pytest.approx(scores[f"{kind}_{name}"], abs=1e-9)
    assert scores[f"class_divergence_{name}"] == pytest.approx(0, abs=1e-9)
    table = section.tables["classes"]
    np.testing.assert_allclose(table.values, 1 / 3)
    assert table.columns == ("5", "7", "9"), "labels that do not occur are no classes"


@pytest.mark.parametrize("labels", [None, 0 * LABELS])
def test_without_classes_images_are_compared_by_a_classifier_of_rotations(
    monkeypatch, labels
):
    small_classifier = partial(train_classifier, steps=60, layers="fc 8 bn relu")
    monkeypatch.setattr(samples, "train_classifier", small_classifier)
    generated = Generated({}, IMAGES, np.zeros((120, 7), np.float32))
    section = samples.measure(
        build_model(split=Split(IMAGES, labels), generated=generated)
    )
    scores = values(section.measures)
    assert not section.tables and not [name for name in scores if "class" in name]
    assert scores["accuracy_lines_rotations"] > 0.7
    assert samples.recall_and_floor(section) == (1.0, 1.0)
    for kind in ("precision", "recall", "coverage"):
        assert scores[f"{kind}_120_lines_rotations"] == 1
        assert scores[f"floor_{kind}_120_held_out_lines_rotations"] == 1


def test_the_floor_is_that_of_a_random_choice_of_images_that_lie_in_an_order(
    monkeypatch,
):
    class Brightness:
        def __init__(self, images, labels, seed):
            pass

        def features(self, images):
            return np.mean(images, (1, 2), dtype=np.float32)

        def predict(self, images):
            return np.zeros(len(images), int)

    monkeypatch.setattr(samples, "train_classifier", Brightness)
    levels = np.linspace(0, 255, 1200).astype(np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (1200, 8, 8, 1))
    is_held_out = np.arange(1200) % 6 == 0
    generated = Generated({}, images[:1000], np.zeros((1000, 7), np.float32))
    model = build_model(split=Split(images[~is_held_out]), generated=generated)
    model = replace(model, test=Split(images[is_held_out]))
    vars(model)["generated"] = generated
    scores = values(samples.measure(model).measures)
    for kind in ("recall", "coverage"):
        assert scores[f"floor_{kind}_200_held_out_lines_rotations"] > 0.9


@pytest.mark.parametrize("count, has_frechet", [(79, False), (80, True)])
def test_a_frechet_distance_needs_ten_images_for_each_feature(count, has_frechet):
    real, generated = RNG.normal(size=(2, count, 8))
    measures = samples.distances(real, generated, f"{count} training", "y", "x")
    assert ("frechet_x" in measures) == has_frechet
    assert "kernel_distance_x" in measures


def test_a_count_of_thousands_is_abbreviated():
    assert [samples._short(count) for count in (200, 1437, 10_000)] == [
        *("200", "1437", "10k")
    ]


def test_features_that_are_the_classes_need_few_labels():
    known = network_outputs(np.zeros((120, 7)), np.eye(3)[LABELS])
    noise = Split(RNG.integers(0, 256, IMAGES.shape, np.uint8), LABELS)
    outputs = {"train_outputs": known, "test_outputs": known}
    measures = few_labels.measure(build_model(split=noise, **outputs)).measures
    assert measures.keys() == {
        f"linear_{what}_{count}_labels"
        for what in ("trunk", "pixels")
        for count in (10, 100)
    }
    assert measures["linear_trunk_10_labels"].value == 1
    assert measures["linear_pixels_10_labels"].value < 0.6
