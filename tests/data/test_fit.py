"""Cropping, colour conversion and resizing of images."""

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data import prepared
from infogan_jax.errors import UserError


def gradient_image(height, width):
    rows, columns = np.indices((height, width))
    pixels = np.stack([10 * rows, 10 * columns, 0 * rows], -1).astype(np.uint8)
    return Image.fromarray(pixels), pixels


def test_fit_crops_the_central_square_or_keeps_the_whole_image():
    image, pixels = gradient_image(7, 10)
    np.testing.assert_array_equal(prepared.fit(image, 0, 0, 0), pixels)
    np.testing.assert_array_equal(prepared.fit(image, 3, 0, 0), pixels[2:5, 3:6])


def test_fit_crops_the_largest_square_before_it_resizes():
    image, pixels = gradient_image(6, 10)
    np.testing.assert_array_equal(prepared.fit(image, 0, 6, 0), pixels[:, 2:8])
    expected = Image.fromarray(np.ascontiguousarray(pixels[:, 2:8]))
    expected = np.asarray(expected.resize((3, 3), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(prepared.fit(image, 0, 3, 0), expected)


def test_fit_converts_between_gray_and_colour():
    image, _ = gradient_image(4, 4)
    assert prepared.fit(image, 0, 0, 1).shape == (4, 4, 1)
    gray = prepared.fit(image.convert("L"), 0, 2, 3)
    assert gray.shape == (2, 2, 3) and np.ptp(gray, axis=-1).max() == 0


def test_fit_refuses_a_crop_larger_than_the_image():
    image, _ = gradient_image(7, 10)
    with pytest.raises(UserError, match=r"crop \(=8\) must be at most .* x is 7 x 10"):
        prepared.fit(image, 8, 4, 0, "x")


def test_an_error_about_two_image_sizes_names_both_images(tmp_path):
    def examples():
        for name, height in (("'a'", 4), ("'b'", 4), ("'c'", 3)):
            yield prepared.Example(np.zeros((height, 5, 1), np.uint8), name=name)

    message = r"size \(=0\) .* 'a' is 4 x 5 and 'c' is 3 x 5; set .*data.size=4\."
    with pytest.raises(UserError, match=message):
        prepared.prepare(tmp_path, {"name": "uneven"}, 3, examples)
    assert not list((tmp_path / prepared.FOLDER).iterdir())
