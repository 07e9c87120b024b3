"""One training step on equation 6: one update of D and Q, then one of G.

`train_step` is a pure function from state and real images to state and metrics. It runs
on one device or is mapped over several. With several devices, batch statistics,
gradients and metrics are averaged over the device axis `axis`.
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
from infogan_jax.model.latents import Codes
from infogan_jax.model.networks import Variables

Loss = Callable[[Variables], tuple[Array, tuple[Metrics, Variables]]]


def train_step(
    algorithm: Algorithm,
    state: TrainState,
    batch: UInt8[Array, "batch height width channels"],
    axis: str | None = None,
) -> tuple[TrainState, Metrics]:
    """Updates D and Q, then G, each on newly drawn latents.

    Args:
      algorithm: the networks, optimisers and switches.
      state: the state before the step, equal on all devices.
      batch: this device's share of the real images, in bytes.
      axis: the name of the mapped device axis, if any.

    Returns:
      The next state, and scalar metrics in nats, averaged over the whole batch:
      `loss/discriminator`, `loss/generator`, `jsd_bound` (of the images with D's
      instance noise), `mi_bound/<code>`, and, if they are on, `real_mi_bound/<code>`
      and `change_bound/<code>`.
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
    """Updates the trunk, D's head and Q on a real and a generated batch.

    D takes the two batches separately, each with its own batch statistics. The running
    averages are those of the real batch, because Q encodes real images later.
    """
    codes, generated, _ = _generate(algorithm, state, state.params, draws["d_latents"])
    transformed = _transform(algorithm, state, real, draws)
    real = _add_noise(algorithm, state, real, draws["d_noise_real"])
    generated = _add_noise(algorithm, state, generated, draws["d_noise_generated"])

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        real_logits, real_outputs, stats = _discriminate(algorithm, state, params, real)
        logits, outputs, _ = _discriminate(algorithm, state, params, generated)
        bounds = objective.mi_bounds(algorithm.spec, outputs, codes)
        information = latents.weighted_sum(algorithm.spec, bounds)
        bound_metrics = {f"mi_bound/{name}": bound for name, bound in bounds.items()}
        if transformed is not None:
            _, transformed_outputs, _ = _discriminate(
                algorithm, state, params, transformed
            )
            real_information, real_metrics = real_bounds.weighted_bounds(
                algorithm.spec,
                algorithm.real_information,
                real_outputs,
                transformed_outputs,
                draws["d_transformation"],
                axis,
            )
            information = information + real_information
            bound_metrics |= real_metrics
        value, metrics = objective.discriminator_loss(
            real_logits, logits, information, algorithm.real_label
        )
        return value, (metrics | bound_metrics, stats)

    optimiser = algorithm.optimisers.discriminator
    return _update(state, "discriminator", D_PLAYER, optimiser, loss, axis)


def _generator_step(
    algorithm: Algorithm, state: TrainState, draws: Draws, axis: str | None
) -> tuple[TrainState, Metrics]:
    """Updates G against the updated D and Q.

    The gradient of L_I passes through the trunk to G, even if L_I does not update the
    trunk.
    """
    with_trunk = replace(algorithm, info_to_trunk=True)
    fixed = _local(state.params, axis)

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        codes, generated, stats = _generate(
            algorithm, state, {**fixed, **params}, draws["g_latents"]
        )
        generated = _add_noise(algorithm, state, generated, draws["g_noise"])
        logits, outputs, _ = _discriminate(with_trunk, state, fixed, generated)
        information = jnp.zeros(())
        if algorithm.info_to_generator:
            bounds = objective.mi_bounds(algorithm.spec, outputs, codes)
            information = latents.weighted_sum(algorithm.spec, bounds)
        value, metrics = objective.generator_loss(logits, information)
        return value, (metrics, stats)

    optimiser = algorithm.optimisers.generator
    state, metrics = _update(state, "generator", G_PLAYER, optimiser, loss, axis)
    if algorithm.average_decay:
        average = _average(algorithm, state, draws["g_latents"], axis)
        state = replace(state, average=average)
    return state, metrics


def _average(
    algorithm: Algorithm, state: TrainState, uniform: Array, axis: str | None
) -> Variables:
    """Returns the average of G's parameters after the update, and its batch statistics.

    The average has statistics of its own. With those of the updated G, its images would
    depend less on the codes. After n steps the decay is at most (1 + n) / (10 + n), so
    that the first weights are forgotten soon.
    """
    steps = state.step.astype(jnp.float32)
    decay = jnp.minimum(algorithm.average_decay, (1.0 + steps) / (10.0 + steps))
    rate = 1.0 - decay
    updated, average = state.params["generator"], state.average["params"]
    params = optax.incremental_update(updated, average, rate)
    before = replace(state, stats={"generator": state.average["stats"]})
    local = _local({"generator": params}, axis)
    _, _, stats = _generate(algorithm, before, local, uniform)
    return {"params": params, "stats": _mean(stats["generator"], axis)}


def _update(
    state: TrainState,
    optimiser_name: str,
    names: tuple[str, ...],
    optimiser: optax.GradientTransformation,
    loss: Loss,
    axis: str | None,
) -> tuple[TrainState, Metrics]:
    """Takes one step of an optimiser on the networks in `names`."""
    params = player(state.params, names)
    grads, (metrics, stats) = jax.grad(loss, has_aux=True)(_local(params, axis))
    updates, opt_state = optimiser.update(
        _mean(grads, axis), state.opt_state[optimiser_name], params
    )
    return replace(
        state,
        params={**state.params, **optax.apply_updates(params, updates)},
        stats={**state.stats, **_mean(player(stats, names), axis)},
        opt_state={**state.opt_state, optimiser_name: opt_state},
    ), metrics


def _local(params: Variables, axis: str | None) -> Variables:
    """Marks parameters as varying by device, so that gradients are not summed yet."""
    return params if axis is None else lax.pcast(params, axis, to="varying")


def _generate(
    algorithm: Algorithm, state: TrainState, params: Variables, uniform: Array
) -> tuple[Codes, Array, Variables]:
    sampled = latents.sample(algorithm.spec, uniform)
    inputs = latents.pack(algorithm.spec, sampled)
    generated, stats = networks.generate(
        algorithm.nets, params, state.stats, inputs, train=True
    )
    return sampled.codes, generated, stats


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
    """Returns the transformed real images, or None if no bound needs them."""
    if not algorithm.real_information.is_on:
        return None
    transformed = transformations.transform(
        algorithm.real_information.transformation, real, draws["d_transformation"]
    )
    return _add_noise(algorithm, state, transformed, draws["d_noise_transformed"])


def _add_noise(
    algorithm: Algorithm, state: TrainState, x: Array, uniform: Array
) -> Array:
    if algorithm.noise_sd is None:
        return x
    return objective.add_instance_noise(x, uniform, algorithm.noise_sd(state.step))


def _mean(tree: Any, axis: str | None) -> Any:
    return tree if axis is None else lax.pmean(tree, axis)
