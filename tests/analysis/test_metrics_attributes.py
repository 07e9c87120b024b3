"""Attributes of bars of known geometry, and their relation to codes."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics import attributes

STROKES = ("slant", "width", "height", "thickness")
FINE = 16


def bar(width, height, slant=0.0, right=0.0, up=0.0, side=32):
    """A bright bar of `width` x `height` pixels, sheared by an angle, anti-aliased."""
    centres = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    x, y = centres[None, :] - right, -centres[:, None] - up
    inside = np.abs(x - y * np.tan(np.radians(slant))) <= width / 2
    inside = np.float64(inside & (np.abs(y) <= height / 2))
    return inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))[None, ..., None]


def measured(image):
    return {name: value.item() for name, value in attributes.measure(image).items()}


def assert_close(found, expected, names=None, tolerance=1e-9):
    for name in names or expected:
        assert found[name] == pytest.approx(expected[name], abs=tolerance), name


@pytest.mark.parametrize("angle", [-40.0, -10.0, 0.0, 3.0, 25.0, 45.0])
@pytest.mark.parametrize("width", [1.5, 4.0])
def test_slant_is_the_angle_a_line_is_sheared_by_and_positive_to_the_right(
    width, angle
):
    assert measured(bar(width, 16, angle))["slant"] == pytest.approx(angle, abs=1)


def test_a_mirrored_image_has_only_the_opposite_slant():
    image = bar(3, 16, 20, right=4)
    found, mirrored = measured(image), measured(image[:, :, ::-1])
    assert mirrored["slant"] == pytest.approx(-found["slant"])
    assert mirrored["dark_spots_right"] == pytest.approx(-found["dark_spots_right"])
    assert_close(mirrored, found, ["width", "height", "thickness", "light_from_below"])


@pytest.mark.parametrize(("width", "height"), [(2, 20), (4, 20), (8, 12), (20, 4)])
def test_width_and_height_of_a_bar_are_its_sides(width, height):
    found = measured(bar(width, height))
    assert found["width"] == pytest.approx(width)
    assert found["height"] == pytest.approx(height)


@pytest.mark.parametrize("length", [18, 28])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_thickness_doubles_when_a_bar_is_twice_as_thick(width, length):
    thin, thick = (
        measured(bar(w, length, right=w / 2))["thickness"] for w in (width, 2 * width)
    )
    assert thin == pytest.approx(width, rel=0.05)
    assert thick == pytest.approx(2 * thin, rel=0.02)


@pytest.mark.parametrize("angle", [10.0, 30.0, 45.0])
def test_thickness_is_measured_across_the_stroke_not_along_a_row(angle):
    slanted = bar(4 / np.cos(np.radians(angle)), 20, angle)
    assert measured(slanted)["thickness"] == pytest.approx(4, rel=0.08)
    assert measured(slanted)["width"] > 5


def test_the_thickness_of_a_ring_is_that_of_its_stroke():
    x = (np.arange(32 * FINE) + 0.5) / FINE - 16
    ring = np.abs(np.hypot(x[:, None], x) - 10) <= 1.5
    ring = ring.reshape(32, FINE, 32, FINE).mean(axis=(1, 3))[None, ..., None]
    found = measured(ring)
    assert found["thickness"] == pytest.approx(3, rel=0.1)
    assert found["width"] == pytest.approx(found["height"])


@pytest.mark.parametrize(("right", "up"), [(5, 0), (0, 9), (-8, -6), (2.5, 0.25)])
def test_moving_a_stroke_changes_none_of_its_attributes(right, up):
    still, moved = bar(3, 14, 15), bar(3, 14, 15, right, up)
    # A shift by half a pixel changes the anti-aliasing.
    tolerance = 0.15 if right == 2.5 else 1e-9
    assert_close(measured(moved), measured(still), STROKES, tolerance)


def test_turning_by_a_right_angle_swaps_width_and_height():
    image = bar(5, 14, 10)
    found, turned = measured(image), measured(np.rot90(image, axes=(1, 2)))
    assert turned["width"] == pytest.approx(found["height"])
    assert turned["height"] == pytest.approx(found["width"])
    assert turned["thickness"] == pytest.approx(found["thickness"])


def test_inverted_images_have_the_same_stroke_attributes():
    image = bar(3, 14, 15, right=3)
    found, inverted = measured(image), measured(0.9 - 0.6 * image)
    assert_close(inverted, found, STROKES)
    assert inverted["brightness"] == pytest.approx(0.9 - 0.6 * found["brightness"])
    assert inverted["contrast"] == pytest.approx(0.6 * found["contrast"])


def test_faint_noise_in_the_background_does_not_change_the_strokes():
    image = bar(3, 14, 15)
    noise = np.random.default_rng(0).uniform(0, 0.05, image.shape)
    found = measured(np.maximum(image, noise))
    assert_close(found, measured(image), STROKES, 0.05)


def test_bytes_and_equal_floats_have_the_same_attributes():
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 8, 3)).astype(np.uint8)
    found = attributes.measure(images)
    for name, value in attributes.measure(images / 255.0).items():
        np.testing.assert_allclose(found[name], value)


def test_each_image_is_measured_independently():
    images = np.random.default_rng(0).random((1100, 4, 4, 3))
    found = attributes.measure(images)
    for at in (0, 1023, 1024, 1099):
        alone = measured(images[at : at + 1])
        assert_close({name: value[at] for name, value in found.items()}, alone)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_empty_image_has_only_a_brightness(level):
    found = measured(np.full((1, 8, 8, 3), level))
    assert found.pop("brightness") == level
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize("width", [8, 9])
def test_light_comes_from_the_brighter_side_of_a_ramp(width):
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, width), (1, 8, width))[..., None]
    found = measured(ramp)
    assert found["light_from_right"] > 0.4
    assert found["light_from_below"] == pytest.approx(0, abs=1e-12)
    expected = pytest.approx(found["light_from_right"])
    assert measured(ramp / 2)["light_from_right"] == expected
    assert -measured(ramp[:, :, ::-1])["light_from_right"] == expected
    assert measured(ramp.transpose(0, 2, 1, 3))["light_from_below"] == expected


def test_light_on_only_one_half_is_two_by_hand():
    image = np.zeros((1, 4, 4, 1))
    image[:, :, 2:] = 0.3
    assert measured(image)["light_from_right"] == pytest.approx(2.0)


def test_the_place_of_a_dark_spot_is_its_column_in_the_central_half():
    for column, place in [(8, -1), (12, -7 / 15), (23, 1)]:
        image = np.full((1, 32, 32, 1), 0.5)
        image[:, 16, column] = 0.2
        image[:, 2, 30] = 0.0  # outside of the central half
        assert measured(image)["dark_spots_right"] == pytest.approx(place)
        lighter = measured(0.3 + 0.5 * image)["dark_spots_right"]
        assert lighter == pytest.approx(place)


def test_a_light_spot_among_darker_ones_does_not_count():
    image = np.full((1, 32, 32, 1), 0.5)
    image[:, 16, 20] = 1.0
    image[:, 16, 10] = 0.1
    assert measured(image)["dark_spots_right"] < -0.5


@pytest.mark.parametrize(
    ("colour", "hue", "saturation"),
    [
        ((1, 0, 0), 0, 1),
        ((0, 0.5, 0), 120, 1),
        ((0, 0, 1), -120, 1),
        ((0.8, 0.8, 0.4), 60, 0.5),
        ((0.3, 0.3, 0.3), 0, 0),
    ],
)
def test_hue_is_an_angle_with_red_in_the_middle_for_colour_images_only(
    colour, hue, saturation
):
    image = np.broadcast_to(np.float64(colour), (1, 4, 4, 3))
    found = measured(image)
    assert found["hue"] == pytest.approx(hue)
    assert found["saturation"] == pytest.approx(saturation)
    assert not {"hue", "saturation"} & set(measured(image[..., :1]))


def correlation(code, attribute):
    table = attributes.correlations({"code": code}, {"of": attribute})
    return table["code"]["of"]


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    code, noise = np.random.default_rng(0).normal(size=(2, 200))
    return code, code + noise


def test_correlations_are_a_table_of_codes_and_attributes(pair):
    code, attribute = pair
    codes = {"a": code, "b": -code}
    table = attributes.correlations(codes, {"p": attribute, "q": code})
    assert table["a"]["q"] == pytest.approx(1.0)
    assert table["b"]["q"] == pytest.approx(-1.0)
    assert 0.5 < table["a"]["p"] == -table["b"]["p"] < 0.9


def test_a_monotone_transformation_does_not_change_the_rank_correlation(pair):
    code, attribute = pair
    found = correlation(code, attribute)
    assert correlation(np.exp(code), attribute**3) == pytest.approx(found)


def test_rank_correlation_by_hand():
    # Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / (4 * 15).
    found = correlation(np.float64([1, 2, 3, 9]), np.float64([5, 4, 8, 7]))
    assert found == pytest.approx(0.6)


@pytest.mark.parametrize("flip", [False, True])
def test_constant_values_have_no_correlation(pair, flip):
    values = (pair[0], np.full(200, 0.1))
    assert correlation(*(values[::-1] if flip else values)) == 0.0


def explained(categories, attribute):
    table = attributes.explained_variances({"code": categories}, {"of": attribute})
    return table["code"]["of"]


def test_explained_variance_by_hand_for_any_names_of_categories():
    attribute = np.float64([1, 3, 5, 7])
    # Means 2 and 6 about 4, in a variance of 5.
    assert explained(np.array([0, 0, 1, 1]), attribute) == pytest.approx(4 / 5)
    assert explained(np.array([7, 7, 2, 2]), attribute) == pytest.approx(4 / 5)


def test_explained_variance_is_one_within_and_zero_across_categories():
    attribute = np.float64([1, 1, 5, 5])
    assert explained(np.array([0, 0, 1, 1]), attribute) == pytest.approx(1)
    assert explained(np.array([0, 1, 0, 1]), attribute) == pytest.approx(0)
    assert explained(np.array([0, 0, 1, 1]), np.full(4, 0.1)) == 0


def test_random_categories_explain_k_minus_1_over_n_minus_1():
    rng = np.random.default_rng(0)
    found = [explained(rng.integers(0, 10, 99), rng.random(99)) for _ in range(300)]
    assert np.mean(found) == pytest.approx(9 / 98, rel=0.05)
