"""Convolution and transposed convolution, and how a CPU is to compute them.

SAME padding throughout. XLA's CPU backend is slow at convolutions, and slower still
inside `lax.scan`. There an upconv is written as what it is along each side, a product
of polynomials, by matrix products of their coefficients. Where two taps meet a pixel,
Karatsuba's rule does with three what takes four, so with 9 instead of 16 on two sides.
A conv is the transpose of an upconv, and autodiff finds the same products in the
gradients of both.

Elsewhere the backend's own are used, unless `as_matmul` asks for matrix products: where
a step is mapped over several networks, each has kernels of its own, and a convolution
becomes one in groups, at which a GPU's library is slow.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")
# The pictures of configs/ have 1 or 3 channels: too few to pay for adding up.
_PICTURE_CHANNELS = 4

Images = Float[Array, "batch height width channels"]
Kernel = Float[Array, "size size channels features"]
Features = Float[Array, "batch rows columns features"]


def conv(x: Images, kernel: Kernel, stride: int, as_matmul: bool = False) -> Features:
    """Convolution with SAME padding, in the lowering that suits the platform.

    `as_matmul` asks for matrix products on every platform.
    """
    if _uses_matmul(kernel, stride, as_matmul):
        return conv_matmul(x, kernel, stride)
    return conv_native(x, kernel, stride)


def upconv(x: Images, kernel: Kernel, stride: int, as_matmul: bool = False) -> Features:
    """Transposed convolution, in the lowering that suits the platform.

    `as_matmul` asks for matrix products on every platform.
    """
    if _uses_matmul(kernel, stride, as_matmul):
        return upconv_matmul(x, kernel, stride)
    return upconv_native(x, kernel, stride)


def _uses_matmul(kernel: Kernel, stride: int, asked: bool) -> bool:
    """Known before tracing, so that no lowering is traced that is not used."""
    return (asked or _is_cpu()) and kernel.shape[0] % stride == 0


def _is_cpu() -> bool:
    return jax.default_backend() == "cpu"


def conv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """The backend's own strided convolution with SAME padding."""
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=_DIMENSIONS
    )


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def upconv_native(x: Images, kernel: Kernel, stride: int) -> Features:
    """The backend's own transposed convolution, `stride` times larger.

    It and its gradients are written as those of the convolution that it transposes,
    the forms in which a GPU's library multiplies no zeros between the pixels. XLA
    knows the first of them by the reversed kernel, hence reversed twice.
    """
    return lax.conv_general_dilated(
        x,
        lax.rev(_turned(kernel), (0, 1)),
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
    turned = _turned(kernel)
    down, pull = jax.vjp(partial(conv_native, stride=stride), cotangent, turned)
    return down, _turned(pull(x)[1])


def _turned(kernel: Kernel) -> Float[Array, "size size features channels"]:
    """The kernel of the convolution that an upconv transposes, and back again."""
    return kernel[::-1, ::-1].swapaxes(2, 3)


upconv_native.defvjp(_upconv_forward, _upconv_backward)


def conv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """`conv_native` as matrix products, for strides that divide the kernel's size."""
    coarse = jax.eval_shape(partial(conv_native, stride=stride), x, kernel)
    window = []
    for n, fine in zip(coarse.shape[1:3], x.shape[1:3], strict=True):
        margin = max((n - 1) * stride + kernel.shape[0] - fine, 0) // 2
        window.append(slice(margin, margin + fine))
    spread = partial(_spread, taps=kernel.swapaxes(2, 3), stride=stride, window=window)
    (y,) = jax.linear_transpose(spread, coarse)(x)
    return y


def upconv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """`upconv_native` as matrix products, for strides that divide the kernel's size."""
    before, _ = _upconv_margins(stride, kernel.shape[0])
    margin = kernel.shape[0] - 1 - before
    window = [slice(margin, margin + n * stride) for n in x.shape[1:3]]
    return _spread(x, kernel[::-1, ::-1], stride, window)


def _upconv_margins(stride: int, size: int) -> tuple[int, int]:
    """Padding before and after inputs that are `stride` apart, with SAME padding."""
    before = size - 1 if stride > size - 1 else (size + stride - 1) // 2
    return before, size + stride - 2 - before


def _spread(x: Images, taps: Kernel, stride: int, window: Sequence[slice]) -> Features:
    """Adds up, at each fine pixel, every coarse one that reaches it times the tap.

    The fine pixels are made as blocks of `stride` x `stride`, side by side in the
    channels, of which every coarse pixel reaches `reach` x `reach`; the rows and
    columns of `window` are kept. In bfloat16, or in a GPU's products, the sums of
    Karatsuba's rule would be rounded.
    """
    size, _, channels, features = taps.shape
    reach, block = size // stride, stride**2 * features
    taps = taps.reshape(reach, stride, reach, stride, channels, features)
    taps = taps.transpose(0, 2, 4, 1, 3, 5).reshape(reach, reach, channels, block)
    has_pairs = reach == 2 and min(x.shape[1:3]) > 1
    is_exact = _is_cpu() and x.dtype == jnp.float32
    pays = has_pairs and min(channels, features) > _PICTURE_CHANNELS
    multiply = _karatsuba if pays and is_exact else _schoolbook
    blocks = multiply(x, taps)
    batch, height, width, _ = blocks.shape
    blocks = blocks.reshape(batch, height, width, stride, stride, features)
    fine = blocks.transpose(0, 1, 3, 2, 4, 5)
    fine = fine.reshape(batch, height * stride, width * stride, features)
    return fine[:, *window]


def _karatsuba(x: Images, taps: Array) -> Array:
    """The blocks made by pairs of pixels times pairs of taps, 3 products a side.

    (a + b z)(c + d z) = ac + ((a + b)(c + d) - ac - bd) z + bd z^2
    """
    rows = []
    for pixels, weights in zip(_factors(x, 1), _factors(taps, 0), strict=True):
        factors = zip(_factors(pixels, 2), _factors(weights, 1), strict=True)
        rows.append(_coefficients([_multiply(p, w[0, 0]) for p, w in factors], axis=2))
    return _coefficients(rows, axis=1)


def _factors(x: Array, axis: int) -> list[Array]:
    """a, a + b and b of the pairs along an axis; an odd one out has no b."""
    odd = x.shape[axis] % 2
    x = _pad(x, axis, 0, odd)
    pairs = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
    a, b = (part.squeeze(axis + 1) for part in lax.split(pairs, (1, 1), axis + 1))
    return [a, a + b, lax.slice_in_dim(b, 0, b.shape[axis] - odd, axis=axis)]


def _coefficients(products: Sequence[Array], axis: int) -> Array:
    """Of the polynomials whose products are ac, (a + b)(c + d) and bd."""
    low, both, high = products
    high = _pad(high, axis, 0, low.shape[axis] - high.shape[axis])
    return _overlap([low, both - low - high, high], 2, axis)


def _schoolbook(x: Images, taps: Array) -> Array:
    """The blocks made by every pixel times every tap, in one product."""
    reach, _, channels, block = taps.shape
    weights = taps.transpose(2, 0, 1, 3).reshape(channels, -1)
    made = lax.split(_multiply(x, weights), (block,) * reach**2, axis=3)
    lines = [made[start : start + reach] for start in range(0, reach**2, reach)]
    return _overlap([_overlap(line, 1, axis=2) for line in lines], 1, axis=1)


def _multiply(pixels: Images, weights: Float[Array, "channels block"]) -> Array:
    """In two dimensions: XLA is slower at the gradients of a product in four."""
    product = pixels.reshape(-1, pixels.shape[-1]) @ weights
    return product.reshape(*pixels.shape[:-1], weights.shape[-1])


def _overlap(parts: Sequence[Array], step: int, axis: int) -> Array:
    """Lays the parts one block apart, those of the next pixels `step` blocks on.

    Where two meet they are added.
    """
    spill = (len(parts) - 1) // step
    lines = []
    for start in range(step):
        meeting = enumerate(parts[start::step])
        first, *others = (_pad(part, axis, i, spill - i) for i, part in meeting)
        lines.append(sum(others, start=first))
    joined = jnp.stack(lines, axis + 1)
    blocks = joined.reshape(*joined.shape[:axis], -1, *joined.shape[axis + 2 :])
    length = step * (parts[0].shape[axis] - 1) + len(parts)
    return lax.slice_in_dim(blocks, 0, length, axis=axis)


def _pad(x: Array, axis: int, before: int, after: int) -> Array:
    widths = [(0, 0)] * x.ndim
    widths[axis] = (before, after)
    return jnp.pad(x, widths)
