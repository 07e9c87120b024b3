"""The sections of the report: measures, protocols, and reasons for leaving out."""

import math
from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import build_tiny
from tiny_model import (
    EMPTY_STATE,
    IMAGES,
    LABELS,
    SPLIT,
    build_model,
    network_outputs,
    values,
)

from infogan_jax.analysis import generate, trained_model
from infogan_jax.analysis.classifier import train_classifier
from infogan_jax.analysis.report import classes, information, samples
from infogan_jax.analysis.trained_model import Generated, TrainedModel
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.evaluation import SECTIONS
from infogan_jax.game import state
from infogan_jax.model.latents import Code

RNG = np.random.default_rng(0)
DIGIT = Code("digit", "categorical", 3)


def labelled(*groups):
    """Categories and labels from triples (category, label, number of images)."""
    return tuple(
        np.concatenate([np.full(n, group[place]) for *group, n in groups])
        for place in (0, 1)
    )


def test_a_fixed_sd_is_refitted_and_the_protocol_says_so():
    drawn = RNG.uniform(-1, 1, 4000).astype(np.float32)
    means = drawn + RNG.normal(0, 0.1, 4000).astype(np.float32)
    spec = build_tiny("uniform", fixed_sd=1.0).spec
    codes = {"uniform_0": jnp.asarray(drawn)}
    measure = information.mi_bounds(spec, codes, means[:, None])["mi_bound/uniform_0"]
    gaussian = math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.1**2)
    assert measure.value == pytest.approx(gaussian, abs=0.05)
    assert "sd fitted on the first half" in measure.protocol


def test_accuracy_on_held_out_images_uses_the_matching_of_the_training_labels():
    train = labelled((0, 0, 6), (0, 1, 4), (1, 1, 6), (1, 0, 4), (2, 2, 5))
    test = labelled((0, 0, 1), (0, 1, 3), (1, 1, 1), (1, 0, 3), (2, 2, 2))
    scores = values(classes.agreement(DIGIT, train, test))
    assert scores["accuracy_test"] == pytest.approx(4 / 10)
    assert scores["accuracy_test_rematched"] == pytest.approx(8 / 10)
    assert scores["accuracy_train"] == pytest.approx(17 / 25)
    table = classes.confusion(DIGIT, train, test)
    assert table.rows == ("0 → 0", "1 → 1", "2 → 2")
    np.testing.assert_array_equal(table.values, [[1, 3, 0], [3, 1, 0], [0, 0, 2]])
    np.testing.assert_array_equal(table.shades[0], [1 / 4, 3 / 4, 0])


def test_perfect_categories_have_full_agreement_for_any_order_of_categories():
    split = labelled((0, 2, 5), (1, 0, 4), (2, 1, 3))
    scores = values(classes.agreement(DIGIT, split, split))
    assert scores.pop("largest_class_test") == pytest.approx(5 / 12)
    for name, value in scores.items():
        assert value == pytest.approx(1.0), name
    assert classes.confusion(DIGIT, split, split).rows == ("1 → 0", "2 → 1", "0 → 2")


def test_constant_categories_agree_by_chance_only():
    split = labelled((0, 0, 5), (0, 1, 5), (0, 2, 5))
    scores = values(classes.agreement(DIGIT, split, split))
    assert scores["accuracy_test"] == scores["purity_test"] == pytest.approx(1 / 3)
    assert scores["nmi_test"] == pytest.approx(0.0, abs=1e-9)
    assert scores["ari_test"] == pytest.approx(0.0, abs=1e-9)


def test_the_share_of_the_largest_class_stands_beside_what_it_is_compared_with():
    split = labelled((0, 1, 70), (0, 0, 20), (1, 2, 10))
    measures = classes.agreement(DIGIT, split, split)
    assert measures["largest_class_test"].value == pytest.approx(0.7)
    for name in ("accuracy_test", "purity_test", "nmi_test", "ari_test"):
        assert measures[name].protocol.endswith(
            "; the largest class has 0.7000 of them"
        )


@pytest.mark.parametrize("section", ["Classes", "Few labels"])
def test_held_out_images_of_one_class_measure_nothing(section):
    known = network_outputs(np.zeros((120, 3)))
    outputs = {"train_outputs": known, "test_outputs": known}
    model = build_model("categorical(3)", **outputs)
    model = replace(model, test=Split(IMAGES, 0 * LABELS))
    vars(model).update(outputs)
    measured = SECTIONS[section](model)
    assert not measured.measures
    assert "all 120 held-out images have the same label" in measured.left_out


def test_of_several_codes_the_best_on_training_labels_is_measured():
    right, wrong = np.eye(3)[LABELS], np.eye(2)[LABELS % 2]
    outputs = {
        "train_outputs": network_outputs(np.hstack([wrong, right])),
        "test_outputs": network_outputs(
            np.hstack([np.eye(2)[LABELS // 2], right[::-1]])
        ),
    }
    model = build_model("categorical(2), categorical(3)", **outputs)
    measures = classes.measure(model).measures
    assert set(measures) >= {"best_of_2_accuracy_test", "best_of_2_purity_test"}
    assert all(name.startswith("best_of_2_") for name in measures)
    assert measures["best_of_2_accuracy_train"].value == 1
    reversed_right = np.mean(LABELS[::-1] == LABELS)
    assert measures["best_of_2_accuracy_test"].value == pytest.approx(reversed_right)
    protocol = measures["best_of_2_accuracy_test"].protocol
    assert protocol.startswith("categorical_1 of 120 held-out images")
    assert "; of 2 codes this one has the highest accuracy on the" in protocol
    assert protocol.endswith("the labels of 120 training images")


@pytest.mark.parametrize(
    "name, codes, split, text",
    [
        ("Classes", "categorical(3)", Split(IMAGES), "no labels"),
        ("Classes", "2 x uniform", SPLIT, "no code is categorical"),
        ("Classes", "categorical(3)", Split(IMAGES, 0 * LABELS), "the same label"),
        ("Attributes", "", SPLIT, "no code"),
        ("Factors", "uniform", SPLIT, "factors of the images are not known"),
        ("Factors", "", Split(IMAGES, factors=LABELS[:, None]), "no code"),
        ("Samples", "uniform", Split(IMAGES[:9], LABELS[:9]), "only 9 images"),
        ("Few labels", "uniform", Split(IMAGES), "no labels"),
        ("Few labels", "uniform", Split(IMAGES, 0 * LABELS), "the same label"),
    ],
)
def test_what_cannot_be_measured_is_left_out_with_a_reason(name, codes, split, text):
    blank = Generated({}, IMAGES, np.zeros((120, 0), np.float32))
    known = network_outputs(np.zeros((120, build_tiny(codes).spec.output_size)))
    outputs = {"train_outputs": known, "test_outputs": known, "generated": blank}
    section = SECTIONS[name](build_model(codes, split, **outputs))
    assert text in section.left_out
    assert not section.measures and not section.tables


def test_a_collapsed_run_is_measured_without_a_crash(monkeypatch):
    small_classifier = partial(train_classifier, steps=20, layers="fc 8 relu")
    monkeypatch.setattr(samples, "train_classifier", small_classifier)
    algorithm = build_tiny("digit=categorical(3), 2 x uniform")
    shapes = jax.eval_shape(partial(state.create_state, algorithm), jnp.uint32(0))
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    split = Split(IMAGES, LABELS, np.stack([LABELS, LABELS % 2], axis=1))
    model = TrainedModel(algorithm, zeros, 0, 120, split, split, "lines")
    sections = {name: measure(model) for name, measure in SECTIONS.items()}
    assert {name for name, each in sections.items() if each.left_out} == {"Factors"}
    for section in sections.values():
        assert np.isfinite(list(values(section.measures).values())).all()
    bound = sections["Information"].measures["jsd_bound"].value
    assert bound == pytest.approx(0, abs=1e-6)
    assert sections["Samples"].measures[
        "classes_found_120_lines_classifier"
    ].value == pytest.approx(1 / 3)


def test_a_subset_has_the_same_rows_of_images_labels_and_factors():
    rows = np.arange(500)
    images = np.uint8(rows % 251)[:, None, None, None]
    pairs = np.stack([rows, -rows], axis=1)
    split = Split(images, rows, pairs, factor_values=pairs / 2)
    few = trained_model.subset(split, 40)
    assert len(np.unique(few.labels)) == 40
    np.testing.assert_array_equal(few.images[:, 0, 0, 0], few.labels % 251)
    np.testing.assert_array_equal(few.factors[:, 1], -few.labels)
    np.testing.assert_array_equal(few.factor_values, few.factors / 2)
    np.testing.assert_array_equal(trained_model.subset(split, 40).labels, few.labels)
    assert trained_model.subset(split, 500) is split


def test_images_that_were_trained_on_are_not_called_held_out():
    algorithm = build_tiny("uniform")
    for is_held_out, text in ((True, "held-out images"), (False, "not held out")):
        provenance = {"name": "toy-set/1.0", "test_is_held_out": is_held_out}
        data = Dataset(SPLIT, SPLIT, provenance)
        model = trained_model.from_dataset(algorithm, EMPTY_STATE, 0, 10, data)
        assert text in model.test_description
        assert model.data_name == "toy_set"


def test_the_first_latents_do_not_depend_on_how_many_follow():
    spec = build_tiny().spec
    many, few = (generate.sample_latents(spec, 3, count) for count in (700, 500))
    chex.assert_trees_all_equal(jax.tree.map(lambda leaf: leaf[:500], many), few)
    assert len(np.unique(many.noise[:, 0])) > 690
