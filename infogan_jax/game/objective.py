"""The players' losses from the networks' outputs (paper, equation 6).

    min_{G,Q} max_D  V(D, G) - sum_i lambda_i L_I(c_i)

Both players subtract the same information term, a lambda for each code. All
values are in nats.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game import losses
from infogan_jax.model import distributions, latents
from infogan_jax.model.latents import Codes, LatentSpec

Metrics = dict[str, Float[Array, ""]]


def mi_bounds(
    spec: LatentSpec, outputs: Float[Array, "batch outputs"], codes: Codes
) -> Metrics:
    """L_I of each code: H(c_i) + E[log Q(c_i | x)], in nats (paper, equation 5).

    A lower bound of I(c_i; x), tight where Q is the posterior. H(c) is that of
    the true prior. A categorical code cannot pass ln(size); a continuous one has
    no ceiling, since differential entropies may be negative.
    """
    log_probs = latents.log_prob(latents.posterior(spec, outputs), codes)
    return {
        code.name: latents.entropy(code) + jnp.mean(log_probs[code.name])
        for code in spec.codes
    }


def discriminator_loss(
    real_logits: Float[Array, "batch"],
    generated_logits: Float[Array, "batch"],
    information: Float[Array, ""],
    real_label: float = 1.0,
) -> tuple[Float[Array, ""], Metrics]:
    """The loss of D and Q: -V(D, G) - information.

    Args:
      real_logits: of real images.
      generated_logits: of as many generated images.
      information: sum_i lambda_i L_I(c_i) on the generated images.
      real_label: D's target for real images; below 1 it is one-sided smoothing.

    Returns:
      The loss, and `loss/discriminator` (D's part alone) with `jsd_bound`.
    """
    gan = jnp.mean(losses.binary_cross_entropy(real_logits, real_label)) + jnp.mean(
        losses.binary_cross_entropy(generated_logits, 0.0)
    )
    metrics = {
        "loss/discriminator": gan,
        "jsd_bound": losses.jsd_bound(real_logits, generated_logits),
    }
    return gan - information, metrics


def generator_loss(
    generated_logits: Float[Array, "batch"], information: Float[Array, ""]
) -> tuple[Float[Array, ""], Metrics]:
    """The loss of G: -E[log D(G(z, c))] - information; its first part is logged."""
    gan = jnp.mean(losses.non_saturating_loss(generated_logits))
    return gan - information, {"loss/generator": gan}


def add_instance_noise(
    images: Float[Array, "batch height width channels"],
    uniform: Float[Array, "batch pixels"],
    sd: Float[Array, ""] | float,
) -> Float[Array, "batch height width channels"]:
    """Adds N(0, `sd`^2) to every pixel, `sd` in units of the images' range.

    It is made from a number of U(-1, 1) for each pixel and channel.

    Given to D for real and generated images alike, it widens both supports, so
    that the bound which G minimises from the wrong side stays near the divergence
    (Sonderby et al. 2017, section 3.1).
    """
    noise = distributions.standard_normal(uniform)
    return images + sd * noise.reshape(images.shape)
