"""Layers one after the other: how a layer list becomes a network."""

import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from infogan_jax.layers import Layer, Linear, activate, batch_norm

WEIGHT_SD = 0.02
DRAWN = ("kernel", "scale")


class Stack(nn.Module):
    """The layers of a list, one after the other.

    `init` leaves every weight at its centre: `draw_weights` draws the first ones.

    Attributes:
      layers: what to build.
      slope: of the leaky ReLU for negative inputs.
      spectral_norm: whether each weight is divided by its largest singular value
        (Miyato et al. 2018; one power iteration a step).
      axis: the device axis over which batch statistics are averaged, if any.
      dtype: of the activations; the last layer's are float32 in any case.
      products: whether convolutions are matrix products on every platform.
    """

    layers: Sequence[Layer]
    slope: float = 0.1
    spectral_norm: bool = False
    axis: str | None = None
    dtype: Any = jnp.float32
    products: bool = False

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        for position, layer in enumerate(self.layers):
            x = self._apply(layer, position, x, train)
        return x

    def _apply(self, layer: Layer, position: int, x: Array, train: bool) -> Array:
        if layer.kind == "fc":
            x = x.reshape(x.shape[0], -1)
        linear = Linear(
            layer.kind,
            math.prod(layer.shape),
            layer.stride,
            use_bias=not layer.norm,
            dtype=self.dtype,
            products=self.products,
            name=f"{layer.kind}_{position}",
        )
        if self.spectral_norm:
            x = nn.SpectralNorm(linear)(x, update_stats=train)
        else:
            x = linear(x)
        dtype = jnp.float32 if position == len(self.layers) - 1 else self.dtype
        x = x.astype(dtype)
        if layer.norm:
            x = batch_norm(self.axis, train, f"norm_{position}", dtype)(x)
        x = activate(layer.activation, x, self.slope)
        if layer.kind == "fc" and len(layer.shape) > 1:
            x = x.reshape(x.shape[0], *layer.shape)
        return x


def draw_weights(params: Any, key: Key[Array, ""]) -> Any:
    """The parameters that `init` gives, kernels and scales moved by N(0, 0.02^2).

    As in the authors' program, kernels are then around 0, scales of batch norm around
    1, and biases 0. All are one draw: XLA takes seconds to compile one for each.
    """
    flat, tree = jax.tree_util.tree_flatten_with_path(params)
    sizes = [leaf.size if path[-1].key in DRAWN else 0 for path, leaf in flat]
    numbers = WEIGHT_SD * jax.random.normal(key, (sum(sizes),))
    parts = jnp.split(numbers, np.cumsum(sizes)[:-1])
    moved = [
        leaf + part.reshape(leaf.shape) if part.size else leaf
        for (_, leaf), part in zip(flat, parts, strict=True)
    ]
    return jax.tree.unflatten(tree, moved)
