"""Convolutions and transposed convolutions (upconvs) with SAME padding.

XLA's CPU backend is slow at convolutions, and slower still inside `lax.scan`. On a CPU
matrix products compute them instead. Along each side of an image, an upconv is a
product of two polynomials, whose coefficients are the pixels and the kernel's taps.
Where two taps reach each output pixel, Karatsuba's rule needs 3 products instead of 4
along one side, and 9 instead of 16 in two dimensions. A conv is the transpose of an
upconv, so autodiff derives such products for the gradients of both.

Other platforms use the backend's own convolutions, unless the lowering `matmul` asks
for matrix products. A step that is mapped over several networks asks for them: each
network has its own kernels, so its convolutions would be grouped, and a GPU's library
is slow at grouped convolutions. The lowering `plain` is one convolution in the most
usual layout on every platform, which converters to other frameworks know.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")
# With the 1 or 3 channels of an image, the additions of Karatsuba's rule cost too much.
_MAX_IMAGE_CHANNELS = 4

LOWERINGS = ("fastest", "matmul", "plain")

Images = Float[Array, "batch height width channels"]
Kernel = Float[Array, "size size channels features"]
Features = Float[Array, "batch rows columns features"]


def conv(x: Images, kernel: Kernel, stride: int, lowering: str = "fastest") -> Features:
    """Computes a convolution; `fastest` is by matrix products on a CPU."""
    if _uses_matmul(kernel, stride, lowering):
        return conv_matmul(x, kernel, stride)
    return conv_native(x, kernel, stride)


def upconv(
    x: Images, kernel: Kernel, stride: int, lowering: str = "fastest"
) -> Features:
    """Computes an upconv; `fastest` is by matrix products on a CPU."""
    if lowering == "plain":
        return upconv_plain(x, kernel, stride)
    if _uses_matmul(kernel, stride, lowering):
        return upconv_matmul(x, kernel, stride)
    return upconv_native(x, kernel, stride)


def _uses_matmul(kernel: Kernel, stride: int, lowering: str) -> bool:
    """Returns whether to use matrix products; `stride` must divide the kernel size."""
    wanted = lowering == "matmul" or (lowering == "fastest" and _is_cpu())
    return wanted and kernel.shape[0] % stride == 0


def _is_cpu() -> bool:
    return jax.default_backend() == "cpu"


def conv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """Computes the backend's own strided convolution with SAME padding."""
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=_DIMENSIONS
    )


def upconv_plain(x: Images, kernel: Kernel, stride: int) -> Features:
    """Computes an upconv as a convolution of the pixels with zeros between them."""
    return lax.conv_general_dilated(
        x,
        kernel,
        (1, 1),
        [_upconv_margins(stride, kernel.shape[0])] * 2,
        lhs_dilation=(stride, stride),
        dimension_numbers=_DIMENSIONS,
    )


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def upconv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """Computes the backend's own transposed convolution, `stride` times larger than x.

    An upconv is the input gradient of a convolution. The upconv and its gradients are
    written as that convolution and its gradients, because a GPU's library then does not
    multiply the zeros between the pixels. XLA recognises an input gradient by its
    reversed kernel, so the kernel is reversed twice.
    """
    return lax.conv_general_dilated(
        x,
        lax.rev(_transposed_kernel(kernel), (0, 1)),
        (1, 1),
        [_upconv_margins(stride, kernel.shape[0])] * 2,
        lhs_dilation=(stride, stride),
        dimension_numbers=("NHWC", "HWOI", "NHWC"),
    )


def _upconv_forward(
    x: Images, kernel: Kernel, stride: int
) -> tuple[Features, tuple[Images, Kernel]]:
    return upconv_native(x, kernel, stride), (x, kernel)


def _upconv_backward(
    stride: int, saved: tuple[Images, Kernel], cotangent: Features
) -> tuple[Images, Kernel]:
    x, kernel = saved
    transposed = _transposed_kernel(kernel)
    x_grad, vjp = jax.vjp(partial(conv_native, stride=stride), cotangent, transposed)
    return x_grad, _transposed_kernel(vjp(x)[1])


def _transposed_kernel(kernel: Kernel) -> Float[Array, "size size features channels"]:
    """Returns the kernel of the convolution whose transpose is the upconv."""
    return kernel[::-1, ::-1].swapaxes(2, 3)


upconv_native.defvjp(_upconv_forward, _upconv_backward)


@partial(jax.jit, static_argnums=2)
def conv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """Computes `conv_native` by matrix products; `stride` divides the kernel size."""
    output = jax.eval_shape(partial(conv_native, stride=stride), x, kernel)
    window = []
    for n, side in zip(output.shape[1:3], x.shape[1:3], strict=True):
        margin = max((n - 1) * stride + kernel.shape[0] - side, 0) // 2
        window.append(slice(margin, margin + side))
    taps = kernel.swapaxes(2, 3)
    transpose = partial(_cropped_upconv, taps=taps, stride=stride, window=window)
    (y,) = jax.linear_transpose(transpose, output)(x)
    return y


@partial(jax.jit, static_argnums=2)
def upconv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """Computes `upconv_native` by matrix products; `stride` divides the kernel size."""
    before, _ = _upconv_margins(stride, kernel.shape[0])
    margin = kernel.shape[0] - 1 - before
    window = [slice(margin, margin + n * stride) for n in x.shape[1:3]]
    return _cropped_upconv(x, kernel[::-1, ::-1], stride, window)


def _upconv_margins(stride: int, size: int) -> tuple[int, int]:
    """Returns the SAME padding before and after inputs that are `stride` apart."""
    before = size - 1 if stride > size - 1 else (size + stride - 1) // 2
    return before, size + stride - 2 - before


def _cropped_upconv(
    x: Images, taps: Kernel, stride: int, window: Sequence[slice]
) -> Features:
    """Computes the rows and columns `window` of an upconv without padding.

    Each input pixel times each tap is added to one output pixel. The output is made in
    blocks of `stride` x `stride` pixels, which lie side by side in the channels. Each
    input pixel reaches `reach` x `reach` blocks. Karatsuba's rule is used in float32 on
    a CPU alone, because bfloat16 and a GPU's products would round its sums.
    """
    size, _, channels, features = taps.shape
    reach, block = size // stride, stride**2 * features
    taps = taps.reshape(reach, stride, reach, stride, channels, features)
    taps = taps.transpose(0, 2, 4, 1, 3, 5).reshape(reach, reach, channels, block)
    has_pairs = reach == 2 and min(x.shape[1:3]) > 1
    is_exact = _is_cpu() and x.dtype == jnp.float32
    is_faster = has_pairs and min(channels, features) > _MAX_IMAGE_CHANNELS
    multiply = _karatsuba if is_faster and is_exact else _schoolbook
    blocks = multiply(x, taps)
    batch, height, width, _ = blocks.shape
    blocks = blocks.reshape(batch, height, width, stride, stride, features)
    output = blocks.transpose(0, 1, 3, 2, 4, 5)
    output = output.reshape(batch, height * stride, width * stride, features)
    return output[:, *window]


def _karatsuba(x: Images, taps: Array) -> Array:
    """Returns the blocks, by 3 products for each 2 pixels and 2 taps along a side.

    (a + b z)(c + d z) = ac + ((a + b)(c + d) - ac - bd) z + bd z^2
    """
    rows = []
    for pixels, weights in zip(_factors(x, 1), _factors(taps, 0), strict=True):
        factors = zip(_factors(pixels, 2), _factors(weights, 1), strict=True)
        rows.append(_coefficients([_multiply(p, w[0, 0]) for p, w in factors], axis=2))
    return _coefficients(rows, axis=1)


def _factors(x: Array, axis: int) -> list[Array]:
    """Returns a, a + b and b of the pairs (a, b) along an axis.

    With an odd length the last pair has no b: its sum is a, and b is one shorter.
    """
    odd = x.shape[axis] % 2
    x = _pad(x, axis, 0, odd)
    pairs = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
    a, b = (part.squeeze(axis + 1) for part in lax.split(pairs, (1, 1), axis + 1))
    return [a, a + b, lax.slice_in_dim(b, 0, b.shape[axis] - odd, axis=axis)]


def _coefficients(products: Sequence[Array], axis: int) -> Array:
    """Returns a product's coefficients from ac, (a + b)(c + d) and bd of each pair."""
    low, both, high = products
    high = _pad(high, axis, 0, low.shape[axis] - high.shape[axis])
    return _overlap([low, both - low - high, high], 2, axis)


def _schoolbook(x: Images, taps: Array) -> Array:
    """Returns the blocks, by one product of every pixel with every tap."""
    reach, _, channels, block = taps.shape
    weights = taps.transpose(2, 0, 1, 3).reshape(channels, -1)
    parts = lax.split(_multiply(x, weights), (block,) * reach**2, axis=3)
    rows = [parts[start : start + reach] for start in range(0, reach**2, reach)]
    return _overlap([_overlap(row, 1, axis=2) for row in rows], 1, axis=1)


def _multiply(pixels: Images, weights: Float[Array, "channels block"]) -> Array:
    """Returns one matrix product: XLA's gradients of a 4-d product are slower."""
    product = pixels.reshape(-1, pixels.shape[-1]) @ weights
    return product.reshape(*pixels.shape[:-1], weights.shape[-1])


def _overlap(parts: Sequence[Array], step: int, axis: int) -> Array:
    """Adds element i of part k to element `step` * i + k of the sum, along `axis`."""
    spill = (len(parts) - 1) // step
    sums = []
    for start in range(step):
        shifts = enumerate(parts[start::step])
        first, *others = (_pad(part, axis, i, spill - i) for i, part in shifts)
        sums.append(sum(others, start=first))
    joined = jnp.stack(sums, axis + 1)
    blocks = joined.reshape(*joined.shape[:axis], -1, *joined.shape[axis + 2 :])
    length = step * (parts[0].shape[axis] - 1) + len(parts)
    return lax.slice_in_dim(blocks, 0, length, axis=axis)


def _pad(x: Array, axis: int, before: int, after: int) -> Array:
    widths = [(0, 0)] * x.ndim
    widths[axis] = (before, after)
    return jnp.pad(x, widths)
