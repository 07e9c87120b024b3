"""The optimisers and the instance noise of a config, as functions of the step."""

from collections.abc import Mapping
from typing import Any

import optax

from infogan_jax.game.algorithm import Optimisers
from infogan_jax.game.historical_averaging import historical_averaging

NOISE_SD = "objective.noise_sd"
RATES = (
    "optimiser.discriminator_learning_rate",
    "optimiser.generator_learning_rate",
)


def optimisers(flat: Mapping[str, Any]) -> Optimisers:
    """Returns the optimiser of each player; learning rates may be traced."""
    return Optimisers(*(_optimiser(flat, flat[rate]) for rate in RATES))


def _optimiser(flat: Mapping[str, Any], rate: Any) -> optax.GradientTransformation:
    """Returns Adam; if they are on, a schedule, and before it the past and clipping."""
    warmup, decay = flat["optimiser.warmup_steps"], flat["optimiser.decay_steps"]
    schedule: Any = rate
    if decay:
        schedule = optax.cosine_decay_schedule(rate, decay)
    if warmup:
        later = schedule if decay else optax.constant_schedule(rate)
        rising = optax.linear_schedule(0.0, rate, warmup)
        schedule = optax.join_schedules([rising, later], [warmup])
    adam = optax.adam(schedule, flat["optimiser.beta1"], flat["optimiser.beta2"])
    norm, weight = flat["optimiser.clip_norm"], flat["optimiser.history_weight"]
    before = [historical_averaging(weight)] if weight else []
    before += [optax.clip_by_global_norm(norm)] if norm else []
    return optax.chain(*before, adam) if before else adam


def noise_schedule(flat: Mapping[str, Any]) -> optax.Schedule:
    """Returns the instance noise's standard deviation, which may be traced."""
    sd, anneal = flat[NOISE_SD], flat["objective.noise_anneal_steps"]
    if not anneal:
        return optax.constant_schedule(sd)
    return optax.linear_schedule(sd, 0.0, anneal)
