"""The layers of the paper's networks: dense, conv, upconv, batch norm.

All kernels are 4x4 with SAME padding (tables 1 to 6). Convolutions have two
lowerings that agree to rounding. XLA's CPU backend is slow at convolutions, and
slower still inside `lax.scan`: there they are written as one matrix product of
patches, or of overlapping taps. Elsewhere the backend's own is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

KERNEL_SIZE = 4
WEIGHT_SD = 0.02
OUTPUT_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_DIMENSIONS = ("NHWC", "HWIO", "NHWC")

Images = Float[Array, "batch height width channels"]
Kernel = Float[Array, "size size channels features"]
Features = Float[Array, "batch rows columns features"]
Convolution = Callable[[Images, Kernel, int], Features]


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


def conv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """The backend's own strided convolution with SAME padding."""
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=_DIMENSIONS
    )


def upconv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """The backend's own transposed convolution, `stride` times larger."""
    return lax.conv_transpose(
        x, kernel, (stride, stride), "SAME", dimension_numbers=_DIMENSIONS
    )


def conv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """`conv_native` as one matrix product of patches.

    A kernel of size m * stride reads m x m neighbouring blocks of stride x
    stride pixels, so that a patch is m x m slices of the blocked image.
    """
    size, features = kernel.shape[0], kernel.shape[-1]
    batch, height, width, channels = x.shape
    rows, columns = -(-height // stride), -(-width // stride)
    blocks = size // stride
    margins = [_same_margin(length, stride, size) for length in (height, width)]
    x = jnp.pad(x, ((0, 0), *margins, (0, 0)))
    x = x.reshape(
        batch, rows + blocks - 1, stride, columns + blocks - 1, stride, channels
    )
    patches = jnp.stack(
        [
            x[:, i : i + rows, :, j : j + columns]
            for i in range(blocks)
            for j in range(blocks)
        ],
        axis=1,
    )
    patches = patches.transpose(0, 2, 4, 1, 3, 5, 6)
    taps = kernel.reshape(blocks, stride, blocks, stride, channels, features)
    taps = taps.transpose(0, 2, 1, 3, 4, 5)
    product = patches.reshape(batch * rows * columns, -1) @ taps.reshape(-1, features)
    return product.reshape(batch, rows, columns, features)


def _same_margin(length: int, stride: int, size: int) -> tuple[int, int]:
    total = max((-(-length // stride) - 1) * stride + size - length, 0)
    return total // 2, total - total // 2


def upconv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """`upconv_native` as one matrix product and an overlap-add of its taps.

    Every input pixel paints a size x size patch, `stride` pixels further than
    its neighbour's; the patches are cut into blocks that add up without strides.
    """
    size, features = kernel.shape[0], kernel.shape[-1]
    batch, height, width, channels = x.shape
    blocks = size // stride
    taps = kernel[::-1, ::-1].transpose(2, 0, 1, 3).reshape(channels, -1)
    painted = (x.reshape(-1, channels) @ taps).reshape(
        batch, height, width, blocks, stride, blocks, stride, features
    )
    painted = _overlap_add(painted.transpose(3, 0, 1, 2, 4, 5, 6, 7), axis=1)
    painted = _overlap_add(painted.transpose(4, 0, 1, 2, 3, 5, 6), axis=2)
    painted = painted.transpose(0, 1, 3, 2, 4, 5).reshape(
        batch, -1, (width + blocks - 1) * stride, features
    )
    start = size - 1 - (size - 1 if stride > size - 1 else (size + stride - 1) // 2)
    return painted[:, start : start + height * stride, start : start + width * stride]


def _overlap_add(blocks: Array, axis: int) -> Array:
    """Sums `blocks[i]` shifted by i along `axis`."""
    last = blocks.shape[0] - 1
    shifted = []
    for shift, block in enumerate(blocks):
        padding = [(0, 0)] * block.ndim
        padding[axis] = (shift, last - shift)
        shifted.append(jnp.pad(block, padding))
    return sum(shifted[1:], start=shifted[0])


def conv(x: Images, kernel: Kernel, stride: int) -> Features:
    """Convolution with SAME padding, in the lowering that suits the platform."""
    return _on_platform(conv_matmul, conv_native, x, kernel, stride)


def upconv(x: Images, kernel: Kernel, stride: int) -> Features:
    """Transposed convolution, in the lowering that suits the platform."""
    return _on_platform(upconv_matmul, upconv_native, x, kernel, stride)


def _on_platform(
    cpu: Convolution, default: Convolution, x: Images, kernel: Kernel, stride: int
) -> Features:
    divides = kernel.shape[0] % stride == 0
    return lax.platform_dependent(
        x,
        kernel,
        cpu=lambda x, kernel: (cpu if divides else default)(x, kernel, stride),
        default=lambda x, kernel: default(x, kernel, stride),
    )


class Linear(nn.Module):
    """A linear map: `fc`, `conv` or `upconv`, with a bias where asked.

    Weights start at N(0, 0.02^2), as in the authors' program. They are float32; input
    and weights are rounded to `dtype` for the product, which has that type.
    """

    kind: str
    features: int
    stride: int = 1
    use_bias: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Array) -> Array:
        square = () if self.kind == "fc" else (KERNEL_SIZE, KERNEL_SIZE)
        kernel = self.param(
            "kernel",
            nn.initializers.normal(WEIGHT_SD),
            (*square, x.shape[-1], self.features),
        )
        x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
        if self.kind == "fc":
            y = x @ kernel
        else:
            y = {"conv": conv, "upconv": upconv}[self.kind](x, kernel, self.stride)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            y = y + jnp.broadcast_to(bias.astype(self.dtype), y.shape)
        return y


def batch_norm(
    axis: str | None, train: bool, name: str, dtype: Any = jnp.float32
) -> nn.BatchNorm:
    """Batch norm as in the authors' program, its statistics averaged over `axis`.

    Scale starts at N(1, 0.02^2), epsilon is 1e-5, and 0.9 is the share of the
    running average that is kept at each step. Statistics are float32, the result has
    `dtype`.
    """
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        scale_init=_around_one,
        axis_name=axis if train else None,
        dtype=dtype,
        name=name,
    )


def activate(activation: str, x: Array, slope: float) -> Array:
    """The nonlinearity of a layer, by its name in `Layer`; `slope` is lrelu's."""
    if activation == "lrelu":
        return nn.leaky_relu(x, slope)
    return x if not activation else getattr(nn, activation)(x)


def _around_one(key: jax.Array, shape: Sequence[int], dtype: Any) -> Array:
    return 1.0 + WEIGHT_SD * jax.random.normal(key, shape, dtype)
