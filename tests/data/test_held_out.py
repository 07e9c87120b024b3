"""What is held out where a source has no test split: fixed, and never everything."""

import numpy as np
import pytest

from infogan_jax.data.dataset import Split
from infogan_jax.data.held_out import count, hold_out, order

IMAGES = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
LABELS = np.arange(10)
FACTORS = np.stack([LABELS, -LABELS], 1)


def test_the_order_is_a_permutation_and_the_same_for_good():
    assert order(8) == [2, 4, 3, 6, 5, 0, 1, 7]
    assert sorted(order(1000)) == list(range(1000)) != order(1000)


@pytest.mark.parametrize(
    ("total", "share", "expected"),
    [(100, 0.1, 10), (10, 0.26, 3), (10, 0.0, 1), (10, 1.0, 9), (2, 0.5, 1)],
)
def test_a_share_is_rounded_and_leaves_both_parts_something(total, share, expected):
    assert count(total, share) == expected


def test_the_parts_are_disjoint_and_keep_images_labels_and_factors_together():
    train, test = hold_out(Split(IMAGES, LABELS, FACTORS), 0.3)
    assert (len(train.images), len(test.images)) == (7, 3)
    for part in (train, test):
        np.testing.assert_array_equal(part.images[:, 0, 0, 0], part.labels)
        np.testing.assert_array_equal(part.factors.T, [part.labels, -part.labels])
    assert sorted([*train.labels, *test.labels]) == list(range(10))


def test_what_is_not_known_of_all_is_not_known_of_the_parts():
    for part in hold_out(Split(IMAGES), 0.3):
        assert part.labels is None and part.factors is None


def test_the_parts_are_views_and_copy_no_image():
    assert all(np.shares_memory(p.images, IMAGES) for p in hold_out(Split(IMAGES), 0.5))
