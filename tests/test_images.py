"""Bytes and a network's range, and where a grid puts each image."""

import chex
import numpy as np
import pytest

from infogan_jax import images

BYTES = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
RANGES = [(0.0, 1.0), (-1.0, 1.0)]


@pytest.mark.parametrize("output_range", RANGES)
def test_all_bytes_survive_the_way_to_a_range_and_back(output_range):
    scaled = np.asarray(images.to_range(BYTES, output_range))
    np.testing.assert_array_equal(images.to_uint8(scaled, output_range), BYTES)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_bytes_fill_the_range_from_end_to_end_in_even_steps(low, high):
    scaled = images.to_range(BYTES, (low, high))
    chex.assert_type(scaled, np.float32)
    chex.assert_shape(scaled, BYTES.shape)
    expected = np.linspace(low, high, 256).reshape(BYTES.shape)
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


@pytest.mark.parametrize("output_range", RANGES)
def test_values_outside_the_range_are_clipped(output_range):
    low, high = output_range
    values = np.array([low - 9.0, low, high, high + 9.0], np.float32)
    actual = images.to_uint8(values.reshape(1, 1, 4, 1), output_range)
    np.testing.assert_array_equal(actual.ravel(), [0, 0, 255, 255])


@pytest.mark.parametrize(("part", "byte"), [(0.4, 100), (0.6, 101)])
def test_a_value_between_two_bytes_goes_to_the_nearer_one(part, byte):
    values = np.full((1, 1, 1), (100 + part) / 255, np.float32)
    np.testing.assert_array_equal(images.to_uint8(values, (0.0, 1.0)), byte)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_scaling_keeps_any_number_of_leading_axes(batch):
    scaled = images.to_range(np.zeros((*batch, 2, 2, 1), np.uint8), (0.0, 1.0))
    chex.assert_shape(scaled, (*batch, 2, 2, 1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("margin", [0, 1, 2])
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (7, 3), (2, 5)])
def test_each_image_is_at_its_place_in_reading_order_and_the_rest_is_white(
    count, columns, margin, channels
):
    height, width = 4, 5
    rng = np.random.default_rng(0)
    shape = (count, height, width, channels)
    painted = rng.integers(0, 255, shape, dtype=np.uint8)
    picture = images.grid(painted, columns, margin, smallest=1)
    rows = -(-count // columns)
    size = (rows * (height + margin) + margin, columns * (width + margin) + margin)
    assert picture.shape == (*size, channels)
    expected = np.full((*size, channels), 255, np.uint8)
    for place, image in enumerate(painted):
        top = margin + place // columns * (height + margin)
        left = margin + place % columns * (width + margin)
        expected[top : top + height, left : left + width] = image
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize(
    ("size", "shown"), [(8, 32), (16, 32), (28, 56), (31, 62), (32, 32), (64, 64)]
)
def test_small_images_are_enlarged_by_a_whole_factor_to_at_least_32(size, shown):
    picture = images.grid(np.zeros((1, size, size, 1), np.uint8), 1)
    assert picture.shape == (shown + 2, shown + 2, 1)


def test_an_enlarged_pixel_is_a_square():
    image = np.array([[10, 20], [30, 40]], np.uint8)[None, :, :, None]
    picture = images.grid(image, 1, margin=0, smallest=6)
    expected = np.kron([[10, 20], [30, 40]], np.ones((3, 3)))
    np.testing.assert_array_equal(picture[..., 0], expected)


def test_a_grid_does_not_change_the_images_it_shows():
    painted = np.full((3, 32, 32, 1), 7, np.uint8)
    images.grid(painted, 2)
    np.testing.assert_array_equal(painted, 7)
