"""The fixed parts of an InfoGAN: all that a step needs besides state and images."""

from collections.abc import Callable
from dataclasses import dataclass

import optax
from jaxtyping import Array

from infogan_jax.game.contrast import Contrast
from infogan_jax.game.game import NON_SATURATING, Game
from infogan_jax.game.terms import Player, Term
from infogan_jax.model.latents import LatentSpec
from infogan_jax.model.networks import Networks


@dataclass(frozen=True)
class Optimisers:
    """One optimiser for each player (the paper's two learning rates).

    Attributes:
      discriminator: updates the trunk, D's head and Q.
      generator: updates G.
    """

    discriminator: optax.GradientTransformation
    generator: optax.GradientTransformation


@dataclass(frozen=True)
class Algorithm:
    """The networks, optimisers and switches of an InfoGAN.

    Attributes:
      spec: codes and noise.
      nets: G, D and Q.
      optimisers: one for each player.
      noise_sd: the standard deviation of the instance noise as a function of the
        step, in the units of the images, whose range has length 1 for sigmoid and 2
        for tanh; None means no noise.
      real_label: D's target for real images, in (0.5, 1].
      info_to_generator: whether G maximises L_I. If not, this is a GAN with a Q that
        G ignores (the baseline of the paper's figure 1).
      info_to_trunk: whether L_I updates the trunk that D and Q share.
      average_decay: the decay of the moving average of G's parameters; 0 is off.
      terms: what the players maximise besides equation 6 (beyond the paper), those of
        the game among them.
      game: what D and G minimise besides - sum_i lambda_i L_I.
      contrast: the contrastive term of InfoGAN-CR; None is off.
    """

    spec: LatentSpec
    nets: Networks
    optimisers: Optimisers
    noise_sd: Callable[[Array], Array] | None = None
    real_label: float = 1.0
    info_to_generator: bool = True
    info_to_trunk: bool = True
    average_decay: float = 0.0
    terms: tuple[Term, ...] = ()
    game: Game = NON_SATURATING
    contrast: Contrast | None = None

    def terms_of(self, player: Player) -> tuple[Term, ...]:
        """The terms that one player maximises."""
        return tuple(term for term in self.terms if term.player == player)
