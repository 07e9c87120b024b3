"""Codes of a factor that turns: the extremes, and values by hand."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics import circular

N = 360
ANGLES = 2 * np.pi * np.arange(N) / N
RNG = np.random.default_rng(0)
near = pytest.approx


@pytest.mark.parametrize("start", [0, 100])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_code_that_goes_once_around_has_1_from_any_start_in_either_direction(
    start, sign
):
    code = sign * np.roll(np.arange(N), start) ** 3.0  # ranks alone count
    assert circular.whole_circle(code, ANGLES) == near(1)
    assert circular.half_circle(code, ANGLES) >= 0.98


def test_a_code_that_goes_twice_around_or_not_at_all_has_0():
    assert circular.whole_circle(np.arange(N) % (N // 2) * 1.0, ANGLES) < 0.01
    assert circular.whole_circle(np.ones(N), ANGLES) == 0
    assert circular.whole_circle(RNG.normal(size=N), ANGLES) < 0.15


def test_a_code_of_one_coordinate_is_steady_on_half_a_circle_alone():
    """cos is monotone on half a circle; its ranks follow a zigzag on the whole."""
    code = np.cos(ANGLES)
    assert circular.half_circle(code, ANGLES) == near(1)
    # the ranks are 1 - |t| / pi, and the mean of exp(i(t + 2|t|)) is 4i / (3 pi)
    assert circular.whole_circle(code, ANGLES) == near(4 / (3 * np.pi), abs=1e-3)


def test_two_codes_that_are_coordinates_turn_as_a_plane():
    x, y = np.cos(ANGLES), np.sin(ANGLES)
    assert circular.plane(3 * x + 1, -2 * y, ANGLES) == near(1)
    assert circular.plane(y, x, ANGLES) == near(1)
    assert circular.plane(x, np.zeros(N), ANGLES) == 0
    assert circular.plane(x, x, ANGLES) < 0.9


@pytest.mark.parametrize("count", [2, 4, 20])
def test_categories_of_equal_arcs_have_the_length_of_an_arc(count):
    category = np.arange(N) * count // N
    arc = np.pi / count
    expected = np.sin(arc) / arc  # of the mean direction of an arc
    assert circular.categories(category, ANGLES) == near(expected, abs=1e-3)
    mixed = RNG.permutation(category)
    assert circular.categories(mixed, ANGLES) < 0.3
