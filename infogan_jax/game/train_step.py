"""One training step on equation 6: one update of D and Q, then one of G.

`train_step` is a pure function from state and real images to state and metrics. It runs
on one device or is mapped over several. With several devices, batch statistics,
gradients and metrics are averaged over the device axis `axis`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, UInt8

from infogan_jax.data import labelled
from infogan_jax.data.labelled import Batch, Labelled
from infogan_jax.data.scaling import to_range
from infogan_jax.game import objective, random_numbers
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.contrastive_step import teach_h, weighted_bound
from infogan_jax.game.game import Outputs, whole_batch
from infogan_jax.game.generating import decode, generate
from infogan_jax.game.random_numbers import Draws
from infogan_jax.game.state import D_PLAYER, G_PLAYER, TrainState
from infogan_jax.game.terms import Metrics, Player, Shown, View
from infogan_jax.game.updates import local, mean, update
from infogan_jax.model import latents, networks
from infogan_jax.model.convolutions import Images
from infogan_jax.model.latents import Codes
from infogan_jax.model.networks import Variables


def train_step(
    algorithm: Algorithm,
    state: TrainState,
    batch: UInt8[Array, "batch height width channels"] | Batch,
    axis: str | None = None,
) -> tuple[TrainState, Metrics]:
    """Updates D and Q, then G, each on newly drawn latents.

    Args:
      algorithm: the networks, optimisers and switches.
      state: the state before the step, equal on all devices.
      batch: this device's share of the real images, in bytes; a `Batch` where a player
        learns from labels.
      axis: the name of the mapped device axis, if any.

    Returns:
      The next state, and scalar metrics, averaged over the whole batch: in nats
      `loss/discriminator`, `loss/generator`, `jsd_bound` or the bound of another game
      (of the images with D's instance noise), `mi_bound/<code>`, and with the
      contrastive term `contrastive_bound`; those of `algorithm.terms` in their own
      units.
    """
    nets = networks.with_sync_batch_norm(algorithm.nets, axis)
    algorithm = replace(algorithm, nets=nets)
    images, few = batch if isinstance(batch, Batch) else (batch, None)
    draws = random_numbers.draw(algorithm, state, images.shape[0], axis)
    real = to_range(images, algorithm.nets.output_range)
    codes, made, _ = generate(algorithm, state, state.params, draws["d_latents"])
    state, d_metrics = _discriminator_step(
        algorithm, state, real, codes, made, draws, axis, few
    )
    if (term := algorithm.contrast) is not None:
        state, metrics = teach_h(algorithm, term, state, made, draws, axis)
        d_metrics |= metrics
    state, g_metrics = _generator_step(algorithm, state, real, draws, axis)
    state = replace(state, step=state.step + 1)
    return state, mean(d_metrics | g_metrics, axis)


def _discriminator_step(
    algorithm: Algorithm,
    state: TrainState,
    real: Images,
    codes: Codes,
    generated: Images,
    draws: Draws,
    axis: str | None,
    few: Labelled | None,
) -> tuple[TrainState, Metrics]:
    """Updates the trunk, D's head and Q on a real and a generated batch.

    D takes the two batches separately, each with its own batch statistics. The running
    averages are those of the real batch, because Q encodes real images later.
    """
    range_ = algorithm.nets.output_range
    pick = None if few is None else partial(labelled.pick, few, range_)

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        show = partial(_show, algorithm, state, params)
        shown_real = show(real, draws["d_noise_real"])
        shown = show(generated, draws["d_noise_generated"])
        bounds = objective.mi_bounds(algorithm.spec, shown.outputs, codes)
        information = latents.weighted_sum(algorithm.spec, bounds)
        bound_metrics = {f"mi_bound/{name}": bound for name, bound in bounds.items()}
        more, term_metrics = _further_terms(
            algorithm,
            "discriminator",
            draws,
            show,
            codes=codes,
            generated=shown,
            real=shown_real,
            axis=axis,
            pick=pick,
            generate=partial(decode, algorithm, state, state.params),
        )
        value, metrics = objective.discriminator_loss(
            _judged(algorithm, "discriminator", shown_real, axis),
            _judged(algorithm, "discriminator", shown, axis),
            information + more,
            algorithm.real_label,
            algorithm.game,
        )
        return value, (metrics | bound_metrics | term_metrics, shown_real.stats)

    optimiser = algorithm.optimisers.discriminator
    return update(state, "discriminator", D_PLAYER, optimiser, loss, axis)


def _generator_step(
    algorithm: Algorithm,
    state: TrainState,
    real: Images,
    draws: Draws,
    axis: str | None,
) -> tuple[TrainState, Metrics]:
    """Updates G against the updated D and Q.

    The gradient of L_I passes through the trunk to G, even if L_I does not update the
    trunk. D sees the real images again where the game or a term of G asks for them.
    """
    with_trunk = replace(algorithm, info_to_trunk=True)
    fixed = local(state.params, axis)

    def loss(params: Variables) -> tuple[Array, tuple[Metrics, Variables]]:
        codes, generated, stats = generate(
            algorithm, state, {**fixed, **params}, draws["g_latents"]
        )
        show = partial(_show, with_trunk, state, fixed)
        shown = show(generated, draws["g_noise"])
        information = jnp.zeros(())
        if algorithm.info_to_generator:
            bounds = objective.mi_bounds(algorithm.spec, shown.outputs, codes)
            information = latents.weighted_sum(algorithm.spec, bounds)
        needs_real = any(term.shows_real for term in algorithm.terms_of("generator"))
        shown_real = show(real, draws["d_noise_real"]) if needs_real else None
        more, term_metrics = _further_terms(
            algorithm,
            "generator",
            draws,
            show,
            codes=codes,
            generated=shown,
            real=shown_real,
            axis=axis,
            generate=partial(decode, algorithm, state, {**fixed, **params}),
        )
        if (term := algorithm.contrast) is not None:
            every = {**fixed, **params}
            more = more + weighted_bound(
                algorithm, term, state, every, generated, draws, axis
            )
        compared = None
        if algorithm.game.compares:
            seen = shown_real or show(real, draws["d_noise_real"])
            compared = _judged(algorithm, "generator", seen, axis)
        value, metrics = objective.generator_loss(
            _judged(algorithm, "generator", shown, axis),
            information + more,
            compared,
            algorithm.game,
        )
        return value, (metrics | term_metrics, stats)

    optimiser = algorithm.optimisers.generator
    state, metrics = update(state, "generator", G_PLAYER, optimiser, loss, axis)
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
    varying = local({"generator": params}, axis)
    _, _, stats = generate(algorithm, before, varying, uniform)
    return {"params": params, "stats": mean(stats["generator"], axis)}


def _show(
    algorithm: Algorithm,
    state: TrainState,
    params: Variables,
    images: Array,
    noise: Array,
    train: bool = True,
) -> Shown:
    """Shows D and Q images, with instance noise if it is on."""
    noisy = images
    if algorithm.noise_sd is not None:
        sd = algorithm.noise_sd(state.step)
        noisy = objective.add_instance_noise(images, noise, sd)
    logits, outputs, features, stats = networks.discriminate(
        algorithm.nets,
        params,
        state.stats,
        noisy,
        train=train,
        info_to_trunk=algorithm.info_to_trunk,
    )
    return Shown(images, logits, outputs, stats, features)


def _judge_alone(show: Callable[..., Shown], images: Array) -> Outputs:
    """Returns D's outputs for images, each of which depends on its own image alone."""
    return show(images, train=False).logits


def _judged(
    algorithm: Algorithm, player: Player, shown: Shown, axis: str | None
) -> Outputs:
    """Returns what a player's loss sees of images: D's outputs, features, or pixels.

    Where it compares images with each other, these are the images of all devices.
    """
    compares = algorithm.game.compares
    if compares is None or (compares, player) == ("features", "discriminator"):
        return shown.logits
    apart = {"images": shown.images, "features": shown.features}.get(compares)
    if apart is None:
        return whole_batch(shown.logits, axis)
    return whole_batch(apart.reshape(len(apart), -1), axis)


def _further_terms(
    algorithm: Algorithm,
    player: Player,
    draws: Draws,
    show: Callable[..., Shown],
    **seen: Any,
) -> tuple[Array, Metrics]:
    """Returns the weighted sum of a player's further terms, and their metrics."""
    total, metrics = jnp.zeros(()), Metrics()
    for term in algorithm.terms_of(player):
        show_more = partial(show, noise=draws[f"term_{term.name}_noise"])
        view = View(
            spec=algorithm.spec,
            drawn=draws[f"term_{term.name}"],
            discriminate=show_more,
            judge=partial(_judge_alone, show_more),
            **seen,
        )
        value, more = term.value(view)
        total = total + term.weight * value
        metrics |= more
    return total, metrics
