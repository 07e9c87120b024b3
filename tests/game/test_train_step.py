"""One training step against a second implementation of equation 6; randomness."""

import math
from dataclasses import replace
from functools import cache, partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.scipy import stats as densities
from tiny import build_tiny

from infogan_jax.game import random_numbers, state, train_step
from infogan_jax.game.algorithm import Optimisers
from infogan_jax.model import latents

CODES = "categorical(10), 2 x uniform @ 0.5"
LAMBDAS = (1.0, 0.5, 0.5)
OTHER_CODES = "categorical(10) @ 3, uniform @ 0, uniform @ 0.25"
OTHER_LAMBDAS = (3.0, 0.0, 0.25)
BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)
SWITCHES = dict(noise_sd=lambda step: 0.1 * step, real_label=0.9)
RATE_D = 0.125
close = partial(chex.assert_trees_all_close, rtol=1e-3, atol=5e-6)


def size(*trees):
    """The largest absolute value in a tree, or in the difference of two."""
    tree = trees[0] if len(trees) == 1 else jax.tree.map(np.subtract, *trees)
    return max(np.abs(leaf).max() for leaf in jax.tree.leaves(tree))


@cache
def first():
    """The state before the first step, the same for every algorithm here.

    With this seed no activation is so near the kink of a ReLU that rounding decides.
    """
    return jax.jit(partial(state.create_state, descent()))(jnp.uint32(5))


def descent(codes=CODES, rate_d=1.0, rate_g=1.0, **switches):
    optimisers = Optimisers(optax.sgd(rate_d), optax.sgd(rate_g))
    return build_tiny(codes, optimisers=optimisers, **switches)


@cache
def compiled(codes, **switches):
    @jax.jit
    def step(before, batch, rate_d, rate_g):
        algorithm = descent(codes, rate_d, rate_g, **switches)
        return train_step.train_step(algorithm, before, batch)

    return step


@cache
def moved(codes=CODES, at=0, rate_d=RATE_D, rate_g=1.0, **switches):
    """Minus the movement of every parameter in one step, and the step's results."""
    before = replace(first(), step=jnp.int32(at))
    result = compiled(codes, **switches)(before, BATCH, rate_d, rate_g)
    before, (after, metrics) = jax.device_get((before, result))
    return jax.tree.map(np.subtract, before.params, after.params), after, metrics


def gradients(*args, **switches):
    """Movement divided by rate. D's rate is small, to keep G's gradient moderate."""
    movement, after, metrics = moved(*args, **switches)
    rates = {"generator": 1.0, "discriminator": RATE_D, "recognition": RATE_D}
    scaled = {
        name: jax.tree.map(partial(np.multiply, 1 / rate), movement[name])
        for name, rate in rates.items()
    }
    return scaled, after, metrics


@jax.jit
def equation_6(before, lam_d, lam_g, sd, target, rate_d):
    """Returns the gradients of D/Q and then of G, from the paper's formula alone."""
    nets, spec = descent().nets, descent().spec
    algorithm = descent(noise_sd=jnp.float32)
    draws = random_numbers.draw(algorithm, before, len(BATCH), None)

    def run(module, name, params, x):
        variables = {"params": params[name], "batch_stats": before.stats[name]}
        return module.apply(variables, x, True, mutable=["batch_stats"])[0]

    def noisy(x, name):
        return x + sd * densities.norm.ppf((1 + draws[name]) / 2).reshape(x.shape)

    def generated(params, latents_name, noise_name):
        drawn = latents.sample(spec, draws[latents_name])
        x = run(nets.generator, "generator", params, latents.pack(spec, drawn))
        return drawn.codes, noisy(x, noise_name)

    def information(params, features, codes, lambdas):
        out = run(nets.recognition, "recognition", params, features)
        category = jnp.log(jax.nn.softmax(out[:, :10]))
        chosen = category[jnp.arange(len(out)), codes["categorical_0"]]
        bounds = [jnp.mean(chosen) + math.log(10)]
        for i in (0, 1):
            mean, sd = out[:, 10 + 2 * i], jnp.exp(out[:, 11 + 2 * i]) + 0.01
            density = densities.norm.logpdf(codes[f"uniform_{i}"], mean, sd)
            bounds.append(jnp.mean(density) + math.log(2))
        return sum(w * b for w, b in zip(lambdas, bounds, strict=True)), bounds

    def d_loss(moving):
        params = {**before.params, **moving}
        real = noisy(jnp.float32(BATCH) / 255, "d_noise_real")
        codes, fake = generated(params, "d_latents", "d_noise_generated")
        real, _ = run(nets.discriminator, "discriminator", params, real)
        fake, features = run(nets.discriminator, "discriminator", params, fake)
        real, fake = jax.nn.sigmoid(real), jax.nn.sigmoid(fake)
        of_real, of_fake = jnp.log(real), jnp.log(1 - fake).mean()
        smooth = target * of_real + (1 - target) * jnp.log(1 - real)
        value = smooth.mean() + of_fake
        total, bounds = information(params, features, codes, lam_d)
        jsd = math.log(2) + (of_real.mean() + of_fake) / 2
        return -value - total, (-value, jsd, bounds)

    players = {name: before.params[name] for name in ("discriminator", "recognition")}
    grads, (d_value, jsd, bounds) = jax.grad(d_loss, has_aux=True)(players)
    stepped = jax.tree.map(lambda p, g: p - rate_d * g, players, grads)
    params = {**before.params, **stepped}

    def g_loss(generator):
        codes, fake = generated({"generator": generator}, "g_latents", "g_noise")
        fake, features = run(nets.discriminator, "discriminator", params, fake)
        value = -jnp.mean(jnp.log(jax.nn.sigmoid(fake)))
        return value - information(params, features, codes, lam_g)[0], value

    g_grads, g_value = jax.grad(g_loss, has_aux=True)(before.params["generator"])
    values = dict(zip((f"mi_bound/{c.name}" for c in spec.codes), bounds, strict=True))
    values |= {"loss/discriminator": d_value, "loss/generator": g_value}
    return {**grads, "generator": g_grads}, values | {"jsd_bound": jsd}


def formula(lam_d=LAMBDAS, lam_g=LAMBDAS, *, at=0, sd=0.0, target=1.0, rate_d=RATE_D):
    before = replace(first(), step=jnp.int32(at))
    return jax.device_get(equation_6(before, lam_d, lam_g, sd, target, rate_d))


def test_the_step_follows_the_gradient_of_equation_6_with_separate_batches():
    grads, after, metrics = gradients()
    expected, values = formula()
    close(grads, expected)
    close(metrics, values)
    assert after.step == 1 and after.seed == 5


def test_instance_noise_and_label_smoothing_change_equation_6_as_documented():
    grads, _, metrics = gradients(at=3, **SWITCHES)
    expected, values = formula(at=3, sd=0.3, target=0.9)
    close(grads, expected)
    close(metrics, values)
    for less in ({"sd": 0.3}, {"target": 0.9}):
        assert size(grads, formula(at=3, **less)[0]) > 1e-3


def test_l_i_updates_the_trunk_unless_info_to_trunk_is_off():
    with_information, without = gradients()[0], gradients(info_to_trunk=False)[0]
    gan_alone = formula((0.0, 0.0, 0.0))[0]
    close(without["discriminator"], gan_alone["discriminator"])
    close(without["recognition"], with_information["recognition"])
    trunks = (g["discriminator"]["trunk"] for g in (with_information, without))
    assert size(*trunks) > 1e-3


def test_without_info_to_trunk_l_i_still_reaches_the_generator():
    grads, _, _ = moved(rate_d=0.0, info_to_trunk=False)
    close(grads["generator"], formula(rate_d=0.0)[0]["generator"])


def test_l_i_reaches_the_generator_unless_info_to_generator_is_off():
    ignored = gradients(OTHER_CODES, info_to_generator=False)[0]
    informed = formula(OTHER_LAMBDAS, OTHER_LAMBDAS)[0]
    close(ignored, formula(OTHER_LAMBDAS, (0.0, 0.0, 0.0))[0])
    assert size(informed["generator"], ignored["generator"]) > 1e-3


def test_lambda_scales_the_gradient_of_its_own_code_alone():
    base = gradients()[0]["recognition"]["fc_1"]["kernel"]
    scaled = gradients(OTHER_CODES, info_to_generator=False)[0]
    ratios = np.array([3.0] * 10 + [0.0] * 2 + [0.5] * 2)  # of each unit of Q
    close(scaled["recognition"]["fc_1"]["kernel"], ratios[None] * base)
    assert (np.abs(base).max(0) > 1e-4).all()


@pytest.mark.parametrize(("rate_d", "rate_g"), [(0.25, 0.0), (0.0, 0.5)])
def test_each_player_updates_its_own_networks_at_its_own_rate(rate_d, rate_g):
    grads, expected = moved(rate_d=rate_d, rate_g=rate_g)[0], formula(rate_d=rate_d)[0]
    rates = {"generator": rate_g, "discriminator": rate_d, "recognition": rate_d}
    for name, rate in rates.items():
        close(grads[name], jax.tree.map(partial(np.multiply, rate), expected[name]))
        assert (size(grads[name]) > 0) == (rate > 0)


def test_a_step_is_a_function_of_seed_and_step_and_differs_with_each():
    seeds = [replace(first(), seed=jnp.uint32(seed)) for seed in (5, 8)]
    again, other = (compiled(CODES)(before, BATCH, RATE_D, 1.0) for before in seeds)
    chex.assert_trees_all_equal(jax.device_get(again), gradients()[1:])
    losses = [m["loss/generator"] for m in (gradients()[2], moved(at=1)[2], other[1])]
    assert len(np.unique(losses)) == 3
