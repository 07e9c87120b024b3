"""Distances by hand, and a ball whose picture has a formula."""

import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.data.sources import signed_distance as solids
from infogan_jax.data.sources.signed_distance import Camera, View

CAMERA = Camera(24, 6.0, 1.0, 1.2, steps=30, background=0.5)


def at(*points):
    """Points in rows as the columns [3, n] that solids take."""
    return jnp.asarray(points, jnp.float32).T


def test_distances_are_those_of_geometry():
    ball = solids.ball(at((3, 4, 0), (0, 0, 1)), (0.0, 0.0, 0.0), 2.0)
    np.testing.assert_allclose(ball, [3, -1])
    box = solids.box(*at((2, 3, 0.5), (0, 0, 0.6), (0, 0, 3)), 1.0, 1.0, 1.0, 0.0)
    np.testing.assert_allclose(box, [5**0.5, -0.4, 2], rtol=1e-6)
    corner = solids.box(*at((2, 2, 2)), 1.0, 1.0, 1.0, 0.5)
    np.testing.assert_allclose(corner, 1.5 * 3**0.5 - 0.5, rtol=1e-6)
    tin = solids.cylinder(*at((3, 5, 4), (0, 0.9, 0), (0, 3, 1)), 2.0, 1.0)
    np.testing.assert_allclose(tin, [5, -0.1, 2], rtol=1e-5)
    egg = solids.ellipsoid(*at((1, 0, 0), (0, 2, 0), (0, 0, 4)), 1.0, 2.0, 3.0)
    np.testing.assert_allclose(egg, [0, 0, 1], atol=1e-6)


def test_a_capsule_is_a_segment_with_a_radius():
    ends = (0.0, 0.0, 0.0), (0.0, 2.0, 0.0)
    distance = solids.capsule(at((3, 1, 0), (0, 5, 0), (0, -3, 4)), *ends, 0.5, 1.0)
    np.testing.assert_allclose(distance, [3 - 0.75, 3 - 1, 5 - 0.5])


def test_smooth_unions_are_unions_away_from_their_seam():
    one, other = jnp.array([-1.0, 0.3, 0.2, 5.0]), jnp.array([2.0, 0.0, 0.2, 0.5])
    joined = solids.join(one, other, 0.2)
    np.testing.assert_allclose(joined, [-1, 0, 0.2 - 0.05, 0.5], atol=1e-6)
    np.testing.assert_allclose(solids.carve(one, other, 0.2)[:2], [-1, 0.3], atol=1e-6)
    rise = solids.blend(1.0, 3.0, jnp.array([0.0, 1.5, 2.0, 3.0, 9.0]))
    np.testing.assert_allclose(rise, [0, 0.15625, 0.5, 1, 1])


@pytest.mark.parametrize("light", [-50.0, 20.0])
def test_a_ball_is_shaded_by_lambert_s_law(light):
    """Where a ray meets a ball, and with which normal, is a quadratic equation."""
    view = View(33.0, -12.0, light, 25.0, ambient=0.3, lamp=0.6)
    radius, albedo = 0.7, 0.8
    image = solids.picture(
        lambda points: solids.ball(points, (0.0, 0.0, 0.0), radius),
        lambda points: jnp.full(points.shape[1:], albedo),
        view,
        CAMERA,
    )
    line = (np.arange(48) - 23.5) / 24
    rays = np.stack([*np.meshgrid(line, -line), np.full((48, 48), -6.0)])
    rays /= np.linalg.norm(rays, axis=0)
    middle = -6.0 * rays[2]
    gap = middle**2 - 36 + radius**2
    along = middle - np.sqrt(np.maximum(gap, 0))
    normal = (rays * along + np.array([0, 0, 6.0])[:, None, None]) / radius
    a, e = np.deg2rad([light, 25.0])
    lamp = [np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)]
    facing = np.maximum(np.tensordot(lamp, normal, 1), 0)
    sky = 0.65 + 0.35 * normal[1]
    lit = albedo * (0.3 * sky + 0.6 * facing)
    expected = np.where(gap > 0, np.sqrt(np.clip(lit, 0, 1)), 0.5)
    inside = gap.reshape(24, 2, 24, 2).min((1, 3)) > 0.02
    expected = expected.reshape(24, 2, 24, 2).mean((1, 3))
    outside = gap.reshape(24, 2, 24, 2).max((1, 3)) < -0.05
    np.testing.assert_array_equal(np.asarray(image)[outside], 0.5)
    bright = facing.reshape(24, 2, 24, 2).min((1, 3)) > 0.3  # no shadow's soft edge
    sure = inside & bright
    assert sure.sum() > 60
    np.testing.assert_allclose(np.asarray(image)[sure], expected[sure], atol=0.01)


def test_what_is_in_front_of_the_lamp_throws_a_shadow():
    def lamps(light):
        def wall(points):
            plate = solids.box(*points, 0.9, 0.9, 0.05, 0.0)
            return jnp.minimum(plate, solids.ball(points, (0.0, 0.0, 0.45), 0.15))

        view = View(0.0, 0.0, light, 0.0, ambient=0.2, lamp=0.6)
        return np.asarray(
            solids.picture(wall, lambda p: jnp.ones(p.shape[1:]), view, CAMERA)
        )

    left, right = lamps(-45.0), lamps(45.0)
    np.testing.assert_array_equal(left, right[:, ::-1])
    shadow = left[12, 12 + 5]  # to the right of the ball
    assert shadow == pytest.approx((0.2 * 0.65) ** 0.5, abs=0.02)
    assert right[12, 12 + 5] == pytest.approx(
        (0.2 * 0.65 + 0.6 * 0.5**0.5) ** 0.5, abs=0.02
    )
