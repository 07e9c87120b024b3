"""What the files in `configs/` begin with, and the recipes that several of them share.

Each of them says only what is its own.
"""

from collections.abc import Sequence
from typing import Any

import ml_collections

from infogan_jax.fields import FIELDS


def default_config(name: str) -> ml_collections.ConfigDict:
    """Returns a config with every field at its default; new fields are refused.

    Args:
      name: of the experiment.
    """
    config: dict[str, Any] = {}
    for field, each in FIELDS.items():
        group, _, last = field.rpartition(".")
        place = config.setdefault(group, {}) if group else config
        place[last] = each.default
    return ml_collections.ConfigDict(config | {"name": name}).lock()


def make_pictures(
    config: ml_collections.ConfigDict,
    size: int,
    channels: int,
    narrowest: int = 0,
) -> None:
    """Sets in place the recipe with which images of all kinds show their codes.

    G starts from 4 x 4 and has batch norm in every hidden layer, the networks are half
    as wide as the paper's, and the learning rates are near each other. The last
    continuous code changes its sign in a mirror, and the others do not
    (docs/results.md).

    Args:
      config: the experiment; its codes stay.
      size: of the images, in pixels: 8, 16, 32, 64, 128 or 256.
      channels: 1 (gray, in [0, 1]) or 3 (colour, in [-1, 1]).
      narrowest: channels of the layers next to the image; 0: 64 up to 16 pixels, 32
        above. Each halving of the size doubles them, up to 512.
    """
    narrowest = narrowest or (64 if size <= 16 else 32)
    widths = [min(narrowest * 2**n, 512) for n in range(size.bit_length() - 3)]
    first, *inner = reversed(widths)
    up = [f"upconv {width} s2 bn relu" for width in inner]
    last = f"upconv {channels} s2 {'sigmoid' if channels == 1 else 'tanh'}"
    down = [f"conv {width} s2 bn lrelu" for width in widths[1:]]
    config.networks.update(
        generator=", ".join([f"fc 4x4x{first} bn relu", *up, last]),
        trunk=", ".join([f"conv {widths[0]} s2 lrelu", *down]),
    )
    config.latents.update(noise_size=64, noise_kind="gaussian")
    config.objective.noise_sd = 0.05
    config.real_information.update(parity_weight=2.0, odd_codes=1)
    config.optimiser.update(generator_learning_rate=5e-4, average_decay=0.99)
    config.training.steps = 3000


def make_smoke(config: ml_collections.ConfigDict) -> None:
    """Shortens an experiment in place to a few steps, to see whether it runs."""
    config.name = f"{config.name}_smoke"
    config.training.update(
        steps=4, steps_per_call=2, log_every=2, picture_every=4, checkpoint_every=4
    )
    config.evaluation.samples = 200


def make_few_labels(config: ml_collections.ConfigDict, mode: str, steps: int) -> None:
    """Gives an experiment in place 100 labels, and rates that end at 0 after few steps.

    Args:
      config: the recipe of a data set with ten classes.
      mode: `labels`, which teach Q its categories, or `classes`, which D tells apart
        (docs/few_labels.md).
      steps: of the run.
    """
    config.name = f"{config.name}_{mode}"
    config.labels.count = 100
    if mode == "classes":
        config.objective.game = "classes(10)"
    config.training.steps = config.optimiser.decay_steps = steps


def check_mode(file: str, mode: str, modes: Sequence[str]) -> None:
    """Checks what follows the colon in `--config=configs/FILE.py:MODE`.

    Raises:
      ValueError: where it is none of `modes`; it names them.
    """
    if mode not in modes:
        raise ValueError(
            f"configs/{file}.py:{mode}: the mode must be one of {', '.join(modes)}"
        )
