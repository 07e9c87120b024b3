"""Real images stand by the category and at the place that Q reads in them."""

import numpy as np

from infogan_jax.analysis.report import real_images
from infogan_jax.analysis.report.real_images import CELLS, THUMBNAIL

RNG = np.random.default_rng(0)


def test_the_images_of_a_category_are_ordered_by_its_probability():
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.95, 0.05], [0.5, 0.5]])
    assert real_images.surest_first(chances, 0).tolist() == [3, 0, 2, 4]
    assert real_images.surest_first(chances, 1).tolist() == [1]


def test_a_map_has_an_image_where_its_point_is_and_the_nearest_one_of_a_cell():
    side = np.linspace(0, 1, 101)
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2).astype(np.float32)
    gray = np.uint8(np.round(200 * points[:, 0]))  # darkest at the left
    images = np.repeat(gray[:, None, None, None], 4, 1).repeat(4, 2)
    picture, low, high = real_images.map_picture(images, points)
    np.testing.assert_allclose([low, high], [[0.01] * 2, [0.99] * 2], atol=1e-6)
    cells = picture.reshape(CELLS, THUMBNAIL, CELLS, THUMBNAIL, 4)[:, 9, :, 9]
    assert (cells[..., 3] == 255).all()
    shown = cells[..., 0].astype(float)
    assert np.ptp(shown, axis=0).max() <= 2, "a column is one value"
    centres = 200 * (0.01 + 0.98 * (np.arange(CELLS) + 0.5) / CELLS)
    assert np.abs(shown[0] - centres).max() <= 2


def test_higher_is_up_and_an_empty_cell_is_transparent():
    points = np.float32([[0, 0]] * 50 + [[1, 1]] * 50)
    images = np.uint8([10] * 50 + [250] * 50)[:, None, None, None].repeat(40, 1)
    picture, *_ = real_images.map_picture(images.repeat(40, 2), points)
    assert picture[-THUMBNAIL + 2, 2].tolist() == [10, 10, 10, 255]
    assert picture[2, -THUMBNAIL - 2, 3] == 0
