"""Real images that are encoded and decoded: what is lost, and the picture."""

import numpy as np
import pytest
from tiny_model import IMAGES, build_model, values

from infogan_jax.analysis import reconstruction
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.report import reconstruction as section
from infogan_jax.data.dataset import Split

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (2000, 4, 4, 1), np.uint8)


def test_nothing_is_lost_by_a_copy_and_all_by_the_mean_image():
    assert reconstruction.lost_share(NOISE, NOISE) == 0
    mean = np.broadcast_to(np.round(NOISE.mean(axis=0)), NOISE.shape).astype(np.uint8)
    assert reconstruction.lost_share(NOISE, mean) == pytest.approx(1, abs=1e-3)


def test_images_of_their_own_lose_twice_the_variance():
    assert reconstruction.lost_share(NOISE, NOISE[::-1]) == pytest.approx(2, rel=0.05)


def test_the_error_is_a_share_of_the_variance_by_hand():
    images = np.uint8([0, 200]).reshape(2, 1, 1, 1)
    off = np.uint8([50, 200]).reshape(2, 1, 1, 1)
    assert reconstruction.lost_share(images, off) == 0.5 * 50**2 / 100**2


def test_real_images_stand_above_their_reconstructions():
    images = RNG.integers(0, 256, (13, 32, 32, 1), np.uint8)
    decoded = 255 - images
    picture = reconstruction.pairs(images, decoded)
    row = grid(images[:10], 10)
    height = len(row)
    assert picture.shape == (4 * height, row.shape[1], 1)
    np.testing.assert_array_equal(picture[:height], row)
    np.testing.assert_array_equal(picture[height : 2 * height], grid(decoded[:10], 10))
    np.testing.assert_array_equal(picture[3 * height :], grid(decoded[10:], 10))


def test_a_picture_shows_fifty_images_at_most():
    images = np.zeros((70, 32, 32, 1), np.uint8)
    picture = reconstruction.pairs(images, images)
    assert len(picture) == 10 * len(grid(images[:10], 10))


def test_the_share_is_that_of_held_out_images_and_g_s_images_of_their_codes():
    model = build_model(reconstructed=IMAGES[::-1].copy())
    measured = section.measure(model)
    expected = reconstruction.lost_share(IMAGES, IMAGES[::-1])
    assert values(measured.measures) == {"reconstruction_error_test": expected}
    protocol = measured.measures["reconstruction_error_test"].protocol
    assert protocol.endswith("on 120 held-out images")
    assert "<img" in section.html(model)


def test_of_images_that_are_all_the_same_there_is_no_share():
    model = build_model(split=Split(np.zeros_like(IMAGES)), reconstructed=IMAGES)
    assert "all held-out images are the same" in section.measure(model).left_out


def test_without_codes_there_is_nothing_to_decode():
    model = build_model("", Split(IMAGES))
    assert "no code" in section.measure(model).left_out and not section.html(model)
