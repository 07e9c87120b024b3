"""The fixed parts of training: what a step needs besides state and data."""

from collections.abc import Callable
from dataclasses import dataclass

import optax
from jaxtyping import Array

from infogan_jax.augment import Augmentation
from infogan_jax.latents import LatentSpec
from infogan_jax.networks import Networks


@dataclass(frozen=True)
class Optimisers:
    """One optimiser for each player (the paper's two learning rates).

    Attributes:
      discriminator: moves the trunk, D's head and Q.
      generator: moves G.
    """

    discriminator: optax.GradientTransformation
    generator: optax.GradientTransformation


@dataclass(frozen=True)
class Algorithm:
    """InfoGAN with its networks, optimisers and switches.

    Attributes:
      spec: codes and noise.
      nets: G, D and Q.
      optimisers: one for each player.
      noise_sd: standard deviation of the instance noise as a function of the step,
        in units of the images' range; None leaves it out.
      real_label: D's target for real images, in (0.5, 1].
      info_to_generator: whether G maximises L_I; without it this is a GAN with a
        Q that G ignores (the baseline of the paper's figure 1).
      info_to_trunk: whether L_I moves the trunk that D and Q share.
      average_decay: of the moving average of G's parameters; 0 is off.
      real_information: the weight, relative to each lambda, of the bound of a
        categorical code that D and Q maximise on real images
        (`real_information.mi_bounds`); 0 is off.
      real_temperature: at which that bound draws its codes, in (0, 1].
      real_change: the same weight for continuous codes
        (`real_information.change_bounds`); 0 is off.
      augmentation: the transformations under which Q is to read a real image alike.
    """

    spec: LatentSpec
    nets: Networks
    optimisers: Optimisers
    noise_sd: Callable[[Array], Array] | None = None
    real_label: float = 1.0
    info_to_generator: bool = True
    info_to_trunk: bool = True
    average_decay: float = 0.0
    real_information: float = 0.0
    real_temperature: float = 1.0
    real_change: float = 0.0
    augmentation: Augmentation = Augmentation()

    @property
    def reads_transformed(self) -> bool:
        """Whether D and Q pass over a third batch, of transformed real images."""
        return self.real_information > 0 or self.real_change > 0
