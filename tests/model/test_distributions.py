"""Densities, entropies and quantiles against scipy, and at extreme arguments."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError
from scipy import stats

from infogan_jax.model import distributions

RNG = np.random.default_rng(0)
log_mass_of = jax.jit(distributions.categorical_log_prob)


@pytest.mark.parametrize("batch", [(), (7,), (3, 2)])
def test_categorical_log_prob_is_the_log_mass_of_a_softmax(batch):
    logits = RNG.normal(0, 3, (*batch, 5)).astype(np.float32)
    index = RNG.integers(0, 5, batch, np.int32)
    mass = (
        np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(-1)[..., None]
    )
    expected = stats.multinomial(1, mass).logpmf(np.eye(5)[index])
    actual = log_mass_of(jnp.array(logits), jnp.array(index))
    chex.assert_shape(actual, batch)
    np.testing.assert_allclose(actual, expected, atol=2e-6, rtol=2e-6)


def test_categorical_masses_sum_to_one():
    logits = jnp.tile(jnp.array([3.0, -2.0, 0.5, 8.0]), (4, 1))
    log_mass = log_mass_of(logits, jnp.arange(4))
    np.testing.assert_allclose(jnp.exp(log_mass).sum(), 1.0, rtol=1e-6)


def test_categorical_log_prob_ignores_a_shift_of_all_logits():
    logits, index = jnp.array([[1.0, 2.0, 4.0]]), jnp.array([1])
    chex.assert_trees_all_close(
        log_mass_of(logits + 64.0, index),
        log_mass_of(logits, index),
        atol=1e-5,
    )


def test_cross_entropy_of_a_certain_answer_is_zero_because_softmax_is_applied_once():
    index = jnp.arange(10)
    logits = 100.0 * jnp.eye(10)
    once = -log_mass_of(logits, index)
    twice = -log_mass_of(jax.nn.softmax(logits), index)
    np.testing.assert_allclose(once, 0.0, atol=1e-6)
    np.testing.assert_allclose(twice, 1.461, atol=1e-3)


@pytest.mark.parametrize(("index", "value"), [(0, 0.0), (1, -1e4), (2, -2e4)])
def test_categorical_log_prob_and_gradient_are_exact_at_logits_of_1e4(index, value):
    logits = jnp.array([1e4, 0.0, -1e4])
    actual, gradient = jax.value_and_grad(log_mass_of)(logits, jnp.array(index))
    np.testing.assert_allclose(actual, value)
    np.testing.assert_allclose(gradient, np.eye(3)[index] - [1.0, 0.0, 0.0])


def test_gradient_of_categorical_log_prob_is_one_hot_minus_softmax():
    logits = jnp.log(jnp.array([0.2, 0.3, 0.5]))
    gradient = jax.grad(log_mass_of)(logits, jnp.array(1))
    np.testing.assert_allclose(gradient, [-0.2, 0.7, -0.5], atol=1e-6)


def test_normal_log_prob_is_scipys_log_density():
    value, mean, log_sd = RNG.normal(0, 1, (3, 4, 6)).astype(np.float32)
    actual = distributions.normal_log_prob(*map(jnp.array, (value, mean, log_sd)))
    expected = stats.norm.logpdf(value, mean, np.exp(log_sd.astype(float)))
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_gradient_of_normal_log_prob_is_the_score():
    gradient = jax.grad(distributions.normal_log_prob, argnums=(0, 1, 2))(
        jnp.array(3.0), jnp.array(1.0), jnp.log(2.0)
    )
    np.testing.assert_allclose(gradient, [-0.5, 0.5, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "log_sd"), [(1e4, 0.0), (-1e4, -4.6), (0.5, 1e4), (-1e4, 1e4)]
)
def test_normal_log_prob_and_gradient_are_finite_at_outputs_of_1e4(mean, log_sd):
    result = jax.value_and_grad(distributions.normal_log_prob, argnums=(1, 2))(
        jnp.array(0.5), jnp.array(mean), jnp.array(log_sd)
    )
    chex.assert_tree_all_finite(result)


@pytest.mark.parametrize("size", [2, 10, 20])
def test_categorical_entropy_is_scipys_entropy_of_equal_masses(size):
    expected = stats.entropy(np.full(size, 1 / size))
    np.testing.assert_allclose(distributions.categorical_entropy(size), expected)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (-3.0, 0.5)])
def test_uniform_entropy_is_scipys(low, high):
    expected = stats.uniform(low, high - low).entropy()
    actual = distributions.uniform_entropy(low, high)
    np.testing.assert_allclose(actual, expected, atol=1e-15)


@pytest.mark.parametrize("sd", [0.1, 1.0, 4.0])
def test_normal_entropy_is_scipys(sd):
    expected = stats.norm(0, sd).entropy()
    np.testing.assert_allclose(distributions.normal_entropy(sd), expected)


def test_default_entropies_are_those_of_the_priors():
    assert distributions.uniform_entropy() == pytest.approx(np.log(2))
    assert distributions.normal_entropy() == pytest.approx(1.418939, abs=1e-6)


LAST = np.nextafter(np.float32(1), np.float32(0))


def test_standard_normals_are_scipys_quantiles_and_finite_at_the_ends():
    uniform = np.linspace(-0.999, 0.999, 101, dtype=np.float32)
    expected = stats.norm.ppf((1 + uniform.astype(float)) / 2)
    found = jax.jit(distributions.standard_normal)(jnp.array(uniform))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    ends = distributions.standard_normal(jnp.array([-LAST, LAST]))
    assert 5.2 < ends[1] == -ends[0] < 5.5


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_categories_split_the_interval_evenly_and_include_both_ends(size):
    middles = (2 * np.arange(size, dtype=np.float32) + 1) / size - 1
    uniform = jnp.array([-LAST, *middles, LAST])
    expected = [0, *range(size), size - 1]
    np.testing.assert_array_equal(distributions.category(uniform, size), expected)


def test_an_index_with_another_batch_size_than_the_logits_is_refused():
    with pytest.raises(TypeCheckError, match="categorical_log_prob"):
        distributions.categorical_log_prob(jnp.zeros((3, 5)), jnp.zeros(1, jnp.int32))
