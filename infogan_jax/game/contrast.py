"""Which code do two images share? The contrastive term of InfoGAN-CR (Lin et al. 2020).

Two generated images have one continuous code in common, and the noise; their other
codes differ. A classifier H tells from the pair which of k continuous codes it is:

    ln k + E[log H(i | x, x')]  <=  I(i; x, x')  <=  ln k      nats.

H and G maximise this lower bound. It is large where a code changes something in an
image that no other code changes.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from infogan_jax.model import distributions
from infogan_jax.model.convolutions import Images
from infogan_jax.model.latents import LatentSpec
from infogan_jax.model.layers import Stack, draw_weights
from infogan_jax.model.networks import Networks, Variables

_BELOW_ONE = float(np.nextafter(np.float32(1.0), np.float32(0.0)))


@dataclass(frozen=True)
class Contrast:
    """H, and how much of the bound G maximises.

    Attributes:
      network: H, from pairs of images on top of each other, [batch, height, width,
        2 channels], to k logits.
      weight: of the bound in G's objective.
      from_step: the step with which H begins to learn and G to maximise.
      gap: the least distance of the codes that differ, in [0, 1): of a uniform code on
        its own scale of -1 to 1, of another kind in the uniform number behind it.
    """

    network: Stack
    weight: float
    from_step: int = 0
    gap: float = 0.0

    def first_weights(
        self, image_shape: tuple[int, int, int], key: Key[Array, ""]
    ) -> tuple[Variables, Variables]:
        """Draws H's parameters and first batch statistics."""
        height, width, channels = image_shape
        pairs = jnp.zeros((2, height, width, 2 * channels))
        one, other = jax.random.split(key)
        tree = self.network.clone(lowering="plain").init(one, pairs, train=False)
        return draw_weights(tree["params"], other), tree.get("batch_stats", {})

    def tell(
        self,
        nets: Networks,
        params: Variables,
        stats: Variables,
        images: Images,
        partners: Images,
    ) -> tuple[Float[Array, "batch k"], Variables]:
        """Returns H's logits for pairs of images, and its updated statistics.

        Convolutions and batch norm are computed as in `nets`, on one device or several.
        """
        head = nets.discriminator.head
        network = self.network.clone(axis_name=head.axis_name, lowering=head.lowering)
        pairs = jnp.concatenate([images, partners], axis=-1)
        variables = {"params": params, "batch_stats": stats}
        logits, updated = network.apply(variables, pairs, True, mutable=["batch_stats"])
        return logits, updated.get("batch_stats", {})


def continuous_places(spec: LatentSpec) -> tuple[int, ...]:
    """Returns the places of the codes that a pair may share: those without a parent.

    A code with a parent may mean another thing in the partner, whose parent is drawn.
    """
    names = {code.name for code in spec.continuous}
    return tuple(n for n, code in enumerate(spec.codes) if code.name in names)


def drawn_numbers(spec: LatentSpec) -> int:
    """Returns how many numbers from U(-1, 1) the partner of an image needs."""
    return len(spec.codes) + 1


def partners(
    spec: LatentSpec,
    uniform: Float[Array, "batch uniform_size"],
    drawn: Float[Array, "batch _"],
    gap: float = 0.0,
) -> tuple[Float[Array, "batch uniform_size"], Int[Array, "batch"]]:
    """Draws the partner of each image: one continuous code and the noise are the same.

    Categories are drawn anew too, and may be the same by chance.

    Args:
      spec: codes and noise.
      uniform: the numbers from which the images are made (`latents.sample`).
      drawn: `drawn_numbers` for each image, from U(-1, 1).
      gap: as in `Contrast`.

    Returns:
      The numbers from which the partners are made, and which continuous code is shared:
      0 to k - 1, all equally likely.
    """
    count, places = len(spec.codes), continuous_places(spec)
    own, noise = uniform[:, :count], uniform[:, count:]
    shared = distributions.category(drawn[:, count], len(places))
    gaps = jnp.array([0.0 if code.is_categorical else gap for code in spec.codes])
    others = apart(own, drawn[:, :count], gaps[None])
    is_shared = jnp.array(places)[shared][:, None] == jnp.arange(count)[None]
    codes = jnp.where(is_shared, own, others)
    return jnp.concatenate([codes, noise], axis=1), shared


def apart(
    values: Float[Array, "n m"],
    drawn: Float[Array, "n m"],
    gaps: Float[Array, "1 m"],
) -> Float[Array, "n m"]:
    """Returns numbers from U(-1, 1), given that they are `gaps` away from `values`."""
    below = jnp.maximum(values - gaps + 1.0, 0.0)
    above = jnp.maximum(1.0 - values - gaps, 0.0)
    length = 0.5 * (drawn + 1.0) * (below + above)
    found = jnp.where(length < below, length - 1.0, values + gaps + length - below)
    return jnp.clip(found, -_BELOW_ONE, _BELOW_ONE)  # where a normal code is finite


def bound(
    logits: Float[Array, "batch k"], shared: Int[Array, "batch"]
) -> Float[Array, ""]:
    """Returns ln k + E[log H(i | x, x')] in nats.

    It is ln k for an H that is always right, and 0 for one that calls all codes equally
    likely.
    """
    log_h = distributions.categorical_log_prob(logits, shared)
    return math.log(logits.shape[1]) + jnp.mean(log_h)
