"""Grids of images, and their images again."""

import numpy as np
import pytest

from infogan_jax.analysis import grids


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("margin", [0, 1, 2])
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (7, 3), (2, 5)])
def test_each_image_is_at_its_place_in_reading_order_and_the_rest_is_white(
    count, columns, margin, channels
):
    height, width = 4, 5
    rng = np.random.default_rng(0)
    shape = (count, height, width, channels)
    images = rng.integers(0, 255, shape, dtype=np.uint8)
    picture = grids.grid(images, columns, margin, smallest=1)
    rows = -(-count // columns)
    size = (rows * (height + margin) + margin, columns * (width + margin) + margin)
    assert picture.shape == (*size, channels)
    expected = np.full((*size, channels), 255, np.uint8)
    for place, image in enumerate(images):
        top = margin + place // columns * (height + margin)
        left = margin + place % columns * (width + margin)
        expected[top : top + height, left : left + width] = image
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize(
    ("size", "shown"), [(8, 32), (16, 32), (28, 56), (31, 62), (32, 32), (64, 64)]
)
def test_small_images_are_enlarged_by_a_whole_factor_to_at_least_32(size, shown):
    picture = grids.grid(np.zeros((1, size, size, 1), np.uint8), 1)
    assert picture.shape == (shown + 2, shown + 2, 1)


def test_an_enlarged_pixel_is_a_square():
    image = np.array([[10, 20], [30, 40]], np.uint8)[None, :, :, None]
    picture = grids.grid(image, 1, margin=0, smallest=6)
    expected = np.kron([[10, 20], [30, 40]], np.ones((3, 3)))
    np.testing.assert_array_equal(picture[..., 0], expected)


def test_a_grid_does_not_change_the_images_it_shows():
    images = np.full((3, 32, 32, 1), 7, np.uint8)
    grids.grid(images, 2)
    np.testing.assert_array_equal(images, 7)


@pytest.mark.parametrize("size, margin", [(32, 1), (40, 0), (33, 2)])
def test_a_full_grid_is_cut_into_its_images_again(size, margin):
    shape = (6, size, size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = grids.grid(images, 3, margin)
    cells = grids.split_grid(picture, 2, 3, margin)
    np.testing.assert_array_equal(cells[:, :size, :size], images)
    assert (cells[:, size:] == 255).all() and (cells[:, :, size:] == 255).all()
