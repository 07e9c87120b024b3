"""What is timed: an experiment of `configs/`, on random images of its shape."""

from collections.abc import Callable
from dataclasses import dataclass

import ml_collections
import numpy as np

from configs import celeba, digits, folder, mnist, svhn
from infogan_jax import experiment
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.default_config import make_pictures
from infogan_jax.experiment import Experiment, Extensions
from infogan_jax.model import notation


def pictures_64() -> ml_collections.ConfigDict:
    """Colour images of 64 x 64 pixels, by the recipe of `svhn` and `celeba`."""
    config = folder.get_config("64x3")
    make_pictures(config, 64, 3)
    return config


NETWORKS: dict[str, Callable[[], ml_collections.ConfigDict]] = {
    "digits": digits.get_config,
    "mnist": mnist.get_config,
    "svhn": svhn.get_config,
    "celeba": celeba.get_config,
    "pictures_64": pictures_64,
    "svhn_paper": lambda: svhn.get_config("paper"),
}
"""The networks in use, by name, each with the config that has them."""

IMAGES = 10_000
STEPS = 10**6


@dataclass(frozen=True)
class Setting:
    """What all contestants of one race have in common.

    Attributes:
      network: a name in `NETWORKS`.
      batch_size: images a step.
      precision: `float32`; `tf32`, which rounds what enters a matrix product; or
        `bfloat16`, the type of the activations too.
      has_codes: whether there are codes and Q; without them it is a plain GAN.
    """

    network: str
    batch_size: int
    precision: str = "float32"
    has_codes: bool = True


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
    paper's objective with terms for real images, these are off.
    """
    config = NETWORKS[setting.network]()
    layers = notation.parse_layers(config.networks.generator, "generator")
    shape = notation.follow(layers, (), "generator")
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), np.uint8)
    random = Dataset(Split(images), Split(images[:2]), {"name": "random images"})
    config.data.batch_size = setting.batch_size
    if not setting.has_codes:
        config.latents.codes = ""
    mixed = setting.precision == "bfloat16"
    config.networks.precision = "bfloat16" if mixed else "float32"
    weights = ("weight", "change_weight", "parity_weight")
    config.real_information.update(dict.fromkeys(weights, 0.0))
    cadences = ("steps", "log_every", "picture_every", "checkpoint_every")
    steps = STEPS * config.training.steps_per_call
    config.training.update(dict.fromkeys(cadences, steps))
    return experiment.build(config.to_dict(), Extensions(dataset=random))
