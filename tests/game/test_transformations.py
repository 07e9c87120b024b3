"""Small random transformations of images: what they keep and how far they move."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game.real_information import transformations
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.model import distributions

DRAWS = distributions.draw_uniform(
    jax.random.key(0), (64, transformations.DRAWN_NUMBERS)
)
AFFINE = Transformation(rotation=20.0, shear=0.3, scale=0.2, shift=0.1)
FULL = replace(AFFINE, stroke=0.8)
transform = jax.jit(transformations.transform, static_argnums=0)


def noise(*shape):
    return jnp.asarray(np.random.default_rng(0).random(shape), jnp.float32)


def blob(x, y, height=41, width=33):
    """A round spot at (x, y) from the centre of an image."""
    rows = jnp.arange(height)[:, None] - (height - 1) / 2 - y
    columns = jnp.arange(width)[None, :] - (width - 1) / 2 - x
    return jnp.exp(-(rows**2 + columns**2) / 8.0)[..., None]


def centroid(image):
    image = np.asarray(image[..., 0], float)
    height, width = image.shape
    rows, columns = np.arange(height), np.arange(width)
    x = image.sum(0) @ columns / image.sum() - (width - 1) / 2
    return x, image.sum(1) @ rows / image.sum() - (height - 1) / 2


def test_a_transformation_of_size_zero_changes_no_image():
    images = noise(64, 6, 9, 3)
    np.testing.assert_allclose(transform(Transformation(), images, DRAWS), images)


def test_a_constant_image_stays_constant_and_no_pixel_leaves_its_images_range():
    constant = jnp.full((64, 8, 8, 1), 0.3)
    np.testing.assert_allclose(transform(FULL, constant, DRAWS), constant, rtol=1e-6)
    images = noise(64, 8, 8, 1) * 2 - 1
    moved = transform(FULL, images, DRAWS)
    assert (moved.max((1, 2, 3)) <= images.max((1, 2, 3)) + 1e-6).all()
    assert (moved.min((1, 2, 3)) >= images.min((1, 2, 3)) - 1e-6).all()


def test_an_affine_transformation_is_linear_in_the_image():
    a, b = noise(64, 7, 5, 2), noise(64, 7, 5, 2)[::-1]
    move = partial(transform, AFFINE, drawn=DRAWS)
    np.testing.assert_allclose(
        move(a - 2 * b), move(a) - 2 * move(b), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_spot_goes_where_the_inverse_map_sends_it(seed):
    draw = np.random.default_rng(seed).uniform(-1, 1, 7)
    angle, shear = np.deg2rad(20.0 * draw[0]), 0.3 * draw[1]
    wide, high = np.exp(0.2 * draw[2:4])
    rotation = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    matrix = rotation @ np.array([[wide, shear], [0.0, high]])
    shift = 0.1 * draw[5:] * (33, 41)
    for start in ((5.0, 0.0), (-3.0, 6.0)):
        moved = transformations._warp(
            AFFINE, blob(*start), jnp.asarray(draw, jnp.float32)
        )
        expected = np.linalg.solve(matrix, np.array(start) - shift)
        np.testing.assert_allclose(centroid(moved), expected, atol=0.1)


@pytest.mark.parametrize("part", ["rotation", "shear", "scale", "shift"])
def test_every_image_is_moved_by_its_own_amount_up_to_the_maximum(part):
    extent = {"rotation": 30.0}.get(part, 0.25)
    transformation = Transformation(**{part: extent})
    images = jnp.tile(blob(6.0, 6.0)[None], (64, 1, 1, 1))
    places = np.array(
        [centroid(image) for image in transform(transformation, images, DRAWS)]
    )
    moves = np.linalg.norm(places - centroid(images[0]), axis=1)
    assert len(np.unique(moves.round(4))) > 48
    farthest = {
        "rotation": 2 * np.hypot(6, 6) * np.sin(np.deg2rad(15)),
        "shear": 6 * 0.25,
        "scale": np.hypot(6, 6) * np.expm1(0.25),
        "shift": np.hypot(0.25 * 33, 0.25 * 41),
    }[part]
    assert 0.75 * farthest < moves.max() < 1.1 * farthest


@pytest.mark.parametrize("pixels", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_a_stroke_grows_on_each_side_by_a_part_of_a_pixel(pixels):
    """The sides of a bar of 5 x 9 pixels move; pixels diagonal to it do not change."""
    bar = jnp.zeros((15, 21, 1)).at[5:10, 6:15].set(1.0)
    draws = jnp.zeros((1, transformations.DRAWN_NUMBERS)).at[0, 4].set(pixels)
    (grown,) = transform(Transformation(stroke=1.0), bar[None], draws)
    edge = 2 * (5 + 9) - (4 if pixels < 0 else 0)
    np.testing.assert_allclose(grown.sum(), 45 + pixels * edge, rtol=1e-6)
    np.testing.assert_allclose(grown.sum(0)[10], 5 + 2 * pixels, rtol=1e-6)
    np.testing.assert_allclose(grown.sum(1)[7], 9 + 2 * pixels, rtol=1e-6)


def test_growing_bright_areas_equals_shrinking_dark_areas():
    images, thicken = noise(64, 8, 9, 3), partial(transform, Transformation(stroke=0.7))
    np.testing.assert_allclose(
        thicken(1 - images, -DRAWS), 1 - thicken(images, DRAWS), rtol=1e-5, atol=1e-6
    )


def test_every_image_has_its_own_change_of_stroke_up_to_the_maximum():
    images = jnp.tile(blob(0.0, 0.0)[None], (64, 1, 1, 1))
    mass = transform(Transformation(stroke=0.5), images, DRAWS).sum((1, 2, 3))
    most, least = (
        transform(Transformation(stroke=0.5), images[:1], jnp.full((1, 7), sign)).sum()
        for sign in (1.0, -1.0)
    )
    assert len(np.unique(np.asarray(mass).round(3))) > 48
    assert 0.95 * most < mass.max() <= most and least <= mass.min() < 1.05 * least


def test_an_image_is_transformed_by_its_own_numbers_alone():
    images = noise(64, 8, 8, 1)
    whole = transform(FULL, images, DRAWS)
    np.testing.assert_array_equal(transform(FULL, images[:8], DRAWS[:8]), whole[:8])
    assert not np.allclose(transform(FULL, images[:8], DRAWS[8:16]), whole[:8])
