"""The state of training: one frozen tree, and the only one that is saved."""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, UInt32

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import networks
from infogan_jax.model.networks import Variables

D_PLAYER = ("discriminator", "recognition")
G_PLAYER = ("generator",)


@struct.dataclass
class TrainState:
    """Everything that a run needs to go on, besides the data.

    The fields are trees of arrays; JAX rebuilds such a tree with anything in the
    place of an array, so that their types stay open.

    Attributes:
      step: the number of finished steps, an int32 scalar.
      seed: the root of all randomness of the run, a uint32 scalar; a number, not a
        key that is carried, so that a step depends on (seed, step) alone.
      params: of generator, discriminator (trunk and D head) and recognition (Q).
      stats: batch-norm averages (and spectral-norm vectors) of the same.
      opt_state: of the two players, `discriminator` and `generator`.
      average: `params`, the moving average of G's, and the batch-norm `stats` of the
        G that has them; empty where it is off.
    """

    step: Any
    seed: Any
    params: Any
    stats: Any
    opt_state: Any
    average: Any

    @property
    def sampling(self) -> tuple[Variables, Variables]:
        """Parameters and statistics for pictures: of the averaged G if there is one."""
        if not self.average:
            return self.params, self.stats
        params, stats = self.average["params"], self.average["stats"]
        return {**self.params, "generator": params}, {**self.stats, "generator": stats}


def player(params: Variables, names: tuple[str, ...]) -> Variables:
    """The trees that one player's optimiser moves."""
    return {name: params[name] for name in names if name in params}


def create_state(algorithm: Algorithm, seed: UInt32[Array, ""]) -> TrainState:
    """The state before the first step, a pure function of the seed."""
    params, stats = networks.init(algorithm.nets, jax.random.key(seed))
    average = {"params": params["generator"], "stats": stats["generator"]}
    optimisers = algorithm.optimisers
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seed=seed,
        params=params,
        stats=stats,
        opt_state={
            "discriminator": optimisers.discriminator.init(player(params, D_PLAYER)),
            "generator": optimisers.generator.init(player(params, G_PLAYER)),
        },
        average=average if algorithm.average_decay else {},
    )


@lru_cache(maxsize=4)
def state_shapes(algorithm: Algorithm) -> TrainState:
    """The shapes and types of a state; nothing is compiled."""
    seed = jax.ShapeDtypeStruct((), jnp.uint32)
    return jax.eval_shape(partial(create_state, algorithm), seed)
