"""What G makes in a training step, with the statistics of its own batch."""

from jaxtyping import Array, Float

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState
from infogan_jax.model import latents, networks
from infogan_jax.model.convolutions import Images
from infogan_jax.model.latents import Codes
from infogan_jax.model.networks import Variables


def generate(
    algorithm: Algorithm,
    state: TrainState,
    params: Variables,
    uniform: Float[Array, "batch uniform_size"],
) -> tuple[Codes, Images, Variables]:
    """Returns codes, their images, and the batch statistics afterwards.

    Codes and noise are made from the numbers of U(-1, 1), as `latents.sample` does.
    """
    sampled = latents.sample(algorithm.spec, uniform)
    inputs = latents.pack(algorithm.spec, sampled)
    images, stats = networks.generate(
        algorithm.nets, params, state.stats, inputs, train=True
    )
    return sampled.codes, images, stats


def decode(
    algorithm: Algorithm,
    state: TrainState,
    params: Variables,
    inputs: Float[Array, "batch inputs"],
) -> Images:
    """Returns the images of latents that are packed already."""
    nets, stats = algorithm.nets, state.stats
    return networks.generate(nets, params, stats, inputs, train=True)[0]
