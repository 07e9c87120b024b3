"""Scaling of images from bytes to the range of the generator, and back."""

import chex
import numpy as np
import pytest

from infogan_jax.data import scaling

BYTES = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
RANGES = [(0.0, 1.0), (-1.0, 1.0)]


@pytest.mark.parametrize("output_range", RANGES)
def test_to_uint8_inverts_to_range_for_all_bytes(output_range):
    scaled = np.asarray(scaling.to_range(BYTES, output_range))
    np.testing.assert_array_equal(scaling.to_uint8(scaled, output_range), BYTES)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_bytes_cover_the_whole_range_in_equal_steps(low, high):
    scaled = scaling.to_range(BYTES, (low, high))
    chex.assert_type(scaled, np.float32)
    chex.assert_shape(scaled, BYTES.shape)
    expected = np.linspace(low, high, 256).reshape(BYTES.shape)
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


@pytest.mark.parametrize("output_range", RANGES)
def test_values_outside_the_range_are_clipped(output_range):
    low, high = output_range
    values = np.array([low - 9.0, low, high, high + 9.0], np.float32)
    actual = scaling.to_uint8(values.reshape(1, 1, 4, 1), output_range)
    np.testing.assert_array_equal(actual.ravel(), [0, 0, 255, 255])


@pytest.mark.parametrize(("fraction", "byte"), [(0.4, 100), (0.6, 101)])
def test_a_value_between_two_bytes_is_rounded(fraction, byte):
    values = np.full((1, 1, 1), (100 + fraction) / 255, np.float32)
    np.testing.assert_array_equal(scaling.to_uint8(values, (0.0, 1.0)), byte)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_scaling_keeps_any_number_of_batch_axes(batch):
    scaled = scaling.to_range(np.zeros((*batch, 2, 2, 1), np.uint8), (0.0, 1.0))
    chex.assert_shape(scaled, (*batch, 2, 2, 1))
