"""Warnings that a run is collapsing, found in its stats, its samples and its codes.

Each warning is one sentence: what was measured, what it means and what to try. No
warning ends a run.
"""

import math
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec
from infogan_jax.run.progress import Warnings
from infogan_jax.run.stats_file import Line

WINDOW = 500
"""Steps over which a problem must last. Samples are not checked before this step."""

PATIENCE = 2000
"""Steps before a code's L_I is checked: some runs on the digits need over 1,000."""

MIN_LINES = 3
"""Lines of the stats over which a problem must last."""

ZERO_LOSS = 0.02
"""D's loss, in nats, below which D separates real from generated images too easily.

In another game than the paper's it is counted from the least loss, if there is one.
"""

MIN_SPREAD = 1.0
"""Spread of samples, in grey levels of 255, below which they count as identical."""

LEAST_VISIBLE = 0.02
"""Share of what one sees below which a code counts as not seen.

A recipe for SVHN that painted grain had 0.018 for a code of 1.2 nats; the least of all
recipes with visible codes is 0.037.
"""

LEAST_VARIETY = 0.01
"""The same for the noise. It is 0.014 on the digits, where the codes decide nearly all.
"""

LEAST_LIKE_DATA = 0.2
"""Recall, as a share of what real images reach, below which samples are unlike data."""

LEAST_READ = 0.5
"""L_I, in nats, from which Q counts as reading a code."""

_MARGIN = 0.02  # nats


def warnings_in_stats(algorithm: Algorithm, lines: Sequence[Line]) -> Warnings:
    """Returns the warnings that the stats of a run give at their last line.

    A problem must last over at least `WINDOW` steps and `MIN_LINES` lines.

    Args:
      algorithm: its codes, and whether G maximises their L_I.
      lines: the lines of `stats.jsonl` in the order of their steps.
    """
    recent = _recent_lines(lines)
    if not recent:
        return {}
    step, warnings = int(recent[-1]["step"]), {}
    least = algorithm.game.separated
    limit = -math.inf if least is None else least + ZERO_LOSS
    if all(line.get("loss/discriminator", math.inf) < limit for line in recent):
        warnings["discriminator"] = (
            f"D's loss has stayed below {limit:g} up to step {step}: it "
            "separates real from generated images too easily, and G learns nothing "
            "from it; try config.objective.noise_sd, config.networks.spectral_norm or "
            "a smaller config.optimiser.discriminator_learning_rate"
        )
    if step < PATIENCE or not algorithm.info_to_generator:
        return warnings
    for code in algorithm.spec.codes:
        name = f"mi_bound/{code.name}"
        bound = float(np.mean([line.get(name, math.nan) for line in recent]))
        if code.weight and bound <= _bound_without_information(algorithm.spec, code):
            warnings[f"code {code.name}"] = (
                f"L_I of {code.name} is {bound:.2f} nats at step {step}, not higher "
                "than for a Q that ignores the image: the images do not show the code; "
                f"try a larger lambda than {code.weight:g} in config.latents.codes, or "
                "fewer codes"
            )
    return warnings


def warnings_in_samples(
    pictures: UInt8[np.ndarray, "n height width channels"],
    data: UInt8[np.ndarray, "m rows columns channels"] | None = None,
) -> Warnings:
    """Returns a warning if generated images of different latents look the same.

    Args:
      pictures: generated images.
      data: training images, of which at most 100 are looked at: where they look the
        same as well, that is the cause.
    """
    if spread(pictures) >= MIN_SPREAD:
        return {}
    if data is not None and spread(data[:: max(len(data) // 100, 1)]) < MIN_SPREAD:
        return {
            "samples": (
                "all samples look the same, and so do the images of the data: there is "
                "nothing to learn from them; look at the pictures themselves, and at "
                "config.data.crop, size and channels"
            )
        }
    return {
        "samples": (
            "all samples look the same: G ignores its input; try another config.seed, "
            "config.objective.noise_sd or a smaller "
            "config.optimiser.generator_learning_rate"
        )
    }


def warnings_in_visibility(
    codes: Sequence[Code], visible: Mapping[str, float], bounds: Mapping[str, float]
) -> Warnings:
    """Returns warnings of codes that Q reads and nobody sees, and of noise without use.

    Args:
      codes: the codes.
      visible: the share of what one sees that each code decides, by its name, and
        `noise` where there is any (`report.visibility`).
      bounds: L_I of each code in nats.
    """
    warnings = {
        f"visible {code.name}": (
            f"L_I of {code.name} is {bounds[code.name]:.2f} nats, but its values look "
            f"alike: it decides {visible[code.name]:.1%} of what one sees; it is "
            "written in a pattern that only Q sees; try batch norm in every hidden "
            "layer of config.networks.generator, learning rates nearer to each other, "
            "or a smaller lambda in config.latents.codes"
        )
        for code in codes
        if bounds[code.name] >= LEAST_READ and visible[code.name] < LEAST_VISIBLE
    }
    if (variety := visible.get("noise", 1.0)) < LEAST_VARIETY:
        warnings["visible noise"] = (
            f"rows of noise look alike: the noise decides {variety:.1%} of "
            "what one sees once the codes are fixed, so G ignores the noise; try a "
            "smaller lambda in config.latents.codes, fewer codes, or "
            "config.networks.spectral_norm"
        )
    return warnings


def warnings_in_quality(recall: float, floor: float) -> Warnings:
    """Returns a warning if generated images are unlike the data.

    Args:
      recall: the share of held-out images that look like a generated one.
      floor: the share that looks like a training image.
    """
    if recall >= LEAST_LIKE_DATA * floor:
        return {}
    return {
        "quality": (
            f"samples are unlike the data: {recall:.0%} of the held-out images look "
            f"like a generated one, and {floor:.0%} like a training image; codes of "
            "such images mean little, however high L_I is; try more steps, batch norm "
            "in every hidden layer of config.networks.generator, or learning rates "
            "nearer to each other"
        )
    }


def spread(pictures: UInt8[np.ndarray, "n height width channels"]) -> float:
    """Returns the root of the mean variance of a pixel, from 0 to 127.5 grey levels."""
    return float(np.sqrt(np.mean(np.var(pictures, axis=0, dtype=np.float64))))


def _recent_lines(lines: Sequence[Line]) -> Sequence[Line]:
    """Returns the last lines over at least `WINDOW` steps, or none in a younger run."""
    if not lines:
        return []
    start = lines[-1]["step"] - WINDOW
    count = max(sum(line["step"] > start for line in lines), MIN_LINES)
    is_young = start < 0 or len(lines) < count
    return [] if is_young else lines[-count:]


def _bound_without_information(spec: LatentSpec, code: Code) -> float:
    """Returns the L_I, in nats, up to which the images count as not showing a code.

    This is 0 unless sigma is fixed. With a fixed sigma it is H(c) + E[log Q(c)] of a Q
    whose outputs are 0 for every image, plus a margin of 0.02; in this case even the
    highest possible L_I may be negative.
    """
    if code.is_categorical or spec.fixed_sd is None:
        return 0.0
    kind, count = code.of_kind, 1000
    drawn = kind.sample((2.0 * jnp.arange(count) + 1.0) / count - 1.0, code.size)
    outputs = jnp.zeros((count, kind.output_size(code.size, spec.spread)))
    log_density = kind.unpack(outputs, spec.spread).log_prob(drawn)
    return latents.entropy(code) + float(jnp.mean(log_density)) + _MARGIN
