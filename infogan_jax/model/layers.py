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
from jax import lax
from jaxtyping import Array, Float, Key

from infogan_jax.model.convolutions import conv, upconv

KERNEL_SIZE = 4
OUTPUT_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
WEIGHT_SD = 0.02
FLAT = ("fc", "minibatch")
"""The kinds of layer whose input is a vector."""
KEPT = 0.9
"""The share of a running average that a step keeps."""


@dataclass(frozen=True)
class Layer:
    """One line of a table: linear map, batch norm, nonlinearity, in this order.

    A fully connected layer is normalised unit by unit and reshaped to an image last.

    Attributes:
      kind: `fc`, `conv`, `upconv` or `minibatch`.
      shape: output features; (height, width, features) of a fully connected layer
        whose output is an image; (similarities, dimensions) of `minibatch`.
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
      kind: as in `Layer`.
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
        square = () if self.kind in FLAT else (KERNEL_SIZE, KERNEL_SIZE)
        shape = (*square, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.zeros, shape)
        x, kernel = jnp.asarray(x, self.dtype), jnp.asarray(kernel, self.dtype)
        if self.kind in FLAT:
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


def similarities(
    own: Float[Array, "n kernels dims"], others: Float[Array, "m kernels dims"]
) -> Float[Array, "n kernels"]:
    """Returns the mean of exp(-|M_ib - M_jb|_1) over the other images j, in [0, 1].

    `others` has the images of `own` among them; an image is not compared with itself.
    Where all images are the same, it is 1. The paper has the sum, which grows with the
    batch: in its place D outweighed L_I (docs/additions.md).
    """
    _, kernels, dims = own.shape
    # One dimension after the other takes a fifth of the time of a sum over an axis.
    pairs = (abs(own[:, None, :, d] - others[None, :, :, d]) for d in range(dims))
    distances = sum(pairs, jnp.zeros((len(own), len(others), kernels)))
    count = max(len(others) - 1, 1)
    return (jnp.sum(jnp.exp(-distances), axis=1) - 1.0) / count


class Similarity(nn.Module):
    """How similar each image of a batch is to the others (Salimans et al. 2016, 3.2).

    Outside training it is the running average of real images, the same for each image.
    So what D and Q say of an image does not depend on those beside it.

    Attributes:
      axis_name: the device axis over which the batch is split, if any.
    """

    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch kernels dims"], train: bool
    ) -> Float[Array, "batch kernels"]:
        kernels = x.shape[1]
        average = self.variable("batch_stats", "mean", jnp.zeros, (kernels,))
        if not train:
            return jnp.broadcast_to(average.value[None], (x.shape[0], kernels))
        x, axis = x.astype(jnp.float32), self.axis_name
        everywhere = x if axis is None else lax.all_gather(x, axis, tiled=True)
        found = similarities(x, everywhere)
        if not self.is_initializing():
            mean = jnp.mean(lax.stop_gradient(found), axis=0)
            mean = mean if axis is None else lax.pmean(mean, axis)
            average.value = KEPT * average.value + (1.0 - KEPT) * mean
        return found


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
        if layer.kind in FLAT:
            x = x.reshape(x.shape[0], -1)
        before, compares = x, layer.kind == "minibatch"
        is_last = position == len(self.layers) - 1
        linear = Linear(
            layer.kind,
            math.prod(layer.shape),
            layer.stride,
            use_bias=not (layer.norm or compares),
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
        if compares:
            similarity = Similarity(self.axis_name, name=f"similarity_{position}")
            found = similarity(x.reshape(x.shape[0], *layer.shape), train)
            return jnp.concatenate([before.astype(dtype), found.astype(dtype)], axis=1)
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
        momentum=KEPT,
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
