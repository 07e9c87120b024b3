"""The losses of D, Q and G from the networks' outputs (paper, equation 6).

    min_{G,Q} max_D  V(D, G) - sum_i lambda_i L_I(c_i)

Both losses subtract the information term sum_i lambda_i L_I(c_i). V is that of the
paper, or of another game (`game/game.py`). All values are in nats, as far as the
game's are.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.game import NON_SATURATING, Game, Outputs
from infogan_jax.game.terms import Metrics
from infogan_jax.model import distributions, latents
from infogan_jax.model.latents import Codes, LatentSpec


def mi_bounds(
    spec: LatentSpec, outputs: Float[Array, "batch outputs"], codes: Codes
) -> Metrics:
    """Returns each code's L_I = H(c_i) + E[log Q(c_i | x)] in nats (paper, equation 5).

    L_I is a lower bound of I(c_i; x), and equal to it if Q is the true posterior.
    H(c_i) is the entropy of the prior. L_I is at most ln(size) for a categorical code.
    It is unbounded for a continuous code, since a differential entropy may be negative.

    Of a code with a parent it is H(c_i) + E[log Q(c_i | x, parent)], at the value of
    the parent that was drawn. This is a lower bound of I(c_i; x | parent). By the chain
    rule, it and L_I of the parent add up to a lower bound of I(c_i, parent; x).
    """
    log_probs = latents.log_prob(latents.posterior(spec, outputs, codes), codes)
    return {
        code.name: latents.entropy(code) + jnp.mean(log_probs[code.name])
        for code in spec.codes
    }


def discriminator_loss(
    real: Outputs,
    generated: Outputs,
    information: Float[Array, ""],
    real_label: float = 1.0,
    game: Game = NON_SATURATING,
) -> tuple[Float[Array, ""], Metrics]:
    """Returns the loss of D and Q, -V(D, G) - information, and metrics.

    Args:
      real: D's outputs for real images, in the paper's game logits of "real".
      generated: D's outputs for the same number of generated images.
      information: sum_i lambda_i L_I(c_i) on the generated images.
      real_label: D's target for real images; below 1 it is one-sided smoothing.
      game: whose V it is.

    Returns:
      The loss, and the metrics `loss/discriminator` (without the information) and the
      game's bound, in the paper's game `jsd_bound`.
    """
    labels = (real_label,) if game.has_labels else ()
    gan = game.discriminator(real, generated, *labels)
    metrics = {"loss/discriminator": gan}
    if game.bound is not None:
        metrics[game.bound.name] = game.bound.value(real, generated)
    return gan - information, metrics


def generator_loss(
    generated: Outputs,
    information: Float[Array, ""],
    real: Outputs | None = None,
    game: Game = NON_SATURATING,
) -> tuple[Float[Array, ""], Metrics]:
    """Returns G's loss, the game's - information; its first term is logged.

    In the paper's game it is -E[log D(G(z, c))] - information. D's outputs for `real`
    images are for a game that compares them.
    """
    gan = game.generator(generated) if real is None else game.generator(real, generated)
    return gan - information, {"loss/generator": gan}


def add_instance_noise(
    images: Float[Array, "batch height width channels"],
    uniform: Float[Array, "batch pixels"],
    sd: Float[Array, ""] | float,
) -> Float[Array, "batch height width channels"]:
    """Adds N(0, `sd`^2) noise to every pixel, made from the numbers of U(-1, 1).

    `uniform` has one number for each pixel and channel. `sd` is on the scale of the
    pixel values. D sees real and generated images with noise, which widens the supports
    of both distributions. G minimises a lower bound of their divergence, and with the
    noise this bound stays near the divergence (Sonderby et al. 2017, section 3.1).
    """
    noise = distributions.standard_normal(uniform)
    return images + sd * noise.reshape(images.shape)
