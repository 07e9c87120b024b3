"""Codes of real images: draws, MMD and KL to the prior, likelihood, two devices."""

import math
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P
from scipy import integrate, stats
from tiny import changed

from infogan_jax import experiment
from infogan_jax.errors import UserError
from infogan_jax.game import updates
from infogan_jax.game.real_information import info_vae
from infogan_jax.game.real_information.info_vae import InfoVAE
from infogan_jax.game.terms import Shown, View
from infogan_jax.machine import parallel
from infogan_jax.model import latents, notation
from infogan_jax.model.latents import LatentSpec

GRID = jnp.float32((np.arange(4000) + 0.5) / 2000 - 1)
"""Numbers that are spread over (-1, 1) as evenly as can be."""

LOGITS = jnp.array([1.0, -0.5, 0.2, 2.0])


def spec_of(codes, noise_size=0):
    return LatentSpec(notation.parse_codes(codes), noise_size, sd_floor=0.01)


def drawn(logits, numbers=GRID):
    rows = jnp.broadcast_to(logits, (len(numbers), len(logits)))
    return info_vae.draw_category(rows, numbers)


def test_categories_are_drawn_as_often_as_they_are_probable():
    rows = np.asarray(drawn(LOGITS))
    assert set(np.unique(rows)) == {0, 1} and (rows.sum(axis=1) == 1).all()
    np.testing.assert_allclose(rows.mean(axis=0), jax.nn.softmax(LOGITS), atol=1e-3)


def test_the_gradient_through_a_category_is_that_of_the_sum_over_all_categories():
    """For a linear function, whose expectation is enumerated."""
    values = jnp.array([3.0, -1.0, 0.5, 2.0])

    def by_draws(logits):
        return jnp.mean(drawn(logits) @ values)

    def by_sum(logits):
        return jax.nn.softmax(logits) @ values

    by_draws, by_sum = (jax.jit(jax.grad(each))(LOGITS) for each in (by_draws, by_sum))
    np.testing.assert_allclose(by_draws, by_sum, atol=1e-5)
    assert float(abs(by_sum).max()) > 0.1


def test_a_certain_q_draws_its_category_whatever_the_number():
    ends = jnp.array([-0.99999994, -0.5, 0.0, 0.99999994])

    def first(logits):
        rows = drawn(logits, ends)
        return rows[0] @ jnp.arange(4.0), rows

    sloped = jax.jit(jax.grad(first, has_aux=True))
    for place in range(4):
        slopes, rows = sloped(jnp.full(4, -1e4).at[place].set(1e4))
        np.testing.assert_array_equal(rows[:, place], 1)
        assert np.isfinite(slopes).all()


def view(spec, outputs, numbers, weight, images, prior=None, axis=None):
    """Q has said `outputs` of the images; G is a linear map."""
    shown = Shown(images, jnp.zeros(len(images)), outputs, {})

    def generate(inputs):
        return (inputs @ weight).reshape(images.shape)

    return View(
        spec=spec,
        codes=prior or {},
        generated=shown,
        real=shown,
        drawn=numbers,
        discriminate=lambda _: shown,
        judge=lambda _: shown.logits,
        axis=axis,
        generate=generate,
    )


def test_the_likelihood_reaches_q_through_its_sample_and_g_through_its_image():
    """For a linear G, E |x - W c|^2 = |x - W m|^2 + sd^2 |W|^2."""
    spec, pixels, sd = spec_of("gaussian"), jnp.array([0.7, -0.3]), 0.5
    images = jnp.broadcast_to(pixels.reshape(2, 1, 1), (len(GRID), 2, 1, 1))

    def by_draws(mean, raw, weight):
        outputs = jnp.broadcast_to(jnp.stack([mean, raw]), (len(GRID), 2))
        seen = view(spec, outputs, GRID[:, None], weight, images)
        return InfoVAE(sd).of_encoder(seen)[0]

    def by_hand(mean, raw, weight):
        variance = (jnp.exp(raw) + 0.01) ** 2
        error = jnp.sum((pixels - mean * weight[0]) ** 2) + variance * jnp.sum(
            weight**2
        )
        return -error / (2 * sd**2) - 2 * math.log(sd * math.sqrt(2 * math.pi))

    at = jnp.float32(0.4), jnp.float32(-0.7), jnp.array([[1.5, -0.8]])
    found, expected = (
        jax.jit(jax.value_and_grad(each, argnums=(0, 1, 2)))(*at)
        for each in (by_draws, by_hand)
    )
    chex.assert_trees_all_close(found, expected, rtol=3e-3)
    assert min(float(abs(each).max()) for each in expected[1]) > 0.1


def test_the_likelihood_is_the_density_of_a_normal_distribution_of_pixels():
    x, y = np.random.default_rng(0).normal(size=(2, 3, 4, 2, 1)).astype(np.float32)
    expected = stats.norm.logpdf(x, y, 0.3).sum(axis=(1, 2, 3))
    found = info_vae.log_likelihood(jnp.asarray(x), jnp.asarray(y), 0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


MIXED = spec_of("category=categorical(4), a=gaussian, b=gaussian, c=uniform, d=angle")


ESTIMATE = jax.jit(jax.vmap(partial(info_vae.mmd_to_prior, MIXED)))


def mmds(change, repeats=1000, count=32):
    """MMD^2 to the prior of codes of the prior that are changed, for many batches."""
    shape = 2, repeats * count, MIXED.uniform_size
    numbers = jnp.float32(np.random.default_rng(0).uniform(-1, 1, shape))
    encoded, prior = (latents.sample(MIXED, each) for each in numbers)
    packed = latents.pack(MIXED, encoded._replace(codes=change(encoded.codes)))
    batches = jax.tree.map(
        lambda leaf: leaf.reshape(repeats, count, *leaf.shape[1:]),
        (packed, prior.codes),
    )
    return np.asarray(ESTIMATE(*batches))


def test_mmd_to_the_prior_is_0_at_the_mean_for_codes_of_the_prior():
    values = mmds(lambda codes: codes)
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean()) < 4 * error and (values < 0).any()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: {**c, "category": jnp.zeros_like(c["category"])},
        lambda c: {**c, "a": 0.0 * c["a"]},
        lambda c: {**c, "c": 0.0 * c["c"]},
        lambda c: {**c, "d": 0.0 * c["d"]},
        lambda c: {**c, "a": c["b"]},
        lambda c: {**c, "a": 2.0 + c["a"]},
    ],
    ids=[
        "one category",
        "a dead normal",
        "a dead uniform",
        "a dead angle",
        "two alike",
        "shifted",
    ],
)
def test_mmd_to_the_prior_sees_an_encoder_that_collapses(change):
    values = mmds(change)
    assert values.mean() > 5 * values.std() / math.sqrt(len(values))


def test_kl_to_the_prior_by_enumeration_and_by_quadrature():
    spec, mean, raw = spec_of("categorical(4), gaussian"), 0.8, -0.5
    outputs = jnp.concatenate([LOGITS, jnp.array([mean, raw])])[None]
    q = np.asarray(jax.nn.softmax(LOGITS), np.float64)
    normal = stats.norm(mean, math.exp(raw) + 0.01)
    of_normal, _ = integrate.quad(
        lambda c: normal.pdf(c) * (normal.logpdf(c) - stats.norm.logpdf(c)), -8, 8
    )
    expected = np.sum(q * np.log(4 * q)) + of_normal
    assert float(info_vae.kl_to_prior(spec, outputs)) == pytest.approx(expected, 1e-5)


def test_what_a_vae_minimises_is_information_and_the_divergence_of_the_marginal():
    logits = jnp.float32(np.random.default_rng(0).normal(size=(5, 3)))
    kl = float(info_vae.kl_to_prior(spec_of("categorical(3)"), logits))
    q = np.asarray(jax.nn.softmax(logits), np.float64)
    marginal = q.mean(axis=0)
    information = np.mean(np.sum(q * np.log(q / marginal), axis=1))
    divergence = np.sum(marginal * np.log(3 * marginal))
    assert kl == pytest.approx(information + divergence, rel=1e-4)


def test_two_devices_encode_as_one():
    """The mean of the devices' gradients is the gradient on the whole batch."""
    rng, spec = np.random.default_rng(0), spec_of("categorical(3), gaussian", 1)
    images, numbers, prior = (
        jnp.float32(rng.uniform(-1, 1, shape))
        for shape in ((8, 4, 1, 1), (8, 3), (8, 3))
    )
    q, g = (jnp.float32(rng.normal(size=shape)) for shape in ((4, 5), (5, 4)))
    objective = InfoVAE(0.5, mmd_weight=10.0, kl_weight=0.5)

    def step(q, images, numbers, prior, axis=None):
        def loss(moving):
            outputs = images.reshape(-1, 4) @ moving["q"]
            codes = latents.sample(spec, prior).codes
            seen = view(spec, outputs, numbers, g, images, codes, axis)
            return objective.of_encoder(seen)

        local = updates.local({"q": q}, axis)
        found = jax.value_and_grad(loss, has_aux=True)(local)
        return updates.mean(found, axis)

    mapped = jax.shard_map(
        partial(step, axis=parallel.AXIS),
        mesh=parallel.make_mesh(),
        in_specs=(P(), *[P(parallel.AXIS)] * 3),
        out_specs=P(),
    )
    one, two = (jax.jit(each)(q, images, numbers, prior) for each in (step, mapped))
    chex.assert_trees_all_close(one, two, rtol=1e-4, atol=1e-5)
    assert set(one[0][1]) == {
        "reconstruction/log_likelihood",
        "prior/mmd_squared",
        "prior/kl",
    }


def test_it_is_off_by_default(tiny_config):
    assert InfoVAE().terms(MIXED) == ()
    tiny_config.real_information.weight = 0.0
    assert experiment.describe(tiny_config.to_dict()).algorithm.terms == ()


VAE = {"objective.game": "none", "info_vae.sd": 0.2, "latents.noise_size": 0}


@pytest.mark.parametrize(
    "fields, message, ways_out",
    [
        (
            {"info_vae.sd": 0.2, "latents.codes": ""},
            r"info_vae.sd \(=0.2\) asks G to decode",
            [{"info_vae.sd": 0.0}, {"latents.codes": "categorical(10), 16 x gaussian"}],
        ),
        (
            {"info_vae.sd": 0.2, "info_vae.kl_weight": 1.0, "latents.codes": "uniform"},
            r"kl_weight \(=1\) .* infinite for uniform",
            [{"info_vae.kl_weight": 0.0}, {"latents.codes": "gaussian"}],
        ),
        (
            {"info_vae.mmd_weight": 5.0},
            r"mmd_weight \(=5.0\) .*info_vae.sd \(=0\) asks for no decoding",
            [{"info_vae.sd": 0.3}, {"info_vae.mmd_weight": 0.0}],
        ),
        (
            {"latents.noise_size": 0, "latents.codes": ""},
            r"noise_size \(=0\) leaves G without any input",
            [{"latents.noise_size": 62}, {"latents.codes": "uniform"}],
        ),
        (
            {**VAE, "info_vae.sd": 0.0},
            r"game \(=none\) has no D",
            [{"info_vae.sd": 0.3}, {"objective.game": "non_saturating"}],
        ),
        (
            {**VAE, "objective.r1_weight": 1.0},
            r"r1_weight \(=1.0\) .* no D",
            [{"objective.r1_weight": 0.0}, {"objective.game": "hinge"}],
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(
    tiny_config, fields, message, ways_out
):
    def describe(**given):
        config = tiny_config
        for name, value in {**fields, **given}.items():
            config = type(config)(changed(config, name, value))
        return experiment.describe(config.to_dict())

    with pytest.raises(UserError, match=message):
        describe()
    for way_out in ways_out:
        describe(**way_out)
