"""Which training images are labelled, and how a step draws from them."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.data import batches, labelled
from infogan_jax.data.dataset import Split
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError

DIGITS = digits.load().train
LABELS = np.repeat([0, 1, 2], [30, 20, 10])
SPLIT = Split(
    np.random.default_rng(0).integers(0, 256, (60, 4, 4, 1), np.uint8), LABELS
)


def rows(count, seed=0, split=DIGITS):
    return labelled.draw(split, count, seed).rows


@pytest.mark.parametrize("count", [10, 20, 100, 1000])
def test_every_class_has_the_same_number_of_labels(count):
    drawn = rows(count)
    assert len(np.unique(drawn)) == count
    assert (np.bincount(DIGITS.labels[drawn]) == count // 10).all()


def test_the_seed_decides_which_images_are_labelled():
    assert (rows(100) == rows(100)).all()
    assert len(np.intersect1d(rows(100), rows(100, seed=1))) < 30


def test_over_many_seeds_every_image_of_a_class_is_drawn_equally_often():
    counts = np.zeros(60)
    for seed in range(300):
        counts[rows(15, seed, SPLIT)] += 1
    shares = counts / 300
    expected = np.repeat([5 / 30, 5 / 20, 5 / 10], [30, 20, 10])
    assert np.abs(shares - expected).max() < 4 * np.sqrt(0.25 / 300)


def test_the_order_of_the_images_does_not_matter():
    order = np.random.default_rng(0).permutation(len(DIGITS.labels))
    moved = Split(DIGITS.images[order], DIGITS.labels[order])
    assert set(order[rows(100, split=moved)]) == set(rows(100))


def test_fewer_labels_are_a_part_of_more():
    assert set(rows(20)) < set(rows(100)) < set(rows(1000))


def test_what_is_recorded_are_the_rows_and_their_labels():
    drawn = labelled.draw(DIGITS, 20, 3)
    record = drawn.record()
    assert record["labels"] == DIGITS.labels[record["rows"]].tolist()
    assert (drawn.images == DIGITS.images[record["rows"]]).all()


@pytest.mark.parametrize("count", [1, 4, 31, 33, 90, 1000])
def test_a_count_that_is_not_possible_is_refused_and_a_possible_one_offered(count):
    words = rf"labels\.count \(={count}\) must be a multiple of .*\(=3\).* most 30"
    with pytest.raises(UserError, match=words) as caught:
        labelled.check_count(SPLIT, count)
    [offered] = re.findall(r"try (\d+)\.", str(caught.value))
    labelled.check_count(SPLIT, int(offered))
    assert len(rows(int(offered), split=SPLIT)) == int(offered)


@pytest.mark.parametrize(
    "labels, words",
    [
        (None, r"\(=3\) needs labels, and the data has none; set it to 0, or"),
        (np.zeros(60, int), "there is one class only; set it to 0"),
        (LABELS + (LABELS > 1), "class 2 has no training image; set it to 0"),
    ],
)
def test_data_from_which_no_labels_can_be_drawn_is_refused(labels, words):
    with pytest.raises(UserError, match=words):
        labelled.check_count(Split(SPLIT.images, labels), 3)


def test_numbers_from_minus_1_to_1_pick_every_labelled_image_with_its_class():
    drawn = labelled.draw(SPLIT, 6, 0)
    uniform = jnp.linspace(-0.999, 0.999, 60)
    images, classes = labelled.pick(drawn, (-1.0, 1.0), uniform)
    place = np.repeat(np.arange(6), 10)
    np.testing.assert_allclose(images, drawn.images[place] / 127.5 - 1, atol=1e-6)
    assert (np.asarray(classes).argmax(1) == SPLIT.labels[drawn.rows][place]).all()


@pytest.mark.parametrize("make", [batches.resident, batches.streamed])
def test_labelled_images_stand_beside_the_same_batches_as_without_them(make):
    few = labelled.draw(SPLIT, 6, 0)
    alone = make(SPLIT.images, 3, range(0, 4, 2), 5)
    beside = batches.with_labelled(alone, few)
    for call, other in zip(
        alone.calls(np.arange(5)), beside.calls(np.arange(5)), strict=True
    ):
        kept, both = (
            jax.tree.map(jnp.asarray, each.resident) for each in (alone, beside)
        )
        batch = beside.fetch(both, jnp.asarray(other[1]))
        expected = alone.fetch(kept, jnp.asarray(call[1]))
        assert (batch.images == expected).all()
        assert (batch.labelled.classes == few.classes).all()
