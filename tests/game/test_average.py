"""The moving average of G: its parameters, and the statistics of what it makes."""

from functools import cache, partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
from tiny import build_tiny

from infogan_jax.game import random_numbers, state, train_step
from infogan_jax.game.algorithm import Optimisers
from infogan_jax.model import latents

DECAY = 0.75
BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)


def algorithm(decay):
    rates = Optimisers(optax.sgd(0.1), optax.sgd(0.5))
    return build_tiny(optimisers=rates, average_decay=decay)


@cache
def run(decay):
    """The states before the first step and after each of two."""
    create = jax.jit(partial(state.create_state, algorithm(decay)))
    step = jax.jit(partial(train_step.train_step, algorithm(decay)))
    states = [jax.device_get(create(jnp.uint32(7)))]
    for _ in range(2):
        states.append(jax.device_get(step(states[-1], BATCH)[0]))
    return states


def test_it_is_off_by_default_and_then_g_itself_is_drawn_from():
    after = run(0.0)[-1]
    assert after.average == {}
    assert after.sampling == (after.params, after.stats)


def test_the_parameters_are_an_exponential_moving_average_that_moves_no_player():
    generators = [each.params["generator"] for each in run(DECAY)]
    ema = jax.tree.map(lambda a, b, c: 0.5625 * a + 0.1875 * b + 0.25 * c, *generators)
    last = run(DECAY)[-1]
    chex.assert_trees_all_close(last.average["params"], ema, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(last.params, run(0.0)[-1].params, rtol=1e-4, atol=1e-6)


def test_the_statistics_are_those_of_the_images_that_the_average_makes():
    first, after = run(DECAY)[:2]
    nets, spec = algorithm(DECAY).nets, algorithm(DECAY).spec
    draws = random_numbers.draw(algorithm(DECAY), first, len(BATCH), None)
    inputs = latents.pack(spec, latents.sample(spec, draws["g_latents"]))

    @jax.jit
    def made_by(params):
        variables = {"params": params, "batch_stats": first.stats["generator"]}
        return nets.generator.apply(variables, inputs, True, mutable="batch_stats")[1]

    expected = made_by(after.average["params"])["batch_stats"]
    chex.assert_trees_all_close(after.average["stats"], expected, rtol=1e-4, atol=1e-5)
    moving = made_by(after.params["generator"])["batch_stats"]
    apart = jax.tree.map(lambda a, b: np.abs(a - b).max(), expected, moving)
    assert max(jax.tree.leaves(apart)) > 1e-3


def test_pictures_and_measures_take_both_from_the_average():
    last = run(DECAY)[-1]
    params, stats = last.sampling
    assert params == {**last.params, "generator": last.average["params"]}
    assert stats == {**last.stats, "generator": last.average["stats"]}
