"""The training state: one frozen tree, which checkpoints save in full."""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, UInt32

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import networks
from infogan_jax.model.networks import Variables
from infogan_jax.model.random_keys import root_key

D_PLAYER = ("discriminator", "recognition")
G_PLAYER = ("generator",)
H_PLAYER = ("contrast",)


@struct.dataclass
class TrainState:
    """Everything that a run needs to continue, besides the data.

    The fields are trees of arrays. Their types are `Any`, because JAX also builds such
    trees with other leaves than arrays.

    Attributes:
      step: the number of finished steps, an int32 scalar.
      seed: the seed of all random numbers of the run, a uint32 scalar. It never
        changes, so a step's numbers depend on (seed, step) alone.
      params: of generator, discriminator (trunk and D's head) and recognition (Q), and
        of `contrast` (H) where the contrastive term is on.
      stats: the batch-norm averages (and spectral-norm vectors) of the same networks.
      opt_state: the optimisers' states, `discriminator` and `generator`, and that of
        H, `contrast`.
      average: `params`, the moving average of G's parameters, and `stats`, the
        batch-norm averages of a G with those parameters; empty if off.
    """

    step: Any
    seed: Any
    params: Any
    stats: Any
    opt_state: Any
    average: Any

    @property
    def sampling(self) -> tuple[Variables, Variables]:
        """The parameters and statistics for sampling, of the averaged G if it is on."""
        if not self.average:
            return self.params, self.stats
        params, stats = self.average["params"], self.average["stats"]
        return {**self.params, "generator": params}, {**self.stats, "generator": stats}


def player(params: Variables, names: tuple[str, ...]) -> Variables:
    """Returns the networks in `names`, which one optimiser updates."""
    return {name: params[name] for name in names if name in params}


def create_state(algorithm: Algorithm, seed: UInt32[Array, ""]) -> TrainState:
    """Returns the state before the first step, a pure function of the seed."""
    params, stats = networks.init(algorithm.nets, root_key(seed, "first_weights"))
    average = {"params": params["generator"], "stats": stats["generator"]}
    optimisers = algorithm.optimisers
    opt_state = {
        "discriminator": optimisers.discriminator.init(player(params, D_PLAYER)),
        "generator": optimisers.generator.init(player(params, G_PLAYER)),
    }
    if algorithm.contrast is not None:
        own, own_stats = algorithm.contrast.first_weights(
            algorithm.nets.image_shape, root_key(seed, "contrast")
        )
        params, stats = {**params, "contrast": own}, {**stats, "contrast": own_stats}
        own_state = optimisers.discriminator.init(player(params, H_PLAYER))
        opt_state["contrast"] = own_state
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        seed=seed,
        params=params,
        stats=stats,
        opt_state=opt_state,
        average=average if algorithm.average_decay else {},
    )


@lru_cache(maxsize=4)
def state_shapes(algorithm: Algorithm) -> TrainState:
    """Returns the shapes and types of a state, without compiling anything."""
    seed = jax.ShapeDtypeStruct((), jnp.uint32)
    return jax.eval_shape(partial(create_state, algorithm), seed)
