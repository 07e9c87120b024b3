"""L_I per code, its weighted sum, the players' losses and instance noise."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from infogan_jax.game import objective
from infogan_jax.model import distributions, latents
from infogan_jax.model.latents import Code, LatentSpec
from infogan_jax.model.notation import parse_codes

LN2, LN3, LN4 = np.log(2.0), np.log(3.0), np.log(4.0)
LN4_3 = np.log(4.0 / 3.0)
mi_bounds = jax.jit(objective.mi_bounds, static_argnums=0)
DIGIT = LatentSpec((Code("c", "categorical", 10),), 1)


def _normal_bound(kind, values, mean, sd, **fields):
    spec = LatentSpec((Code("c", kind),), 1, **fields)
    log_sd = jnp.full_like(mean, np.log(sd))
    outputs = [mean] if spec.fixed_sd else [mean, log_sd]
    return float(mi_bounds(spec, jnp.stack(outputs, -1), {"c": values})["c"])


def test_information_is_the_entropy_of_a_category_that_q_predicts_perfectly():
    category = jnp.tile(jnp.arange(10), 3)
    bounds = mi_bounds(DIGIT, 60.0 * jnp.eye(10)[category], {"c": category})
    np.testing.assert_allclose(bounds["c"], np.log(10), rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_information_is_negative_for_a_category_that_q_only_guesses(seed):
    guess = jax.random.normal(jax.random.key(seed), (10,))
    outputs = jnp.tile(guess, (10, 1))
    bound = mi_bounds(DIGIT, outputs, {"c": jnp.arange(10)})["c"]
    masses = np.exp(np.asarray(guess, float)) / np.exp(np.asarray(guess, float)).sum()
    expected = -stats.entropy(np.full(10, 0.1), masses)
    assert expected < 0
    np.testing.assert_allclose(bound, expected, rtol=1e-4)


def test_information_is_zero_for_a_q_that_predicts_the_prior():
    outputs, codes = jnp.full((10, 10), 3.0), {"c": jnp.arange(10)}
    bound = mi_bounds(DIGIT, outputs, codes)["c"]
    np.testing.assert_allclose(bound, 0.0, atol=1e-6)
    quantiles = jnp.array(stats.norm.ppf((np.arange(2000) + 0.5) / 2000))
    bound = _normal_bound("gaussian", quantiles, jnp.zeros(2000), 1.0, sd_floor=1e-6)
    np.testing.assert_allclose(bound, 0.0, atol=1e-3)


@pytest.mark.parametrize("mean", [0.0, 0.4])
@pytest.mark.parametrize("sd", [0.2, 0.577, 1.0, 3.0])
@pytest.mark.parametrize("kind", ["uniform", "gaussian"])
def test_information_is_never_positive_for_a_value_that_q_only_guesses(kind, sd, mean):
    prior = {"uniform": stats.uniform(-1, 2), "gaussian": stats.norm()}[kind]
    values = jnp.array(prior.ppf((np.arange(2000) + 0.5) / 2000))
    squared_error = prior.var() + mean**2
    divergence = 0.5 * (np.log(2 * np.pi * sd**2) + squared_error / sd**2)
    divergence -= prior.entropy()
    actual = _normal_bound(kind, values, jnp.full(2000, mean), sd, sd_floor=1e-6)
    assert divergence >= 0
    assert actual == pytest.approx(-divergence, rel=1e-3, abs=1e-3)


def test_a_fixed_sd_of_one_certifies_at_most_ln_2_minus_0_919_of_a_uniform_code():
    values = jnp.linspace(-1.0, 1.0, 50)
    perfect = _normal_bound("uniform", values, values, 1.0, fixed_sd=1.0)
    blurred = _normal_bound("uniform", values, values + 0.1, 1.0, fixed_sd=1.0)
    assert perfect == pytest.approx(LN2 - 0.918939, abs=1e-5)
    assert blurred == pytest.approx(perfect - 0.005, abs=1e-5)


def test_information_about_a_uniform_code_is_bounded_by_the_sd_floor():
    values = jnp.linspace(-1.0, 1.0, 50)
    bound = _normal_bound("uniform", values, values, 1e-30, sd_floor=0.01)
    assert bound == pytest.approx(LN2 + stats.norm.logpdf(0, 0, 0.01), abs=1e-4)


@pytest.mark.parametrize("fixed_sd", [None, 1.0])
def test_information_and_its_gradient_are_finite_at_outputs_of_1e4(fixed_sd):
    spec = LatentSpec(parse_codes("categorical(3), uniform"), 1, fixed_sd=fixed_sd)
    signs = np.random.default_rng(0).choice([-1e4, 1e4], (16, spec.output_size))
    codes = {"categorical_0": jnp.arange(16) % 3, "uniform_0": jnp.linspace(-1, 1, 16)}

    def information(outputs):
        return latents.weighted_sum(spec, mi_bounds(spec, outputs, codes))

    value, gradient = jax.jit(jax.value_and_grad(information))(jnp.array(signs))
    chex.assert_tree_all_finite((value, gradient))
    assert np.any(np.asarray(gradient) != 0)


def test_information_is_a_sum_over_codes_with_a_lambda_each():
    spec = LatentSpec(
        parse_codes("a=categorical(10) @ 2, b=uniform @ 0.05, c=uniform"), 1
    )
    bounds = {"a": jnp.array(2.0), "b": jnp.array(-1.0), "c": jnp.array(0.5)}
    total, slopes = jax.value_and_grad(
        lambda bounds: latents.weighted_sum(spec, bounds)
    )(bounds)
    np.testing.assert_allclose(total, 2 * 2.0 - 0.05 + 0.5, rtol=1e-6)
    chex.assert_trees_all_close(slopes, {"a": 2.0, "b": 0.05, "c": 1.0})


@pytest.mark.parametrize("count", [1, 4])
def test_information_of_equal_codes_grows_with_their_number(count):
    spec = LatentSpec(parse_codes(f"{count} x categorical(4)"), 1)
    category = jnp.arange(4)
    codes = {code.name: category for code in spec.codes}
    outputs = jnp.tile(60.0 * jnp.eye(4), (1, count))
    total = latents.weighted_sum(spec, mi_bounds(spec, outputs, codes))
    np.testing.assert_allclose(total, count * LN4, rtol=1e-6)


def test_without_codes_there_is_no_information():
    spec = LatentSpec((), 5)
    bounds = mi_bounds(spec, jnp.zeros((3, 0)), {})
    assert bounds == {}
    assert latents.weighted_sum(spec, bounds) == 0.0


REAL, GENERATED = jnp.array([0.0, LN3]), jnp.array([-LN3, 0.0])


def test_the_discriminators_loss_is_minus_v_minus_information():
    loss, metrics = objective.discriminator_loss(REAL, GENERATED, jnp.array(0.25))
    gan = (LN2 + LN4_3) / 2 + (LN4_3 + LN2) / 2
    np.testing.assert_allclose(loss, gan - 0.25, rtol=1e-6)
    np.testing.assert_allclose(metrics["loss/discriminator"], gan, rtol=1e-6)
    np.testing.assert_allclose(metrics["jsd_bound"], LN2 - gan / 2, rtol=1e-5)


def test_smoothing_changes_the_target_of_real_images_and_not_the_bound():
    label = 0.9
    _, sharp = objective.discriminator_loss(REAL, GENERATED, jnp.array(0.0))
    _, smooth = objective.discriminator_loss(REAL, GENERATED, jnp.array(0.0), label)
    extra = 0.1 * (0.0 + LN3) / 2
    difference = smooth["loss/discriminator"] - sharp["loss/discriminator"]
    np.testing.assert_allclose(difference, extra, rtol=1e-5)
    chex.assert_trees_all_equal(smooth["jsd_bound"], sharp["jsd_bound"])


def test_the_generators_loss_is_non_saturating_minus_information():
    loss, metrics = objective.generator_loss(GENERATED, jnp.array(0.25))
    np.testing.assert_allclose(loss, (LN4 + LN2) / 2 - 0.25, rtol=1e-6)
    np.testing.assert_allclose(metrics["loss/generator"], (LN4 + LN2) / 2, rtol=1e-6)


def test_both_players_follow_the_gradient_of_information():
    def losses(info):
        d_loss, _ = objective.discriminator_loss(REAL, GENERATED, info)
        return d_loss, objective.generator_loss(GENERATED, info)[0]

    chex.assert_trees_all_close(jax.jit(jax.jacobian(losses))(0.3), (-1.0, -1.0))


add_noise = jax.jit(objective.add_instance_noise)


def _noise(sd, count=64, seed=0):
    images = jnp.full((count, 16, 8, 3), 0.5)
    uniform = distributions.draw_uniform(jax.random.key(seed), (count, 16 * 8 * 3))
    return np.asarray(add_noise(images, uniform, sd) - images)


@pytest.mark.parametrize("sd", [0.1, 0.5, jnp.array(0.3)])
def test_instance_noise_is_normal_with_the_given_sd_and_keeps_the_mean(sd):
    noise = _noise(sd)
    assert stats.kstest(noise.ravel(), stats.norm(0, float(sd)).cdf).pvalue > 0.01
    np.testing.assert_allclose(noise.std(), sd, rtol=0.02)
    np.testing.assert_allclose(noise.mean(), 0, atol=0.02 * float(sd))


def test_instance_noise_of_sd_zero_does_not_change_images():
    np.testing.assert_array_equal(_noise(0.0), 0.0)


def test_the_noise_of_a_pixel_is_made_from_its_own_number():
    images = jnp.zeros((4, 3, 3, 2))
    uniform = distributions.draw_uniform(jax.random.key(0), (4, 18))
    noise = np.asarray(add_noise(images, uniform, 0.1))
    assert np.unique(noise).size == images.size
    expected = 0.1 * stats.norm.ppf((1 + np.float64(uniform)) / 2)
    np.testing.assert_allclose(noise.reshape(4, 18), expected, atol=1e-6)
