"""Codes that turn once around: an angle, and Q's von Mises distribution."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from infogan_jax.game import objective
from infogan_jax.model import distributions, latents
from infogan_jax.model.code_kinds import KINDS, Spread, VonMises
from infogan_jax.model.latents import Latents, LatentSpec
from infogan_jax.model.notation import parse_codes

ANGLE = KINDS["angle"]
LEARNED = Spread(None, 0.01)
SPEC = LatentSpec(parse_codes("turn=angle"), 1)
AROUND = np.linspace(-math.pi, math.pi, 721, dtype=np.float32)
log_density = jax.jit(distributions.von_mises_log_prob)


def towards(mean):
    return jnp.stack([jnp.cos(mean), jnp.sin(mean)], axis=-1)


@pytest.mark.parametrize("sd", [0.02, 0.1, 0.5, 1.0, 3.0])
def test_its_density_is_scipys(sd):
    mean = np.random.default_rng(0).uniform(-3, 3, 721).astype(np.float32)
    found = log_density(AROUND, towards(mean), jnp.full(721, math.log(sd)))
    expected = stats.vonmises.logpdf(AROUND.astype(float), sd**-2, mean.astype(float))
    np.testing.assert_allclose(found, expected, atol=2e-5 + 2e-6 * sd**-2)


def test_a_narrow_one_is_a_normal_distribution_and_a_wide_one_is_uniform():
    value, mean = jnp.linspace(0.97, 1.03, 7), jnp.ones(7)
    log_sd = jnp.full(7, math.log(0.01))
    normal = distributions.normal_log_prob(value, mean, log_sd)
    np.testing.assert_allclose(
        log_density(value, towards(mean), log_sd), normal, atol=2e-3
    )
    wide = log_density(AROUND, towards(AROUND), jnp.full(721, 20.0))
    np.testing.assert_allclose(wide, -math.log(2 * math.pi), atol=1e-6)


def test_a_turn_more_changes_neither_the_image_nor_the_density():
    once, more = jnp.array([-math.pi, 0.3]), jnp.array([math.pi, 0.3 + 2 * math.pi])
    np.testing.assert_allclose(ANGLE.pack(once, 1), ANGLE.pack(more, 1), atol=1e-6)
    q = VonMises(towards(jnp.array([1.0, -2.0])), jnp.array([0.0, -1.0]))
    np.testing.assert_allclose(q.log_prob(once), q.log_prob(more), atol=1e-5)


def test_an_angle_is_drawn_uniformly_and_its_entropy_is_that_of_the_circle():
    uniform = distributions.draw_uniform(jax.random.key(0), (20_000, 2))
    drawn = latents.sample(SPEC, uniform).codes["turn"]
    circle = stats.uniform(-math.pi, 2 * math.pi)
    assert stats.kstest(drawn, circle.cdf).pvalue > 0.01
    assert latents.entropy(SPEC.codes[0]) == pytest.approx(circle.entropy())
    assert SPEC.codes[0].prior_sd == pytest.approx(circle.std())


def test_g_gets_a_point_of_the_circle_and_q_s_mean_is_its_angle():
    packed = latents.pack(SPEC, Latents({"turn": AROUND[1:-1]}, jnp.zeros((719, 1))))
    np.testing.assert_allclose(jnp.sum(packed[:, :2] ** 2, 1), 1, rtol=1e-6)
    q = ANGLE.unpack(jnp.concatenate([3 * packed[:, :2], packed[:, 2:]], 1), LEARNED)
    np.testing.assert_allclose(q.mean, AROUND[1:-1], atol=1e-5)


def test_q_has_a_direction_and_a_spread_which_may_be_fixed():
    assert (SPEC.input_size, SPEC.output_size) == (3, 3)
    fixed = LatentSpec(SPEC.codes, 1, fixed_sd=0.5)
    assert fixed.output_size == 2
    q = latents.posterior(fixed, jnp.array([[0.0, 2.0]]))["turn"]
    np.testing.assert_allclose([q.mean[0], q.log_sd[0]], [math.pi / 2, math.log(0.5)])
    q = latents.posterior(SPEC, jnp.array([[0.0, 2.0, -1e4]]))["turn"]
    assert q.log_sd[0] == pytest.approx(math.log(0.01))


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e4])
@pytest.mark.parametrize("raw", [-1e4, 0.0, 1e4])
def test_density_and_gradient_are_finite_at_outputs_from_0_to_1e4(size, raw):
    outputs = jnp.array([[size, -size, raw]])
    result = jax.value_and_grad(
        lambda x: jnp.sum(ANGLE.unpack(x, LEARNED).log_prob(jnp.array([0.7])))
    )(outputs)
    chex.assert_tree_all_finite(result)


@pytest.mark.parametrize("sd", [0.1, 0.5, 2.0])
def test_the_bound_of_an_image_that_shows_the_angle_is_the_mutual_information(sd):
    """The image is the angle with a von Mises error, and Q is the exact posterior."""
    rng, k = np.random.default_rng(0), sd**-2.0
    angle = rng.uniform(-math.pi, math.pi, 100_000)
    seen = jnp.asarray(angle + rng.vonmises(0, k, 100_000), jnp.float32)
    raw = jnp.full((len(seen), 1), math.log(sd - 0.01))
    outputs = jnp.concatenate([towards(seen), raw], axis=1)
    codes = {"turn": jnp.asarray(angle, jnp.float32)}
    expected = k * special.i1e(k) / special.i0e(k) - k - math.log(special.i0e(k))
    found = objective.mi_bounds(SPEC, outputs, codes)["turn"]
    assert found == pytest.approx(expected, abs=0.02)


def test_a_q_that_ignores_the_image_has_a_bound_of_0_at_most():
    codes = {"turn": jnp.asarray(AROUND[1:])}
    for raw, expected in ((20.0, 0.0), (0.0, -math.log(special.i0(1 / 1.01**2)))):
        outputs = jnp.tile(jnp.array([1.0, 0.0, raw]), (720, 1))
        found = objective.mi_bounds(SPEC, outputs, codes)["turn"]
        assert found == pytest.approx(expected, abs=1e-4)
