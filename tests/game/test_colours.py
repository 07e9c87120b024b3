"""Changes of light and colour by T: what they keep and how far they go."""

import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game.real_information import bounds, transformations
from infogan_jax.game.real_information.colours import (
    COLOUR_NUMBERS,
    SHADING_NUMBERS,
    Colours,
    recolour,
)
from infogan_jax.game.terms import Shown, View
from infogan_jax.model.latents import Code, LatentSpec

RNG = np.random.default_rng(0)
DRAWS = jnp.asarray(RNG.uniform(-1, 1, (64, COLOUR_NUMBERS)), jnp.float32)
MIDDLE = jnp.asarray(RNG.uniform(0.4, 0.6, (64, 6, 5, 3)), jnp.float32)
FULL = Colours(contrast=0.5, brightness=0.3, tint=0.2, invert=True)
UNIT = (0.0, 1.0)


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_no_change_changes_no_image_and_needs_no_numbers():
    close(recolour(Colours(), MIDDLE, DRAWS, UNIT), MIDDLE)
    assert Colours().numbers == 0
    assert {Colours(tint=0.1).numbers, Colours(invert=True).numbers} == {6}
    assert Colours(shading=0.1).numbers == 8


def test_contrast_scales_the_distances_from_an_image_s_own_mean():
    mean = MIDDLE.mean((1, 2, 3), keepdims=True)
    found = recolour(Colours(contrast=0.7), MIDDLE, DRAWS, UNIT)
    scale = np.exp(0.7 * DRAWS[:, 0])[:, None, None, None]
    close(found - mean, scale * (MIDDLE - mean))


def test_brightness_is_added_to_all_channels_alike_and_a_tint_to_each_its_own():
    light = recolour(Colours(brightness=0.3), MIDDLE, DRAWS, UNIT) - MIDDLE
    close(light, np.broadcast_to(0.3 * DRAWS[:, 1, None, None, None], MIDDLE.shape))
    paint = recolour(Colours(tint=0.3), MIDDLE, DRAWS, UNIT) - MIDDLE
    close(paint, np.broadcast_to(0.3 * DRAWS[:, None, None, 2:5], MIDDLE.shape))
    gray = recolour(Colours(tint=0.3), MIDDLE[..., :1], DRAWS, UNIT)
    close(gray - MIDDLE[..., :1], paint[..., :1])


def test_shading_adds_a_plane_whose_slopes_are_drawn_and_keeps_the_mean():
    drawn = jnp.concatenate([DRAWS, DRAWS[:, :SHADING_NUMBERS]], axis=1)
    found = recolour(Colours(shading=0.2), MIDDLE, drawn, UNIT) - MIDDLE
    across, down = 0.2 * np.asarray(drawn[:, COLOUR_NUMBERS:]).T
    close(found[:, 0, 0], np.tile((-across - down)[:, None], 3))
    close(found[:, -1, 0], np.tile((down - across)[:, None], 3))
    close(found[:, -1, 2], np.tile(down[:, None], 3))  # the middle column
    close(found.mean((1, 2)), np.zeros((64, 3)))
    close(
        found[:, 1:] - found[:, :-1],
        np.broadcast_to((2 / 5 * down)[:, None, None, None], (64, 5, 5, 3)),
    )


def test_half_of_the_images_are_inverted_and_the_other_half_stays():
    found = recolour(Colours(invert=True), MIDDLE, DRAWS, UNIT)
    chosen = np.asarray(DRAWS[:, 5] > 0)
    assert 20 < chosen.sum() < 44
    close(found[chosen], 1.0 - MIDDLE[chosen])
    close(found[~chosen], MIDDLE[~chosen])


@pytest.mark.parametrize("value_range", [UNIT, (-1.0, 1.0)])
def test_no_pixel_leaves_the_range_which_only_sets_the_scale(value_range):
    low, high = value_range
    wide = jnp.asarray(RNG.random((64, 6, 5, 3)), jnp.float32)
    found = recolour(FULL, low + (high - low) * wide, DRAWS, value_range)
    assert low == found.min() and found.max() == high
    close(found, low + (high - low) * recolour(FULL, wide, DRAWS, UNIT))


def test_the_bound_of_real_images_sees_them_moved_and_recoloured():
    """By a Q whose logits of the two categories are the mean of an image, times +-1."""
    spec = LatentSpec((Code("c", "categorical", 2),), 1)
    seen = []

    def shown(images):
        seen.append(images)
        mean = images.mean((1, 2, 3))
        outputs = 9.0 * jnp.stack([mean, -mean], axis=1)
        return Shown(images, jnp.zeros(64), outputs, {})

    moves = transformations.Transformation(shift=0.2)
    given = bounds.RealInformation(
        1.0, transformation=moves, colours=FULL, value_range=(-1.0, 1.0)
    )
    [term] = given.terms()
    assert term.drawn_numbers == 7 + 6
    first = jnp.asarray(RNG.uniform(-1, 1, (64, 7)), jnp.float32)
    images = 2.0 * MIDDLE - 1.0
    real = shown(images)
    view = View(
        spec, {}, real, real, jnp.hstack([first, DRAWS]), shown, lambda x: x, None
    )
    value, metrics = term.value(view)
    changed = recolour(
        FULL, transformations.transform(moves, images, first), DRAWS, (-1.0, 1.0)
    )
    close(seen[-1], changed)
    [expected] = bounds.mi_bounds(spec, real.outputs, shown(changed).outputs).values()
    close(value, expected)
    close(metrics["real_mi_bound/c"], expected)
