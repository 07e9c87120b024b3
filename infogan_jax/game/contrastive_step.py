"""The contrastive term in a training step: H learns, then G gets the gradient.

Before its first step the term costs nothing: neither pairs nor H are computed.
"""

from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.game import contrast
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.contrast import Contrast
from infogan_jax.game.generating import generate
from infogan_jax.game.random_numbers import Draws
from infogan_jax.game.state import H_PLAYER, TrainState
from infogan_jax.game.terms import Metrics
from infogan_jax.game.updates import update
from infogan_jax.model.convolutions import Images
from infogan_jax.model.networks import Variables

BOUND = "contrastive_bound"


def teach_h(
    algorithm: Algorithm,
    term: Contrast,
    state: TrainState,
    images: Images,
    draws: Draws,
    axis: str | None,
) -> tuple[TrainState, Metrics]:
    """Updates H on pairs of generated images, as D's optimiser would.

    Args:
      algorithm: networks, codes and optimisers.
      term: H.
      state: the state after D's update.
      images: those that D has seen, of the latents of its step.
      draws: all numbers of the step.
      axis: the device axis over which the batch is split, if any.

    Returns:
      The next state, and the bound in nats; before the term's first step, 0.
    """

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        value, stats = _bound(
            algorithm,
            term,
            state,
            {**state.params, **params},
            images,
            (draws["d_latents"], draws["h_pairs"]),
        )
        return -value, ({BOUND: value}, {"contrast": stats})

    def learn() -> tuple[TrainState, Metrics]:
        optimiser = algorithm.optimisers.discriminator
        return update(state, "contrast", H_PLAYER, optimiser, loss, axis)

    return lax.cond(
        state.step >= term.from_step, learn, lambda: (state, {BOUND: _zero(axis)})
    )


def weighted_bound(
    algorithm: Algorithm,
    term: Contrast,
    state: TrainState,
    params: Variables,
    images: Images,
    draws: Draws,
    axis: str | None,
) -> Float[Array, ""]:
    """Returns what G maximises besides, 0 before the term's first step.

    Args:
      algorithm: networks and codes.
      term: H, and its weight.
      state: the state after H's update.
      params: of G, with respect to which it is differentiated, and of H.
      images: those that G has made in this step.
      draws: all numbers of the step.
      axis: the device axis over which the batch is split, if any.
    """
    numbers = draws["g_latents"], draws["g_pairs"]
    value: Array = lax.cond(
        state.step >= term.from_step,
        lambda: _bound(algorithm, term, state, params, images, numbers)[0],
        lambda: _zero(axis),
    )
    return term.weight * value


def _bound(
    algorithm: Algorithm,
    term: Contrast,
    state: TrainState,
    params: Variables,
    images: Images,
    numbers: tuple[Array, Array],
) -> tuple[Float[Array, ""], Variables]:
    """Returns the bound of images and their partners, and H's batch statistics."""
    uniform, shared = contrast.partners(algorithm.spec, *numbers, term.gap)
    _, others, _ = generate(algorithm, state, params, uniform)
    own, stats = params["contrast"], state.stats["contrast"]
    logits, stats = term.tell(algorithm.nets, own, stats, images, others)
    return contrast.bound(logits, shared), stats


def _zero(axis: str | None) -> Any:
    """Returns a 0 that is a number of each device, as the bound of its images is."""
    zero = jnp.zeros(())
    return zero if axis is None else lax.pcast(zero, axis, to="varying")
