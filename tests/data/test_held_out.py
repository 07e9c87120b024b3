"""The fixed choice of held-out examples, for sources without a test split."""

import numpy as np
import pytest

from infogan_jax.data.dataset import Split
from infogan_jax.data.held_out import count, hold_out, order

IMAGES = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
LABELS = np.arange(10)
FACTORS = np.stack([LABELS, -LABELS], 1)


def test_the_order_is_a_fixed_permutation():
    assert order(8) == [2, 4, 3, 6, 5, 0, 1, 7]
    assert sorted(order(1000)) == list(range(1000)) != order(1000)


@pytest.mark.parametrize(
    ("total", "share", "expected"),
    [(100, 0.1, 10), (10, 0.26, 3), (10, 0.0, 1), (10, 1.0, 9), (2, 0.5, 1)],
)
def test_a_share_is_rounded_and_no_split_is_empty(total, share, expected):
    assert count(total, share) == expected


def test_the_splits_are_disjoint_and_keep_images_labels_and_factors_together():
    train, test = hold_out(Split(IMAGES, LABELS, FACTORS), 0.3)
    assert (len(train.images), len(test.images)) == (7, 3)
    for split in (train, test):
        np.testing.assert_array_equal(split.images[:, 0, 0, 0], split.labels)
        np.testing.assert_array_equal(split.factors.T, [split.labels, -split.labels])
    assert sorted([*train.labels, *test.labels]) == list(range(10))


def test_splits_of_data_without_labels_and_factors_have_none():
    for split in hold_out(Split(IMAGES), 0.3):
        assert split.labels is None and split.factors is None


def test_the_splits_are_views_and_copy_no_image():
    assert all(np.shares_memory(p.images, IMAGES) for p in hold_out(Split(IMAGES), 0.5))
