"""The prior, G's input vector and Q's posteriors."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from infogan_jax.model import code_kinds, distributions, latents
from infogan_jax.model.latents import Code, Latents, LatentSpec
from infogan_jax.model.notation import parse_codes

sample = jax.jit(latents.sample, static_argnums=0)
MIXED = parse_codes("digit=categorical(10), 2 x uniform, gaussian")


def _draw(spec: LatentSpec, count: int = 20_000, seed: int = 0) -> Latents:
    key = jax.random.key(seed)
    return sample(spec, distributions.draw_uniform(key, (count, spec.uniform_size)))


@pytest.fixture(scope="module")
def drawn() -> Latents:
    return jax.tree.map(np.asarray, _draw(LatentSpec(MIXED, 3)))


@pytest.mark.parametrize(
    ("codes", "noise", "inputs", "fixed", "learned"),
    [
        ("categorical(10), 2 x uniform", 62, 74, 12, 14),
        ("4 x categorical(10), 4 x uniform", 124, 168, 44, 48),
        ("10 x categorical(10)", 128, 228, 100, 100),
        ("5 x uniform", 128, 133, 5, 10),
        ("3 x categorical(20), uniform", 128, 189, 61, 62),
        ("", 7, 7, 0, 0),
    ],
    ids=["mnist", "svhn", "celeba", "faces", "chairs", "plain_gan"],
)
def test_sizes_are_those_of_the_papers_tables(codes, noise, inputs, fixed, learned):
    spec = LatentSpec(parse_codes(codes), noise, fixed_sd=1.0)
    free = LatentSpec(parse_codes(codes), noise)
    assert (spec.input_size, spec.output_size) == (inputs, fixed)
    assert (free.input_size, free.output_size) == (inputs, learned)
    packed = jax.eval_shape(
        lambda uniform: latents.pack(spec, latents.sample(spec, uniform)),
        jnp.zeros((3, spec.uniform_size)),
    )
    chex.assert_shape(packed, (3, inputs))
    posterior = jax.eval_shape(
        lambda outputs: latents.posterior(free, outputs), jnp.zeros((3, learned))
    )
    assert list(posterior) == [code.name for code in spec.codes]
    assert sum(part.size // 3 for q in posterior.values() for part in q) == learned


def test_a_category_is_drawn_uniformly_and_each_one_occurs(drawn):
    digit = drawn.codes["digit"]
    chex.assert_type(digit, jnp.int32)
    counts = np.bincount(digit, minlength=10)
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("name", ["uniform_0", "uniform_1"])
def test_a_uniform_code_is_drawn_from_minus_one_to_one(drawn, name):
    values = drawn.codes[name]
    assert values.min() >= -1 and values.max() <= 1
    assert stats.kstest(values, stats.uniform(-1, 2).cdf).pvalue > 0.01
    np.testing.assert_allclose([values.mean(), values.var()], [0, 1 / 3], atol=0.02)


def test_a_gaussian_code_is_drawn_from_the_standard_normal(drawn):
    values = drawn.codes["gaussian_0"]
    assert stats.kstest(values, stats.norm.cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("kind", "prior"),
    [("uniform", stats.uniform(-1, 2)), ("gaussian", stats.norm())],
)
def test_noise_is_drawn_from_the_named_distribution(kind, prior):
    noise = _draw(LatentSpec((), 4, noise_kind=kind), 3_000, 1).noise
    assert stats.kstest(np.ravel(noise), prior.cdf).pvalue > 0.01


def test_all_variables_of_one_example_are_uncorrelated(drawn):
    columns = [*drawn.codes.values(), *drawn.noise.T]
    correlation = np.corrcoef(np.stack(columns))
    np.testing.assert_allclose(correlation, np.eye(len(columns)), atol=0.03)


def test_each_uniform_number_makes_one_variable_by_the_inverse_cdf():
    uniform = jnp.array([[-0.999, -0.5, 0.25, 0.0, 0.8], [0.3, 0.5, -1.0, 0.5, -0.8]])
    spec = LatentSpec(parse_codes("categorical(4), uniform, gaussian"), 2)
    drawn = sample(spec, uniform)
    np.testing.assert_array_equal(drawn.codes["categorical_0"], [0, 2])
    np.testing.assert_array_equal(drawn.codes["uniform_0"], uniform[:, 1])
    np.testing.assert_array_equal(drawn.noise, uniform[:, 3:])
    drawn = sample(replace(spec, noise_kind="gaussian"), uniform)
    expected = stats.norm.ppf((1 + uniform) / 2)
    np.testing.assert_allclose(drawn.codes["gaussian_0"][0], expected[0, 2], rtol=1e-5)
    np.testing.assert_allclose(drawn.noise, expected[:, 3:], rtol=1e-5)


def test_pack_writes_one_hot_categories_and_values_in_order_and_then_noise():
    spec = LatentSpec(parse_codes("categorical(3), uniform, categorical(2)"), 2)
    codes = {
        "categorical_1": jnp.array([1, 0]),
        "uniform_0": jnp.array([0.25, -0.75]),
        "categorical_0": jnp.array([2, 0]),
    }
    packed = latents.pack(spec, Latents(codes, jnp.array([[0.5, -0.5], [0.1, 0.2]])))
    expected = [[0, 0, 1, 0.25, 0, 1, 0.5, -0.5], [1, 0, 0, -0.75, 1, 0, 0.1, 0.2]]
    np.testing.assert_allclose(packed, expected)


@pytest.mark.parametrize("category", range(4))
def test_pack_writes_each_category_as_a_one_hot_vector(category):
    spec = LatentSpec((Code("c", "categorical", 4),), 1)
    drawn = Latents({"c": jnp.array([category])}, jnp.zeros((1, 1)))
    np.testing.assert_array_equal(
        latents.pack(spec, drawn)[0], [*np.eye(4)[category], 0]
    )


def test_posterior_uses_every_output_once_in_the_order_of_the_codes():
    codes = parse_codes("uniform, categorical(3), gaussian")
    spec = LatentSpec(codes, 1, sd_floor=1e-6)
    outputs = jnp.array([[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    posterior = latents.posterior(spec, outputs)
    expected = {
        "uniform_0": code_kinds.Normal(jnp.array([0.0]), jnp.array([1.0])),
        "categorical_0": code_kinds.Categorical(jnp.array([[2.0, 3.0, 4.0]])),
        "gaussian_0": code_kinds.Normal(jnp.array([5.0]), jnp.array([6.0])),
    }
    chex.assert_trees_all_close(posterior, expected, rtol=1e-5)


def test_a_fixed_sd_is_the_sd_of_every_continuous_code():
    spec = LatentSpec(parse_codes("uniform, gaussian"), 1, fixed_sd=0.5)
    posterior = latents.posterior(spec, jnp.array([[3.0, 7.0]]))
    for name, mean in (("uniform_0", 3.0), ("gaussian_0", 7.0)):
        np.testing.assert_allclose(posterior[name].mean, [mean])
        np.testing.assert_allclose(jnp.exp(posterior[name].log_sd), [0.5], rtol=1e-6)


def _log_sd(raw: jax.Array, floor: float = 0.01) -> jax.Array:
    spec = LatentSpec((Code("c", "uniform"),), 1, sd_floor=floor)
    outputs = jnp.stack([jnp.zeros_like(raw), raw])[None]
    return latents.posterior(spec, outputs)["c"].log_sd[0]


@pytest.mark.parametrize("floor", [0.01, 0.2])
def test_a_learned_sd_is_never_below_its_floor(floor):
    raw = jnp.array([-1e4, -100.0, -10.0, -1.0, 0.0, 2.0])
    sd = jnp.exp(jax.vmap(lambda r: _log_sd(r, floor))(raw))
    np.testing.assert_allclose(sd, np.exp(raw) + floor, rtol=1e-5)
    assert np.all(np.asarray(sd) >= floor * (1 - 1e-6))


@pytest.mark.parametrize(
    ("raw", "slope"),
    [(np.log(0.01), 0.5), (-20.0, 2.0611536e-7), (1e4, 1.0), (-1e4, 0.0)],
)
def test_a_learned_sd_can_leave_its_floor(raw, slope):
    value, gradient = jax.value_and_grad(_log_sd)(jnp.array(raw))
    np.testing.assert_allclose(gradient, slope, rtol=1e-4)
    assert np.isfinite(value)


def test_the_floor_bounds_the_log_likelihood():
    spec = LatentSpec((Code("c", "uniform"),), 1)
    outputs = jnp.stack([jnp.zeros(5), jnp.linspace(-1e4, 0.0, 5)], axis=-1)
    log_probs = latents.log_prob(latents.posterior(spec, outputs), {"c": jnp.zeros(5)})
    ceiling = stats.norm.logpdf(0, 0, 0.01)
    np.testing.assert_allclose(log_probs["c"][0], ceiling, rtol=1e-6)
    assert np.all(np.asarray(log_probs["c"]) <= ceiling + 1e-5)


def test_log_prob_scores_each_code_under_its_own_posterior():
    spec = LatentSpec(parse_codes("categorical(2), uniform"), 1, fixed_sd=2.0)
    outputs = jnp.array([[0.0, np.log(3.0), 1.0]])
    codes = {"categorical_0": jnp.array([1]), "uniform_0": jnp.array([-0.5])}
    actual = latents.log_prob(latents.posterior(spec, outputs), codes)
    np.testing.assert_allclose(actual["categorical_0"], [np.log(0.75)], rtol=1e-6)
    expected = stats.norm.logpdf(-0.5, 1.0, 2.0)
    np.testing.assert_allclose(actual["uniform_0"], [expected], rtol=1e-6)


@pytest.mark.parametrize(
    ("code", "nats"),
    [
        (Code("c", "categorical", 10), 2.302585),
        (Code("c", "categorical", 20), 2.995732),
        (Code("c", "uniform"), 0.693147),
        (Code("c", "gaussian"), 1.418939),
    ],
)
def test_the_entropy_of_a_code_is_that_of_its_own_prior(code, nats):
    assert latents.entropy(code) == pytest.approx(nats, abs=1e-6)
