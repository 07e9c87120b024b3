"""The random keys of a step: none is used twice, and none depends on the sharing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import build_tiny

from infogan_jax import state, streams

FIRST = state.create(build_tiny(), jnp.uint32(7))


def keys_at(step, count=16):
    before = FIRST.replace(step=jnp.int32(step))
    return streams.example_keys(before, count, None)


def test_every_purpose_step_and_example_draws_from_a_key_of_its_own():
    keys = [keys_at(step) for step in range(3)]
    seen = [jax.random.key_data(key) for one in keys for key in one.values()]
    assert len(seen) == 3 * len(streams.STREAMS)
    assert len(np.unique(np.concatenate(seen), axis=0)) == len(seen) * 16


@pytest.mark.parametrize("devices", [2, 4])
def test_devices_that_share_a_batch_hold_the_keys_of_the_whole(devices):
    def shares(_):
        return streams.example_keys(FIRST, 16 // devices, "data")

    split = jax.vmap(shares, axis_name="data")(jnp.arange(devices))
    for name, key in keys_at(0).items():
        whole = jax.random.key_data(key)
        shared = jax.random.key_data(split[name].reshape(-1))
        np.testing.assert_array_equal(shared, whole)
