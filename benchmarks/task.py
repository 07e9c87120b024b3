"""What is timed: an experiment of `configs/`, on random images of its shape."""

import importlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infogan_jax import experiment
from infogan_jax.experiment import Experiment
from infogan_jax.model import notation

NETWORKS = {"digits": "default", "mnist": "paper", "svhn": "paper"}
"""Configs, and the mode of each."""

IMAGES = 10_000
STEPS = 10**6


@dataclass(frozen=True)
class Setting:
    """What all contestants of one race have in common.

    Attributes:
      network: the name of a config.
      batch_size: images a step.
      precision: `float32`; `tf32`, which rounds what enters a matrix product; or
        `bfloat16`, the type of the activations too.
    """

    network: str
    batch_size: int
    precision: str = "float32"


@dataclass(frozen=True)
class Repeat:
    """Work that can be repeated without end.

    Attributes:
      call: does it once and waits for the result.
      steps: how many train steps one call does.
    """

    call: Callable[[], None]
    steps: int = 1


def build(setting: Setting) -> Experiment:
    """The experiment of the config but for batch size, precision, length and data.

    The data is `IMAGES` random images, so that nothing has to be downloaded; what
    they show does not change the time of a step. Where a config goes beyond the
    paper's objective with a bound on real images, that is off.
    """
    module = importlib.import_module(f"configs.{setting.network}")
    config = module.get_config(NETWORKS[setting.network])
    layers = notation.parse_layers(config.networks.generator, "generator")
    shape = notation.follow(layers, (), "generator")
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), np.uint8)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{setting.network}.npz")
        np.savez(path, train_images=images, test_images=images[:2])
        config.data.update(
            source="npz", directory=str(path), batch_size=setting.batch_size
        )
        mixed = setting.precision == "bfloat16"
        config.networks.precision = "bfloat16" if mixed else "float32"
        config.real_information.weight = 0.0
        cadences = ("steps", "log_every", "picture_every", "checkpoint_every")
        steps = STEPS * config.training.steps_per_call
        config.training.update(dict.fromkeys(cadences, steps))
        return experiment.build(config.to_dict())
