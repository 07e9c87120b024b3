"""The bounds on real images: their values, gradients and use in a training step."""

from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tiny import build_tiny

from infogan_jax.game import random_numbers, state, train_step
from infogan_jax.game.algorithm import Optimisers
from infogan_jax.game.real_information import bounds, transformations
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.model.latents import Code, LatentSpec

TEN = LatentSpec((Code("c", "categorical", 10),), 1)
EYE = 60.0 * jnp.eye(10)
BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)
MOVES = Transformation(rotation=15.0, shear=0.3, scale=0.15, shift=0.075)
WEIGHT, TEMPERATURE, CHANGE = 0.5, 0.6, 0.25
REAL_INFORMATION = bounds.RealInformation(WEIGHT, TEMPERATURE, CHANGE, MOVES)


def bound(outputs, transformed, temperature=1.0):
    return bounds.mi_bounds(TEN, outputs, transformed, temperature)["c"]


def random_logits(seed, scale=3.0):
    rng = np.random.default_rng(seed)
    return jnp.asarray(scale * rng.standard_normal((40, 10)), jnp.float32)


def test_the_bound_is_the_entropy_for_certain_categories_that_t_does_not_change():
    logits = jnp.tile(EYE, (3, 1))
    np.testing.assert_allclose(bound(logits, logits), np.log(10), rtol=1e-6)
    halves = jnp.repeat(EYE[:2], 5, axis=0)
    np.testing.assert_allclose(bound(halves, halves), np.log(2), rtol=1e-6)


def test_the_bound_is_zero_for_one_category_and_for_a_uniform_posterior():
    one, flat = jnp.tile(EYE[:1], (10, 1)), jnp.zeros((10, 10))
    np.testing.assert_allclose(bound(one, one), 0.0, atol=1e-6)
    np.testing.assert_allclose(bound(flat, flat), 0.0, atol=1e-6)


def test_a_category_that_changes_under_t_costs_its_log_odds():
    moved = jnp.roll(EYE, 1, axis=1)
    np.testing.assert_allclose(bound(EYE, moved), np.log(10) - 60.0, rtol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_is_marginal_entropy_minus_cross_entropy(seed, temperature):
    before, after = random_logits(seed), random_logits(seed + 100)
    odds = np.exp(np.float64(before)), np.exp(np.float64(after))
    first, again = (each / each.sum(1, keepdims=True) for each in odds)
    drawn = first ** (1 / temperature)
    drawn /= drawn.sum(1, keepdims=True)
    mean = drawn.mean(0)
    expected = -(mean * np.log(mean)).sum() + (drawn * np.log(again)).sum(1).mean()
    value = bound(before, after, temperature)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    assert bound(before, before, temperature) <= np.log(10)


def test_a_temperature_below_one_makes_a_constant_posterior_more_certain():
    logits = jnp.tile(random_logits(3, 0.3)[0], (10, 1))
    likeliest = jnp.argmax(logits[0])

    def gradient(temperature):
        return jax.grad(bound, argnums=1)(logits, logits, temperature)

    np.testing.assert_allclose(gradient(1.0), 0.0, atol=1e-7)
    assert np.all(gradient(0.5)[:, likeliest] > 1e-3)
    assert np.all(gradient(0.25)[:, likeliest] > gradient(0.5)[:, likeliest])


def test_the_gradient_of_the_drawn_code_is_that_of_the_marginal_entropy():
    before, after = random_logits(1), random_logits(2)

    def marginal_entropy(logits):
        mean = jax.nn.softmax(logits).mean(0)
        return -jnp.sum(mean * jnp.log(mean))

    of_drawn = jax.grad(bound)(before, after)
    expected = jax.grad(marginal_entropy)(before)
    np.testing.assert_allclose(of_drawn, expected, rtol=1e-3, atol=1e-7)
    agreement = jax.grad(bound, argnums=1)(before, after)
    expected = (jax.nn.softmax(before) - jax.nn.softmax(after)) / 40
    np.testing.assert_allclose(agreement, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_saturated_logits_have_finite_gradients(temperature):
    logits = 1e4 * jnp.eye(10)[jnp.zeros(10, int)]
    both = jax.value_and_grad(bound, argnums=(0, 1))
    value, grads = both(logits, -logits, temperature)
    assert np.isfinite(value)
    chex.assert_tree_all_finite(grads)


def test_continuous_codes_have_no_mi_bound():
    spec = LatentSpec((Code("u", "uniform"), *TEN.codes), 1)
    outputs = jnp.concatenate([jnp.ones((10, 2)), EYE], axis=1)
    assert bounds.mi_bounds(spec, outputs, outputs).keys() == {"c"}


def descent(**switches):
    return build_tiny(optimisers=Optimisers(optax.sgd(0.1), optax.sgd(0.1)), **switches)


@pytest.fixture(scope="module")
def first():
    """A first state with confident posteriors: Q's last layer is scaled by 50."""
    create = jax.jit(partial(state.create_state, descent()))
    made = jax.device_get(create(jnp.uint32(5)))
    q = made.params["recognition"]
    steep = {**q, "fc_1": jax.tree.map(lambda a: 50.0 * a, q["fc_1"])}
    return replace(made, params={**made.params, "recognition": steep})


def stepped(first, **switches):
    step = jax.jit(partial(train_step.train_step, descent(**switches)))
    return jax.device_get(step(first, BATCH))


def test_the_step_adds_the_gradient_of_the_weighted_bounds_to_d_and_q(first):
    plain, _ = stepped(first)
    informed, metrics = stepped(first, terms=REAL_INFORMATION.terms())
    algorithm = descent()
    real = jnp.float32(BATCH) / 255
    switched = descent(terms=REAL_INFORMATION.terms())
    drawn = random_numbers.draw(switched, first, len(BATCH), None)
    draws = drawn["term_real_information"]
    moved = transformations.transform(MOVES, real, draws)

    def value(players):
        no_noise = jnp.zeros((len(BATCH), 0))
        show = partial(train_step._show, algorithm, first, {**first.params, **players})
        outputs = [show(images, no_noise).outputs for images in (real, moved)]
        mi = bounds.mi_bounds(algorithm.spec, *outputs, TEMPERATURE)
        change = bounds.change_bounds(algorithm.spec, *outputs, draws)
        weights = {code.name: code.weight for code in algorithm.spec.codes}
        total = WEIGHT * sum(weights[name] * each for name, each in mi.items())
        total += CHANGE * sum(weights[name] * each for name, each in change.items())
        named = {f"real_mi_bound/{name}": each for name, each in mi.items()}
        return total, named | {f"change_bound/{name}": b for name, b in change.items()}

    players = state.player(first.params, state.D_PLAYER)
    (_, named), grads = jax.jit(jax.value_and_grad(value, has_aux=True))(players)
    assert len(named) == 3
    for name, bounded in named.items():
        np.testing.assert_allclose(metrics[name], bounded, rtol=1e-3)
    for name in players:
        difference = jax.tree.map(
            np.subtract, informed.params[name], plain.params[name]
        )
        expected = jax.tree.map(lambda g: 0.1 * g, grads[name])
        chex.assert_trees_all_close(difference, expected, rtol=1e-2, atol=2e-5)
        assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(expected)) > 1e-3


def test_the_bounds_are_off_by_default_and_then_change_no_update_and_no_metric(first):
    _, metrics = stepped(first)
    assert not any("real" in name or "change" in name for name in metrics)
    off, _ = stepped(first, terms=bounds.RealInformation(transformation=MOVES).terms())
    chex.assert_trees_all_equal(off, stepped(first)[0])
