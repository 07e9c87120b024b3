"""The moving average of G's parameters, and its batch statistics."""

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


def test_the_average_is_off_by_default_and_then_sampling_uses_g_itself():
    after = run(0.0)[-1]
    assert after.average == {}
    assert after.sampling == (after.params, after.stats)


def test_the_average_is_exponential_with_a_short_memory_first():
    """The decay after n steps is (1 + n) / (10 + n): 1/10, then 2/11."""
    generators = [each.params["generator"] for each in run(DECAY)]

    def ema(a, b, c):
        return 2 / 11 * (0.1 * a + 0.9 * b) + 9 / 11 * c

    last = run(DECAY)[-1]
    expected = jax.tree.map(ema, *generators)
    chex.assert_trees_all_close(last.average["params"], expected, rtol=1e-4, atol=1e-6)


def test_late_in_a_run_the_decay_is_the_configured_one():
    first = run(DECAY)[0]
    late = first.replace(step=np.int32(10_000))
    step = jax.jit(partial(train_step.train_step, algorithm(DECAY)))
    after = jax.device_get(step(late, BATCH)[0])
    expected = jax.tree.map(
        lambda a, b: DECAY * a + (1 - DECAY) * b,
        late.average["params"],
        after.params["generator"],
    )
    chex.assert_trees_all_close(after.average["params"], expected, rtol=1e-4, atol=1e-6)


def test_the_average_does_not_affect_training():
    last = run(DECAY)[-1]
    chex.assert_trees_all_close(last.params, run(0.0)[-1].params, rtol=1e-4, atol=1e-6)


def test_the_statistics_are_those_of_a_batch_through_the_averaged_g():
    first = run(DECAY)[0].replace(step=np.int32(10_000))
    step = jax.jit(partial(train_step.train_step, algorithm(DECAY)))
    after = jax.device_get(step(first, BATCH)[0])
    nets, spec = algorithm(DECAY).nets, algorithm(DECAY).spec
    draws = random_numbers.draw(algorithm(DECAY), first, len(BATCH), None)
    inputs = latents.pack(spec, latents.sample(spec, draws["g_latents"]))

    @jax.jit
    def statistics_with(params):
        variables = {"params": params, "batch_stats": first.stats["generator"]}
        return nets.generator.apply(variables, inputs, True, mutable="batch_stats")[1]

    expected = statistics_with(after.average["params"])["batch_stats"]
    chex.assert_trees_all_close(after.average["stats"], expected, rtol=1e-4, atol=1e-5)
    of_updated = statistics_with(after.params["generator"])["batch_stats"]
    gaps = jax.tree.map(lambda a, b: np.abs(a - b).max(), expected, of_updated)
    assert max(jax.tree.leaves(gaps)) > 1e-3


def test_sampling_uses_the_parameters_and_statistics_of_the_average():
    last = run(DECAY)[-1]
    params, stats = last.sampling
    assert params == {**last.params, "generator": last.average["params"]}
    assert stats == {**last.stats, "generator": last.average["stats"]}
