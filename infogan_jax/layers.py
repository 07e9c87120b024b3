"""The layers of the paper's networks: dense, conv, upconv, batch norm.

All kernels are 4x4 with SAME padding (tables 1 to 6).
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array

from infogan_jax.convolutions import conv, upconv

KERNEL_SIZE = 4
OUTPUT_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclass(frozen=True)
class Layer:
    """One line of a table: linear map, batch norm, nonlinearity, in this order.

    A fully connected layer is normalised unit by unit, and becomes an image last.

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
    """A linear map: `fc`, `conv` or `upconv`, with a bias where asked.

    Weights are float32; input and weights are rounded to `dtype` for the product, which
    has that type. `stack.draw_weights` draws the first ones. `products` asks for a
    convolution as matrix products on every platform.
    """

    kind: str
    features: int
    stride: int = 1
    use_bias: bool = True
    dtype: Any = jnp.float32
    products: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        square = () if self.kind == "fc" else (KERNEL_SIZE, KERNEL_SIZE)
        shape = (*square, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.zeros, shape)
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        if self.kind == "fc":
            y = x @ kernel
        else:
            convolve = {"conv": conv, "upconv": upconv}[self.kind]
            y = convolve(x, kernel, self.stride, self.products)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y + jnp.broadcast_to(bias.astype(self.dtype), y.shape)
        return y


def batch_norm(
    axis: str | None, train: bool, name: str, dtype: Any = jnp.float32
) -> nn.BatchNorm:
    """Batch norm as in the authors' program, its statistics averaged over `axis`.

    Epsilon is 1e-5, and 0.9 is the share of the running average that is kept at each
    step. Statistics are float32, the result has `dtype`.
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
    """The nonlinearity of a layer, by its name in `Layer`; `slope` is lrelu's."""
    if activation == "lrelu":
        return nn.leaky_relu(x, slope)
    return x if not activation else getattr(nn, activation)(x)
