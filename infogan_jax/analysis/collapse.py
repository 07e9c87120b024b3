"""Signs that a run is collapsing: from its record, and from its samples.

Each sign is one sentence that says what was seen, what it means and what to try. None
of them ends a run.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec

WINDOW = 500
"""Steps that a sign must have lasted, and after which D's loss and samples count."""

PATIENCE = 2000
"""Steps that a code may take to be read at all; some of the digits' take over 1,000."""

FEWEST = 3
"""Lines of the record that a sign must have lasted."""

ZERO_LOSS = 0.02
"""D's loss, in nats, below which it knows real from generated at a glance."""

ALIKE = 1.0
"""Spread of samples, in grey levels of 255, below which they are all the same."""

_MARGIN = 0.02  # nats, above what a Q that looks at nothing gets

Line = Mapping[str, float]
Warnings = dict[str, str]
"""A sentence for each sign, by a name that stays the same while it lasts."""


def warnings_in_stats(algorithm: Algorithm, lines: Sequence[Line]) -> Warnings:
    """What the lines of `stats.jsonl` up to now say about the players.

    Args:
      algorithm: has the codes, and who is to show them.
      lines: in the order of their steps; the last ones, over at least `WINDOW` steps
        and `FEWEST` lines, are judged.
    """
    recent = _recent(lines)
    if not recent:
        return {}
    step, found = int(recent[-1]["step"]), {}
    if all(line.get("loss/discriminator", 1.0) < ZERO_LOSS for line in recent):
        found["discriminator"] = (
            f"D's loss has been below {ZERO_LOSS} nats up to step {step}: it tells "
            "real from generated at a glance, and G learns nothing from it; try "
            "config.objective.noise_sd, config.networks.spectral_norm or a smaller "
            "config.optimiser.discriminator_learning_rate"
        )
    if step < PATIENCE or not algorithm.info_to_generator:
        return found
    for code in algorithm.spec.codes:
        name = f"mi_bound/{code.name}"
        bound = float(np.mean([line.get(name, math.nan) for line in recent]))
        if code.weight and bound <= _unseen(algorithm.spec, code):
            found[f"code {code.name}"] = (
                f"L_I of {code.name} is {bound:.2f} nats at step {step}, no more than "
                f"without looking: G does not show it; try a larger lambda than "
                f"{code.weight:g} in config.latents.codes, or fewer codes"
            )
    return found


def warnings_in_samples(
    pictures: UInt8[np.ndarray, "n height width channels"],
) -> Warnings:
    """What images of G, from different latents, say about it."""
    if spread(pictures) >= ALIKE:
        return {}
    return {
        "samples": (
            "all samples are alike: G ignores its input; try another config.seed, "
            "config.objective.noise_sd or a smaller "
            "config.optimiser.generator_learning_rate"
        )
    }


def spread(pictures: UInt8[np.ndarray, "n height width channels"]) -> float:
    """How much images differ: the root of their mean variance, 0 to 127.5 of 255."""
    return float(np.sqrt(np.mean(np.var(pictures, axis=0, dtype=np.float64))))


def _recent(lines: Sequence[Line]) -> Sequence[Line]:
    """The last lines over at least `WINDOW` steps; none where the run is younger."""
    if not lines:
        return []
    before = lines[-1]["step"] - WINDOW
    count = max(sum(line["step"] > before for line in lines), FEWEST)
    is_young = before < 0 or len(lines) < count
    return [] if is_young else lines[-count:]


def _unseen(spec: LatentSpec, code: Code) -> float:
    """The L_I, in nats, up to which a code counts as not shown.

    0, but for a code whose sigma is fixed: there a Q that always answers the prior's
    mean gets H(c) - ln sigma - ln(2 pi)/2 - Var(c) / (2 sigma^2), and what can be
    certified may lie below 0 altogether.
    """
    if code.is_categorical or spec.fixed_sd is None:
        return 0.0
    sd, variance = spec.fixed_sd, 1.0 if code.kind == "gaussian" else 1.0 / 3.0
    blind = -math.log(sd) - 0.5 * math.log(math.tau) - variance / (2.0 * sd**2)
    return latents.entropy(code) + blind + _MARGIN
