"""How a player moves: a step of its optimiser, on one device or the same on several."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import optax
from jax import lax
from jaxtyping import Array

from infogan_jax.game.state import TrainState, player
from infogan_jax.game.terms import Metrics
from infogan_jax.model.networks import Variables

Loss = Callable[[Variables], tuple[Array, tuple[Metrics, Variables]]]
"""From a player's parameters to its loss, metrics, and batch statistics."""


def update(
    state: TrainState,
    optimiser_name: str,
    names: tuple[str, ...],
    optimiser: optax.GradientTransformation,
    loss: Loss,
    axis: str | None,
) -> tuple[TrainState, Metrics]:
    """Takes one step of an optimiser on the networks in `names`.

    Gradients and batch statistics are averaged over the device axis `axis`, if any.
    """
    params = player(state.params, names)
    grads, (metrics, stats) = jax.grad(loss, has_aux=True)(local(params, axis))
    updates, opt_state = optimiser.update(
        mean(grads, axis), state.opt_state[optimiser_name], params
    )
    return replace(
        state,
        params={**state.params, **optax.apply_updates(params, updates)},
        stats={**state.stats, **mean(player(stats, names), axis)},
        opt_state={**state.opt_state, optimiser_name: opt_state},
    ), metrics


def local(params: Variables, axis: str | None) -> Variables:
    """Marks parameters as varying by device, so that gradients are not summed yet."""
    return params if axis is None else lax.pcast(params, axis, to="varying")


def mean(tree: Any, axis: str | None) -> Any:
    """Returns the average of each array over the devices."""
    return tree if axis is None else lax.pmean(tree, axis)
