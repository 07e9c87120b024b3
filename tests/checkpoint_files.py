"""Checkpoints of a made-up state, and their files."""

import jax
import jax.numpy as jnp
import numpy as np

from infogan_jax.game.state import TrainState
from infogan_jax.run.checkpoints import Checkpoints


def state_at(step, **fields):
    rng = np.random.default_rng(step)

    def array(*shape):
        return jnp.asarray(rng.standard_normal(shape, np.float32))

    odd = jnp.asarray([0.0, -0.0, 1e-45, 3.4e38, -1e-30], jnp.float32)
    state = TrainState(
        step=jnp.int32(step),
        seed=jnp.uint32(2**32 - 1),
        params={"generator": {"w": array(64, 96), "odd": odd}},
        stats={"generator": {"mean": array(33)}},
        opt_state={"generator": [jnp.int32(step), {"mu": array(64, 96)}]},
        average={},
    )
    return state.replace(**fields)


def saved(directory, *steps):
    with Checkpoints(directory) as checkpoints:
        for step in steps:
            checkpoints.save(state_at(step))
    return directory


def restored(directory, *, read_only=True):
    with Checkpoints(directory, read_only=read_only) as checkpoints:
        return checkpoints.restore_newest(state_at(0))


def bits(state):
    leaves, structure = jax.tree.flatten(state)
    return structure, [(a.shape, a.dtype, a.tobytes()) for a in map(np.asarray, leaves)]


def files(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
