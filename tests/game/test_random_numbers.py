"""The random numbers of a step: all different, for any switches and any devices."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from tiny import build_tiny

from infogan_jax.game import random_numbers, state
from infogan_jax.game.real_information.bounds import RealInformation

ALL = replace(
    build_tiny(), noise_sd=jnp.float32, terms=RealInformation(weight=1.0).terms()
)
FIRST = state.create_state(ALL, jnp.uint32(7))
draw = jax.jit(random_numbers.draw, static_argnums=(0, 2, 3))


def drawn_at(step, algorithm=ALL, count=16):
    before = FIRST.replace(step=jnp.int32(step))
    return jax.device_get(draw(algorithm, before, count, None))


def test_every_purpose_step_and_example_draws_different_numbers():
    steps = [drawn_at(step) for step in range(3)]
    rows = [part for one in steps for row in one.values() for part in row[:, :6]]
    assert len(rows) == 3 * 7 * 16
    assert len(np.unique(np.stack(rows), axis=0)) == len(rows)


def test_numbers_are_uniform_between_minus_one_and_one_and_uncorrelated():
    drawn = drawn_at(0, count=4096)
    together = np.concatenate([part[:, :4] for part in drawn.values()], axis=1)
    assert np.abs(together).max() < 1
    assert stats.kstest(together.ravel(), stats.uniform(-1, 2).cdf).pvalue > 0.01
    np.testing.assert_allclose(np.cov(together.T), np.eye(28) / 3, atol=0.03)


@pytest.mark.parametrize(
    "switches",
    [{"noise_sd": None}, {"terms": ()}],
)
def test_latents_are_the_same_whatever_else_is_drawn(switches):
    other = replace(ALL, **switches)
    assert random_numbers.sizes(other) != random_numbers.sizes(ALL)
    for name in ("d_latents", "g_latents"):
        np.testing.assert_array_equal(drawn_at(0, other)[name], drawn_at(0)[name])


def test_a_switch_that_is_off_draws_no_numbers():
    sizes = random_numbers.sizes(build_tiny())
    latents = build_tiny().spec.uniform_size
    assert sum(sizes.values()) == 2 * latents > 0
    pixels = 8 * 8
    on = {name: pixels if "noise" in name else size for name, size in sizes.items()}
    on |= {"term_real_information": 7, "term_real_information_noise": pixels}
    assert random_numbers.sizes(ALL) == on


@pytest.mark.parametrize("devices", [2, 4])
def test_devices_that_share_a_batch_draw_the_numbers_of_the_whole_batch(devices):
    def shares(_):
        return random_numbers.draw(ALL, FIRST, 16 // devices, "data")

    split = jax.jit(jax.vmap(shares, axis_name="data"))(jnp.arange(devices))
    for name, whole in drawn_at(0).items():
        np.testing.assert_array_equal(split[name].reshape(whole.shape), whole)
