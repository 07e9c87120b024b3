"""G, D and Q from layer lists, as the paper's tables print them.

A network is data: a tuple of `Layer`. Three modules are built from it: the
generator, the discriminator (shared trunk and D head) and the recognition head Q
on the trunk's features. Their parameters are three trees, because three sets of
people move them: G's optimiser, D's loss, and the mutual-information bound. A
fourth, where it is asked for, is the part of Q that reads moments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Key

from infogan_jax.convolutions import Images
from infogan_jax.layers import OUTPUT_RANGES, Layer, second_moments
from infogan_jax.stack import LAST_IMAGE, Stack

Variables = Mapping[str, Any]
"""`generator`, `discriminator`, `recognition` and `moments`, each a tree of arrays."""


class Discriminator(nn.Module):
    """The shared trunk and D's head: images -> (logits of "real", features)."""

    trunk: Stack
    head: Stack

    def __call__(
        self, images: Images, train: bool
    ) -> tuple[Float[Array, "batch"], Array]:
        features = self.trunk(images, train)
        return self.head(features, train)[:, 0], features


@dataclass(frozen=True)
class Networks:
    """The three modules; their `apply` is a pure function of variables and input.

    Attributes:
      generator: packed latents [batch, inputs] -> images in `output_range`.
      discriminator: images -> (logits [batch], trunk features).
      recognition: trunk features -> Q's outputs [batch, outputs]; None if there
        are none.
      moments: moments of the trunk's last image -> the other outputs of Q; None if
        there are none.
      from_moments: the places of the latter among all outputs of Q.
      input_size: the length of G's input vector.
      image_shape: (height, width, channels).
      output_range: the range of the images, by the generator's last activation.
    """

    generator: Stack
    discriminator: Discriminator
    recognition: Stack | None
    moments: Stack | None
    from_moments: tuple[int, ...]
    input_size: int
    image_shape: tuple[int, int, int]
    output_range: tuple[float, float]


def build(
    *,
    generator: Sequence[Layer],
    trunk: Sequence[Layer],
    recognition: Sequence[Layer],
    input_size: int,
    output_size: int,
    from_moments: Sequence[int] = (),
    image_shape: tuple[int, int, int],
    slope: float = 0.1,
    spectral_norm: bool = False,
    precision: str = "float32",
) -> Networks:
    """Builds the networks; D's one output and Q's `output_size` are added here.

    Args:
      generator: layers from G's input to images; the last activation, sigmoid or
        tanh, fixes the range of all images.
      trunk: layers that D and Q share.
      recognition: Q's own hidden layers; empty means one linear map.
      input_size: of G.
      output_size: of Q; 0, where there is no code, leaves Q out.
      from_moments: the outputs of Q that are linear in moments of the last image of
        the trunk (`layers.second_moments`), and read nothing else.
      image_shape: (height, width, channels).
      slope: of the leaky ReLU.
      spectral_norm: in D and Q.
      precision: `float32` or `bfloat16`, the type of the activations.
    """
    dtype = jnp.dtype(precision)

    def judge(layers: Sequence[Layer]) -> Stack:
        return Stack(tuple(layers), slope, spectral_norm, dtype=dtype)

    def linear(size: int) -> list[Layer]:
        return [Layer("fc", (size,))] if size else []

    deep = output_size - len(from_moments)
    return Networks(
        generator=Stack(tuple(generator), slope, dtype=dtype),
        discriminator=Discriminator(judge(trunk), judge(linear(1))),
        recognition=judge([*recognition, *linear(deep)]) if deep else None,
        moments=judge(linear(len(from_moments))) if from_moments else None,
        from_moments=tuple(from_moments),
        input_size=input_size,
        image_shape=image_shape,
        output_range=OUTPUT_RANGES[generator[-1].activation],
    )


def along(networks: Networks, axis: str | None) -> Networks:
    """The same networks, whose batch statistics are averaged over a device axis."""
    d, q, moments = networks.discriminator, networks.recognition, networks.moments
    return replace(
        networks,
        generator=networks.generator.clone(axis=axis),
        discriminator=d.clone(
            trunk=d.trunk.clone(axis=axis), head=d.head.clone(axis=axis)
        ),
        recognition=q and q.clone(axis=axis),
        moments=moments and moments.clone(axis=axis),
    )


def init(networks: Networks, key: Key[Array, ""]) -> tuple[Variables, Variables]:
    """Draws the parameters and the first batch statistics of all networks."""
    g_key, d_key, q_key = jax.random.split(key, 3)
    moments_key = jax.random.fold_in(q_key, 1)
    inputs = jnp.zeros((2, networks.input_size))
    images = jnp.zeros((2, *networks.image_shape))
    variables = {
        "generator": networks.generator.init(g_key, inputs, train=False),
        "discriminator": networks.discriminator.init(d_key, images, train=False),
    }
    (_, features), made = networks.discriminator.apply(
        variables["discriminator"], images, train=False, mutable=[LAST_IMAGE]
    )
    if networks.recognition is not None:
        variables["recognition"] = networks.recognition.init(
            q_key, features, train=False
        )
    if networks.moments is not None:
        moments = second_moments(made[LAST_IMAGE]["trunk"]["image"])
        variables["moments"] = networks.moments.init(moments_key, moments, train=False)
    return (
        {name: tree["params"] for name, tree in variables.items()},
        {name: tree.get("batch_stats", {}) for name, tree in variables.items()},
    )


def generate(
    networks: Networks,
    params: Variables,
    stats: Variables,
    inputs: Float[Array, "batch inputs"],
    *,
    train: bool,
) -> tuple[Images, Variables]:
    """G: packed latents -> images, and G's updated statistics.

    With `train` batch norm uses the statistics of this batch, else the running
    averages.
    """
    images, stats, _ = _apply(
        networks.generator, "generator", params, stats, inputs, train
    )
    return images, stats


def discriminate(
    networks: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
    *,
    train: bool,
    info_to_trunk: bool = True,
) -> tuple[Float[Array, "batch"], Float[Array, "batch outputs"], Variables]:
    """D and Q: images -> logits of "real", Q's outputs, and updated statistics.

    Without `info_to_trunk` no gradient passes from Q's outputs to the trunk.
    """
    (logits, features), stats, made = _apply(
        networks.discriminator, "discriminator", params, stats, images, train
    )
    if not info_to_trunk:
        features, made = lax.stop_gradient((features, made))
    outputs = jnp.zeros((images.shape[0], 0))
    if networks.recognition is not None:
        outputs, stats, _ = _apply(
            networks.recognition, "recognition", params, stats, features, train
        )
    if networks.moments is not None:
        moments = second_moments(made[LAST_IMAGE]["trunk"]["image"])
        read, stats, _ = _apply(
            networks.moments, "moments", params, stats, moments, train
        )
        both = jnp.concatenate([outputs, read], axis=1)
        others = np.delete(np.arange(both.shape[1]), networks.from_moments)
        outputs = both[:, np.argsort([*others, *networks.from_moments])]
    return logits, outputs, stats


def _apply(
    module: nn.Module,
    name: str,
    params: Variables,
    stats: Variables,
    x: Array,
    train: bool,
) -> tuple[Any, Variables, Variables]:
    """The output, all statistics with the updated ones, and what else was made."""
    variables = {"params": params[name], "batch_stats": stats[name]}
    y, made = module.apply(variables, x, train, mutable=["batch_stats", LAST_IMAGE])
    return y, {**stats, name: made.get("batch_stats", {})}, made
