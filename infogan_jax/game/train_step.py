"""One step of InfoGAN on equation 6: D and Q move once, then G moves once.

`train_step` is a pure function from state and real images to state and metrics.
It runs on one device, or mapped over several: with an `axis` name the batch
statistics, gradients and metrics are averaged over it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float, UInt8

from infogan_jax.data.scaling import to_range
from infogan_jax.game import objective, random_numbers
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.objective import Metrics
from infogan_jax.game.random_numbers import Draws
from infogan_jax.game.real_information import bounds as real_bounds
from infogan_jax.game.real_information import transformations
from infogan_jax.game.state import D_PLAYER, G_PLAYER, TrainState, player
from infogan_jax.model import latents, networks
from infogan_jax.model.latents import Latents
from infogan_jax.model.networks import Variables

Loss = Callable[[Variables], tuple[Array, tuple[Metrics, Variables]]]


def train_step(
    algorithm: Algorithm,
    state: TrainState,
    batch: UInt8[Array, "batch height width channels"],
    axis: str | None = None,
) -> tuple[TrainState, Metrics]:
    """Takes one D/Q step, then one G step, each on fresh latents.

    Args:
      algorithm: the fixed parts.
      state: before the step; equal on all devices.
      batch: this device's share of the real images, in bytes.
      axis: the name of the mapped device axis, if any.

    Returns:
      The next state, and scalar metrics averaged over the whole batch:
      `loss/discriminator`, `loss/generator`, `jsd_bound` (as D sees the images)
      and `mi_bound/<code>` (and `real_mi_bound/<code>`, `change_bound/<code>` where
      they are asked for), all in nats.
    """
    nets = networks.with_sync_batch_norm(algorithm.nets, axis)
    algorithm = replace(algorithm, nets=nets)
    draws = random_numbers.draw(algorithm, state, batch.shape[0], axis)
    real = to_range(batch, algorithm.nets.output_range)
    state, d_metrics = _discriminator_step(algorithm, state, real, draws, axis)
    state, g_metrics = _generator_step(algorithm, state, draws, axis)
    state = replace(state, step=state.step + 1)
    return state, _mean(d_metrics | g_metrics, axis)


def _discriminator_step(
    algorithm: Algorithm,
    state: TrainState,
    real: Float[Array, "batch height width channels"],
    draws: Draws,
    axis: str | None,
) -> tuple[TrainState, Metrics]:
    """Moves trunk, D head and Q on a real and a generated batch.

    The two batches pass D apart, each with its own batch statistics; the running
    averages are those of the real batch, because Q reads real images later.
    """
    drawn, generated, _ = _generate(algorithm, state, state.params, draws["d_latents"])
    transformed = _transform(algorithm, state, real, draws)
    real = _add_noise(algorithm, state, real, draws["d_noise_real"])
    generated = _add_noise(algorithm, state, generated, draws["d_noise_generated"])

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        real_logits, real_outputs, stats = _discriminate(algorithm, state, params, real)
        logits, outputs, _ = _discriminate(algorithm, state, params, generated)
        bounds = objective.mi_bounds(algorithm.spec, outputs, drawn.codes)
        information = latents.weighted_sum(algorithm.spec, bounds)
        logged = {f"mi_bound/{name}": bound for name, bound in bounds.items()}
        if transformed is not None:
            _, transformed_outputs, _ = _discriminate(
                algorithm, state, params, transformed
            )
            on_real, more = real_bounds.weighted_bounds(
                algorithm.spec,
                algorithm.real_information,
                real_outputs,
                transformed_outputs,
                draws["d_transformation"],
                axis,
            )
            information, logged = information + on_real, logged | more
        value, metrics = objective.discriminator_loss(
            real_logits, logits, information, algorithm.real_label
        )
        return value, (metrics | logged, stats)

    optimiser = algorithm.optimisers.discriminator
    state, (metrics, stats) = _move(
        state, "discriminator", D_PLAYER, optimiser, loss, axis
    )
    stats = {**state.stats, **_mean(player(stats, D_PLAYER), axis)}
    return replace(state, stats=stats), metrics


def _generator_step(
    algorithm: Algorithm, state: TrainState, draws: Draws, axis: str | None
) -> tuple[TrainState, Metrics]:
    """Moves G against the D and Q that have just moved.

    L_I reaches G through the trunk, whether or not it moves the trunk.
    """
    through = replace(algorithm, info_to_trunk=True)
    fixed = _local(state.params, axis)

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        drawn, generated, stats = _generate(
            algorithm, state, {**fixed, **params}, draws["g_latents"]
        )
        generated = _add_noise(algorithm, state, generated, draws["g_noise"])
        logits, outputs, _ = _discriminate(through, state, fixed, generated)
        information = jnp.zeros(())
        if algorithm.info_to_generator:
            bounds = objective.mi_bounds(algorithm.spec, outputs, drawn.codes)
            information = latents.weighted_sum(algorithm.spec, bounds)
        value, metrics = objective.generator_loss(logits, information)
        return value, (metrics, stats)

    optimiser = algorithm.optimisers.generator
    state, (metrics, stats) = _move(state, "generator", G_PLAYER, optimiser, loss, axis)
    state = replace(
        state, stats={**state.stats, **_mean(player(stats, G_PLAYER), axis)}
    )
    if algorithm.average_decay:
        average = _average(algorithm, state, draws["g_latents"], axis)
        state = replace(state, average=average)
    return state, metrics


def _average(
    algorithm: Algorithm, state: TrainState, uniform: Array, axis: str | None
) -> Variables:
    """Returns G's average after G has moved, with batch statistics of its own.

    With the statistics of the G that moves, the average would show codes faintly.
    """
    rate = 1.0 - algorithm.average_decay
    moved, average = state.params["generator"], state.average["params"]
    params = optax.incremental_update(moved, average, rate)
    before = replace(state, stats={"generator": state.average["stats"]})
    local = _local({"generator": params}, axis)
    _, _, stats = _generate(algorithm, before, local, uniform)
    return {"params": params, "stats": _mean(stats["generator"], axis)}


def _move(
    state: TrainState,
    name: str,
    trees: tuple[str, ...],
    optimiser: optax.GradientTransformation,
    loss: Loss,
    axis: str | None,
) -> tuple[TrainState, tuple[Metrics, Variables]]:
    """One optimiser step of one player on its own parameter trees."""
    params = player(state.params, trees)
    grads, auxiliary = jax.grad(loss, has_aux=True)(_local(params, axis))
    updates, opt_state = optimiser.update(
        _mean(grads, axis), state.opt_state[name], params
    )
    params = optax.apply_updates(params, updates)
    return replace(
        state,
        params={**state.params, **params},
        opt_state={**state.opt_state, name: opt_state},
    ), auxiliary


def _local(params: Variables, axis: str | None) -> Variables:
    """Marks parameters as varying: gradients are then each device's, not yet summed."""
    return params if axis is None else lax.pcast(params, axis, to="varying")


def _generate(
    algorithm: Algorithm, state: TrainState, params: Variables, uniform: Array
) -> tuple[Latents, Array, Variables]:
    drawn = latents.sample(algorithm.spec, uniform)
    inputs = latents.pack(algorithm.spec, drawn)
    generated, stats = networks.generate(
        algorithm.nets, params, state.stats, inputs, train=True
    )
    return drawn, generated, stats


def _discriminate(
    algorithm: Algorithm, state: TrainState, params: Variables, x: Array
) -> tuple[Array, Array, Variables]:
    return networks.discriminate(
        algorithm.nets,
        params,
        state.stats,
        x,
        train=True,
        info_to_trunk=algorithm.info_to_trunk,
    )


def _transform(
    algorithm: Algorithm, state: TrainState, real: Array, draws: Draws
) -> Array | None:
    """Returns the transformed real images, if a bound on real images is on."""
    if not algorithm.real_information.is_on:
        return None
    moved = transformations.transform(
        algorithm.real_information.transformation, real, draws["d_transformation"]
    )
    return _add_noise(algorithm, state, moved, draws["d_noise_transformed"])


def _add_noise(
    algorithm: Algorithm, state: TrainState, x: Array, uniform: Array
) -> Array:
    if algorithm.noise_sd is None:
        return x
    return objective.add_instance_noise(x, uniform, algorithm.noise_sd(state.step))


def _mean(tree: Any, axis: str | None) -> Any:
    return tree if axis is None else lax.pmean(tree, axis)
