"""How far a code turns a head: by the nearest drawn heads."""

import numpy as np

from scripts import beyond


def test_the_nearest_heads_are_found_in_order_with_the_distance_of_the_first():
    levels = np.array([0, 40, 100, 110, 120, 130, 255], np.uint8)
    known = np.broadcast_to(levels[:, None, None, None], (7, 32, 32, 1))
    asked = np.full((1, 32, 32, 1), 103, np.uint8)
    order, distances = beyond.nearest(asked, known)
    assert order.tolist() == [[2, 3, 4, 5, 1]]
    np.testing.assert_allclose(distances, [3.0], rtol=1e-3)


def test_heads_are_drawn_with_azimuths_beyond_those_of_training():
    images, azimuths = beyond.drawn_heads(12)
    assert images.shape == (12, 32, 32, 1) and images.any((1, 2, 3)).all()
    assert np.abs(azimuths).max() > 90 and np.abs(azimuths).max() <= beyond.WIDEST
