"""The layers of the paper's networks, and stacks of them as one Flax module.

All kernels are 4x4 with SAME padding (tables 1 to 6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from infogan_jax.model.convolutions import conv, upconv

KERNEL_SIZE = 4
OUTPUT_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
WEIGHT_SD = 0.02


@dataclass(frozen=True)
class Layer:
    """One line of a table: linear map, batch norm, nonlinearity, in this order.

    A fully connected layer is normalised unit by unit and reshaped to an image last.

    Attributes:
      kind: `fc`, `conv` or `upconv`.
      shape: output features, or (height, width, features) of a fully connected
        layer whose output is an image.
      stride: of a conv or upconv.
      norm: whether batch norm follows the linear map (which then has no bias).
      activation: `relu`, `lrelu`, `sigmoid`, `tanh` or "" for none.
    """

    kind: str
    shape: tuple[int, ...]
    stride: int = 1
    norm: bool = False
    activation: str = ""


class Linear(nn.Module):
    """A fully connected layer, a convolution or a transposed convolution.

    Weights are float32. Input and weights are rounded to `dtype` for the product, and
    the output has that type. `init` gives zeros: `draw_weights` draws the first values.

    Attributes:
      kind: `fc`, `conv` or `upconv`.
      features: the number of output features.
      stride: of a conv or upconv.
      use_bias: whether a bias is added.
      dtype: of the product.
      lowering: of the convolutions, as in `convolutions.LOWERINGS`.
    """

    kind: str
    features: int
    stride: int = 1
    use_bias: bool = True
    dtype: Any = jnp.float32
    lowering: str = "fastest"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        square = () if self.kind == "fc" else (KERNEL_SIZE, KERNEL_SIZE)
        shape = (*square, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.zeros, shape)
        x, kernel = jnp.asarray(x, self.dtype), jnp.asarray(kernel, self.dtype)
        if self.kind == "fc":
            y = x @ kernel
        else:
            convolve = {"conv": conv, "upconv": upconv}[self.kind]
            y = convolve(x, kernel, self.stride, self.lowering)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y + jnp.broadcast_to(bias.astype(self.dtype), y.shape)
        return y


class SpectralNorm(nn.SpectralNorm):
    """Flax's, with its power iteration in float32 on every platform."""

    def _spectral_normalize(self, path: Any, vs: Any, update_stats: bool) -> Array:
        with jax.default_matmul_precision("highest"):
            return super()._spectral_normalize(path, vs, update_stats)


class Stack(nn.Module):
    """The layers of a list, applied one after the other.

    Attributes:
      layers: what to build.
      slope: of the leaky ReLU for negative inputs.
      spectral_norm: whether each weight is divided by its largest singular value
        (Miyato et al. 2018; one power iteration a step).
      axis_name: the device axis over which batch statistics are averaged, if any.
      dtype: of the activations; the last layer's output is float32 in any case.
      is_head: whether the last layer is computed in float32 too, as the outputs of a
        network are.
      lowering: of the convolutions, as in `convolutions.LOWERINGS`.
    """

    layers: Sequence[Layer]
    slope: float = 0.1
    spectral_norm: bool = False
    axis_name: str | None = None
    dtype: Any = jnp.float32
    is_head: bool = True
    lowering: str = "fastest"

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        for position, layer in enumerate(self.layers):
            x = self._apply(layer, position, x, train)
        return x

    def _apply(self, layer: Layer, position: int, x: Array, train: bool) -> Array:
        if layer.kind == "fc":
            x = x.reshape(x.shape[0], -1)
        is_last = position == len(self.layers) - 1
        linear = Linear(
            layer.kind,
            math.prod(layer.shape),
            layer.stride,
            use_bias=not layer.norm,
            dtype=jnp.float32 if is_last and self.is_head else self.dtype,
            lowering=self.lowering,
            name=f"{layer.kind}_{position}",
        )
        if self.spectral_norm:
            x = SpectralNorm(linear)(x, update_stats=train)
        else:
            x = linear(x)
        dtype = jnp.float32 if is_last else self.dtype
        x = x.astype(dtype)
        if layer.norm:
            x = batch_norm(self.axis_name, train, f"norm_{position}", dtype)(x)
        x = activate(layer.activation, x, self.slope)
        if layer.kind == "fc" and len(layer.shape) > 1:
            x = x.reshape(x.shape[0], *layer.shape)
        return x


def batch_norm(
    axis: str | None, train: bool, name: str, dtype: Any = jnp.float32
) -> nn.BatchNorm:
    """Batch norm as in the authors' program, its statistics averaged over `axis`.

    Epsilon is 1e-5. At each step 0.9 of the running average is kept. Statistics are
    float32; the output has `dtype`.
    """
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        axis_name=axis if train else None,
        dtype=dtype,
        name=name,
    )


def activate(activation: str, x: Array, slope: float) -> Array:
    """Applies the nonlinearity that `Layer` names; `slope` is the leaky ReLU's."""
    if activation == "lrelu":
        return nn.leaky_relu(x, slope)
    return x if not activation else getattr(nn, activation)(x)


def draw_weights(params: Any, key: Key[Array, ""]) -> Any:
    """Adds N(0, 0.02^2) to the kernels and batch-norm scales that `init` gives.

    As in the authors' program, kernels are then drawn around 0 and scales around 1;
    biases stay 0. All numbers come from one draw, because XLA takes seconds to compile
    a draw for every array.
    """
    flat, tree = jax.tree_util.tree_flatten_with_path(params)
    drawn = ("kernel", "scale")
    sizes = [leaf.size if path[-1].key in drawn else 0 for path, leaf in flat]
    numbers = WEIGHT_SD * jax.random.normal(key, (sum(sizes),))
    parts = jnp.split(numbers, np.cumsum(sizes)[:-1])
    moved = [
        leaf + part.reshape(leaf.shape) if part.size else leaf
        for (_, leaf), part in zip(flat, parts, strict=True)
    ]
    return jax.tree.unflatten(tree, moved)
