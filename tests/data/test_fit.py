"""Cropping, colour conversion and resizing of images."""

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data.dataset import Request
from infogan_jax.data.rendering import Rules, render
from infogan_jax.errors import UserError


def gradient_image(height, width):
    rows, columns = np.indices((height, width))
    pixels = np.stack([10 * rows, 10 * columns, 0 * rows], -1).astype(np.uint8)
    return Image.fromarray(pixels), pixels


def test_fit_crops_the_central_square_or_keeps_the_whole_image():
    image, pixels = gradient_image(7, 10)
    np.testing.assert_array_equal(render(image, Rules(0, 0, 0)).pixels, pixels)
    np.testing.assert_array_equal(
        render(image, Rules(3, 0, 0)).pixels, pixels[2:5, 3:6]
    )


def test_fit_crops_the_largest_square_before_it_resizes():
    image, pixels = gradient_image(6, 10)
    np.testing.assert_array_equal(render(image, Rules(0, 6, 0)).pixels, pixels[:, 2:8])
    expected = Image.fromarray(np.ascontiguousarray(pixels[:, 2:8]))
    expected = np.asarray(expected.resize((3, 3), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(render(image, Rules(0, 3, 0)).pixels, expected)


def test_fit_converts_between_gray_and_colour():
    image, _ = gradient_image(4, 4)
    assert render(image, Rules(0, 0, 1)).pixels.shape == (4, 4, 1)
    gray = render(image.convert("L"), Rules(0, 2, 3)).pixels
    assert gray.shape == (2, 2, 3) and np.ptp(gray, axis=-1).max() == 0


def test_fit_refuses_a_crop_larger_than_the_image():
    image, _ = gradient_image(7, 10)
    with pytest.raises(UserError, match=r"crop \(=8\) must be at most .* x is 7 x 10"):
        render(image, Rules(8, 4, 0), "x")


def test_padding_keeps_the_whole_image_on_its_background():
    image, pixels = gradient_image(2, 4)
    made = render(image, Rules(size=4, fit="pad", background=255))
    np.testing.assert_array_equal(made.pixels[1:3], pixels)
    assert (made.pixels[[0, 3]] == 255).all() and made.done == {"padded": 1}


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (7, 7), (3, 5)])
@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
def test_any_shape_becomes_a_square_of_the_size(fit, shape):
    image, _ = gradient_image(*shape)
    assert render(image, Rules(size=4, fit=fit)).pixels.shape == (4, 4, 3)


def test_a_fit_without_a_size_is_refused():
    with pytest.raises(UserError, match=r"fit \(='pad'\) makes .* which is 0; set"):
        Request("folder", fit="pad")


def test_squashing_resizes_both_sides():
    image, _ = gradient_image(6, 12)
    made = render(image, Rules(size=6, fit="squash"))
    expected = np.asarray(image.resize((6, 6), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(made.pixels, expected)
    assert made.done == {"squashed": 1}


def test_a_crop_says_how_much_of_the_area_and_of_the_edges_it_loses():
    pixels = np.zeros((10, 40, 3), np.uint8)
    pixels[4:6, 2:6] = 255  # far from the central square
    done = render(Image.fromarray(pixels), Rules(size=10)).done
    assert done == {"cropped": 0.75, "edges_lost": 1.0}
    pixels = np.roll(pixels, 16, axis=1)
    done = render(Image.fromarray(pixels), Rules(size=10)).done
    assert done == {"cropped": 0.75, "edges_lost": 0.0}


def test_small_images_are_enlarged_and_it_is_said():
    image, _ = gradient_image(3, 5)
    assert render(image, Rules(size=4)).done["enlarged"] == 1
    assert "enlarged" not in render(image, Rules(size=3)).done
