"""Distances of patches: by hand, invariances, and what each scale sees."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from infogan_jax.analysis.metrics import patches


def textured(seed, count=40, side=32, channels=3):
    """Images of smooth blobs with a fine grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 200, (count, 4, 4, channels))
    blobs = coarse.repeat(side // 4, axis=1).repeat(side // 4, axis=2)
    grain = rng.normal(0, 12, (count, side, side, channels))
    return np.clip(blobs + grain, 0, 255).astype(np.uint8)


def test_in_one_dimension_it_is_the_wasserstein_distance():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(50, 1)), rng.normal(1, 2, size=(50, 1))
    expected = wasserstein_distance(first[:, 0], second[:, 0])
    assert patches.sliced_wasserstein(first, second) == pytest.approx(expected)


def test_two_points_a_shift_apart_are_its_mean_projection_apart():
    shift = np.array([[3.0, 4.0]])
    at = np.zeros((1, 2))
    # the mean of |cos| over all directions of the plane is 2 / pi
    expected = 5 * 2 / np.pi
    found = [patches.sliced_wasserstein(at, at + shift, seed) for seed in range(20)]
    assert np.mean(found) == pytest.approx(expected, rel=0.02)


def test_equal_images_have_no_distance_at_any_scale_and_order_does_not_matter():
    images = textured(0)
    found = patches.patch_distances(images, images)
    assert found == {(32, 32): 0.0, (16, 16): 0.0}
    other = textured(1)
    there, back = (
        patches.patch_distances(*pair) for pair in ((images, other), (other, images))
    )
    assert there == pytest.approx(back)


def test_brighter_images_of_less_contrast_are_as_near():
    first, second = textured(0), textured(1)
    paler = (second // 2 + 60).astype(np.uint8)
    near, also = (patches.patch_distances(first, x) for x in (second, paler))
    assert also == pytest.approx(near, rel=0.2, abs=0.01)


def test_a_grid_over_the_images_is_seen_at_the_fine_scale_alone():
    """The pattern in which an InfoGAN can hide a code from people."""
    real, other = textured(0), textured(1)
    grid = 25 * (-1) ** np.add.outer(np.arange(32), np.arange(32))[None, :, :, None]
    hidden = np.clip(other + grid, 0, 255).astype(np.uint8)
    floor = patches.patch_distances(real, other)
    found = patches.patch_distances(real, hidden)
    assert found[32, 32] > 3 * floor[32, 32]
    assert found[16, 16] < 2 * floor[16, 16]


def test_images_smaller_than_a_patch_have_no_distance_and_small_ones_one_scale():
    assert patches.patch_distances(*[textured(0, side=4)] * 2) == {}
    assert list(patches.patch_distances(*[textured(0, side=8)] * 2)) == [(8, 8)]
    black = np.zeros((10, 28, 28, 1), np.uint8)
    assert patches.patch_distances(black, black) == {(28, 28): 0.0, (14, 14): 0.0}
