"""The bound on the information of a continuous code's change about T."""

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
def test_the_bound_is_the_information_of_a_gaussian_channel(sd):
    (bound,) = bounds(SHEAR + sd * NOISE[:, 0])
    np.testing.assert_allclose(
        bound, 0.5 * np.log1p(1 / (3 * sd**2)), rtol=0.03, atol=0.01
    )


def test_the_bound_is_that_of_a_regression_on_all_of_t_but_the_shift():
    linear = 0.3 * ROTATION - 0.5 * SHEAR + 0.2 * HEIGHT - 0.4 * STROKE
    change = linear + RIGHT + 0.3 * NOISE[:, 0]
    x = np.column_stack([np.ones(N), np.float64(DRAWS[:, :5])])
    y = np.float64(change)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    expected = 0.5 * np.log(y.var() / residual.var())
    np.testing.assert_allclose(bounds(change)[0], expected, rtol=0.02)


def test_the_bound_is_zero_if_the_change_has_opposite_signs_in_half_of_the_images():
    sign = jnp.where(jnp.arange(N) % 2, 1.0, -1.0)
    (same,), (opposite,) = bounds(SHEAR + 0.1 * NOISE[:, 0]), bounds(sign * SHEAR)
    assert same > 1.5
    assert opposite < 2e-3


@pytest.mark.parametrize("change", [RIGHT, DOWN, NOISE[:, 0], 0.0 * SHEAR])
def test_the_bound_is_zero_for_shift_noise_and_no_change(change):
    (bound,) = bounds(change)
    assert 0 <= bound < 5e-3


def test_the_bound_does_not_depend_on_a_codes_scale_offset_and_value_before_t():
    change = SHEAR + 0.5 * NOISE[:, 0]
    (bound,) = bounds(change)
    (other,) = bounds(-7.0 * change + 2.0, before=5.0 * STYLE - 1.0)
    np.testing.assert_allclose(other, bound, rtol=1e-4)


def test_the_direction_of_an_earlier_code_does_not_count_for_a_later_one():
    slanted, sized = SHEAR + 0.2 * NOISE[:, 0], WIDTH + HEIGHT + 0.2 * NOISE[:, 1]
    alone = bounds(sized)[0]
    first, second = bounds(slanted, sized)
    np.testing.assert_allclose(first, bounds(slanted)[0], rtol=1e-6)
    np.testing.assert_allclose(second, alone, rtol=0.02)
    assert bounds(slanted, SHEAR + 0.2 * NOISE[:, 2])[1] < 5e-3
    shared = bounds(slanted, sized + slanted)[1]
    assert 0.1 * alone < shared < 0.5 * alone


def test_a_sixth_code_has_no_direction_left():
    found = bounds(
        *(DRAWS[:, place] + 0.1 * NOISE[:, place] for place in range(5)), HEIGHT
    )
    assert min(found[:5]) > 1.5
    assert found[5] < 5e-3


def test_a_later_codes_bound_has_no_gradient_for_an_earlier_code():
    outputs = jnp.stack([STYLE, STYLE], axis=1)
    moved = outputs + jnp.stack([SHEAR, SHEAR + WIDTH], axis=1) + 0.3 * NOISE[:, :2]

    def second(outputs, moved):
        return change_bounds(spec(2), outputs, moved, DRAWS)["u1"]

    for grads in jax.grad(second, argnums=(0, 1))(outputs, moved):
        np.testing.assert_array_equal(grads[:, 0], 0.0)
        assert np.abs(grads[:, 1]).max() > 1e-5


def test_gradient_ascent_makes_the_change_the_same_in_every_image():
    """The code starts with slopes of opposite signs in two halves of the images."""
    half = jnp.arange(N) % 2

    def bound(slopes):
        return bounds(slopes[half] * SHEAR + 0.1 * NOISE[:, 0])[0]

    slopes = jnp.array([0.6, -0.4])
    ascend = jax.jit(lambda slopes: slopes + 0.05 * jax.grad(bound)(slopes))
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

    def bound(scale):
        moved = scale * draws[:, 1:2]
        flat = jnp.zeros_like(moved)
        return change_bounds(spec(1), flat, moved, draws)["u0"]

    for scale in (1.0, 1e4):
        value, grad = jax.value_and_grad(bound)(scale)
        assert 5.0 < value < 8.0
        assert np.isfinite(grad)


def test_categorical_codes_have_no_bound_and_learned_deviations_are_ignored():
    codes = (Code("c", "categorical", 3), *spec(2).codes)
    outputs = jnp.concatenate([NOISE[:, :3], STYLE[:, None], NOISE[:, 3:]], axis=1)
    outputs = jnp.concatenate([outputs, STYLE[:, None]], axis=1)[:, :7]
    moved = outputs.at[:, 3].add(SHEAR + 0.5 * NOISE[:, 0])
    found = change_bounds(LatentSpec(codes, 1), outputs, moved, DRAWS)
    chex.assert_trees_all_close(
        found, {"u0": bounds(SHEAR + 0.5 * NOISE[:, 0])[0], "u1": 0.0}, atol=1e-4
    )


def test_at_the_batch_size_in_use_noise_has_little_and_never_more_than_little():
    """The slopes are fitted to 128 rows, so that noise is not exactly 0."""
    rng = np.random.default_rng(2)
    estimates = []
    for _ in range(200):
        drawn = jnp.asarray(rng.uniform(-1, 1, (128, 7)), jnp.float32)
        noise = jnp.asarray(rng.standard_normal((128, 1)), jnp.float32)
        outputs = jnp.zeros((128, 1))
        estimates.append(change_bounds(spec(1), outputs, noise, drawn)["u0"])
    assert 0.005 < np.mean(estimates) < 0.03
    assert max(estimates) < 0.1
