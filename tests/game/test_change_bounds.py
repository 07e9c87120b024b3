"""What the change of a continuous code tells of a transformation."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game.real_information.bounds import change_bounds
from infogan_jax.model.latents import Code, LatentSpec

N = 8000
DRAWS = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (N, 7)), jnp.float32)
NOISE = jnp.asarray(np.random.default_rng(1).standard_normal((N, 6)), jnp.float32)
ROTATION, SHEAR, WIDTH, HEIGHT, STROKE, RIGHT, DOWN = DRAWS.T
STYLE = 3.0 * NOISE[:, 5]


def spec(count, fixed_sd=1.0):
    codes = tuple(Code(f"u{place}", "uniform") for place in range(count))
    return LatentSpec(codes, 1, fixed_sd=fixed_sd)


def bounds(*changes, before=STYLE):
    outputs = jnp.stack([before] * len(changes), axis=1)
    moved = outputs + jnp.stack(changes, axis=1)
    found = change_bounds(spec(len(changes)), outputs, moved, DRAWS)
    return [found[f"u{place}"] for place in range(len(changes))]


@pytest.mark.parametrize("sd", [0.1, 0.5, 2.0])
def test_it_is_the_information_of_a_gaussian_channel(sd):
    (told,) = bounds(SHEAR + sd * NOISE[:, 0])
    np.testing.assert_allclose(
        told, 0.5 * np.log1p(1 / (3 * sd**2)), rtol=0.03, atol=0.01
    )


def test_it_is_that_of_a_regression_on_lean_and_size_and_stroke():
    seen = 0.3 * ROTATION - 0.5 * SHEAR + 0.2 * HEIGHT - 0.4 * STROKE
    change = seen + RIGHT + 0.3 * NOISE[:, 0]
    x = np.column_stack([np.ones(N), np.float64(DRAWS[:, :5])])
    y = np.float64(change)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    expected = 0.5 * np.log(y.var() / residual.var())
    np.testing.assert_allclose(bounds(change)[0], expected, rtol=0.02)


def test_a_code_with_another_sense_in_half_of_the_images_tells_nothing():
    side = jnp.where(jnp.arange(N) % 2, 1.0, -1.0)
    (alike,), (torn,) = bounds(SHEAR + 0.1 * NOISE[:, 0]), bounds(side * SHEAR)
    assert alike > 1.5
    assert torn < 2e-3


@pytest.mark.parametrize("change", [RIGHT, DOWN, NOISE[:, 0], 0.0 * SHEAR])
def test_place_and_chance_and_no_change_tell_nothing(change):
    (told,) = bounds(change)
    assert 0 <= told < 5e-3


def test_scale_and_origin_of_a_code_and_what_images_are_do_not_matter():
    change = SHEAR + 0.5 * NOISE[:, 0]
    (told,) = bounds(change)
    (other,) = bounds(-7.0 * change + 2.0, before=5.0 * STYLE - 1.0)
    np.testing.assert_allclose(other, told, rtol=1e-4)


def test_a_later_code_has_no_credit_for_what_an_earlier_one_follows():
    lean, size = SHEAR + 0.2 * NOISE[:, 0], WIDTH + HEIGHT + 0.2 * NOISE[:, 1]
    alone = bounds(size)[0]
    first, second = bounds(lean, size)
    np.testing.assert_allclose(first, bounds(lean)[0], rtol=1e-6)
    np.testing.assert_allclose(second, alone, rtol=0.02)
    assert bounds(lean, SHEAR + 0.2 * NOISE[:, 2])[1] < 5e-3
    shared = bounds(lean, size + lean)[1]
    assert 0.1 * alone < shared < 0.5 * alone


def test_only_five_codes_find_a_direction():
    told = bounds(
        *(DRAWS[:, place] + 0.1 * NOISE[:, place] for place in range(5)), HEIGHT
    )
    assert min(told[:5]) > 1.5
    assert told[5] < 5e-3


def test_a_later_code_does_not_move_an_earlier_one():
    outputs = jnp.stack([STYLE, STYLE], axis=1)
    moved = outputs + jnp.stack([SHEAR, SHEAR + WIDTH], axis=1) + 0.3 * NOISE[:, :2]

    def second(outputs, moved):
        return change_bounds(spec(2), outputs, moved, DRAWS)["u1"]

    for grads in jax.grad(second, argnums=(0, 1))(outputs, moved):
        np.testing.assert_array_equal(grads[:, 0], 0.0)
        assert np.abs(grads[:, 1]).max() > 1e-5


def test_following_it_gives_every_image_one_sense():
    """Gradient ascent on the slope of either half, from opposite signs."""
    half = jnp.arange(N) % 2

    def told(slopes):
        return bounds(slopes[half] * SHEAR + 0.1 * NOISE[:, 0])[0]

    slopes = jnp.array([0.6, -0.4])
    ascend = jax.jit(lambda slopes: slopes + 0.05 * jax.grad(told)(slopes))
    for _ in range(300):
        slopes = ascend(slopes)
    assert slopes[0] > 0.5 and slopes[1] > 0.5


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e4])
def test_changes_of_any_size_have_finite_gradients(size):
    def value(scale):
        return sum(bounds(scale * SHEAR, scale * SHEAR, scale * NOISE[:, 0]))

    total, grad = jax.value_and_grad(value)(size)
    assert np.isfinite(total) and np.isfinite(grad)


def test_a_code_that_is_t_itself_has_a_finite_bound_and_gradient():
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 7)).reshape(7, -1).T
    draws = jnp.asarray(signs / np.sqrt(3), jnp.float32)

    def told(scale):
        moved = scale * draws[:, 1:2]
        flat = jnp.zeros_like(moved)
        return change_bounds(spec(1), flat, moved, draws)["u0"]

    for scale in (1.0, 1e4):
        value, grad = jax.value_and_grad(told)(scale)
        assert 5.0 < value < 8.0
        assert np.isfinite(grad)


def test_categories_have_no_such_bound_and_learned_deviations_are_not_read():
    codes = (Code("c", "categorical", 3), *spec(2).codes)
    outputs = jnp.concatenate([NOISE[:, :3], STYLE[:, None], NOISE[:, 3:]], axis=1)
    outputs = jnp.concatenate([outputs, STYLE[:, None]], axis=1)[:, :7]
    moved = outputs.at[:, 3].add(SHEAR + 0.5 * NOISE[:, 0])
    found = change_bounds(LatentSpec(codes, 1), outputs, moved, DRAWS)
    chex.assert_trees_all_close(
        found, {"u0": bounds(SHEAR + 0.5 * NOISE[:, 0])[0], "u1": 0.0}, atol=1e-4
    )
