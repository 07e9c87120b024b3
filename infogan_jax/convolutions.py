"""Convolution and transposed convolution, and how a CPU is to compute them.

SAME padding throughout. XLA's CPU backend is slow at convolutions, and slower still
inside `lax.scan`: there both, and their gradients, are written as matrix products,
one for all outputs that read their inputs through the same taps, so that taps on
padding are multiplied at the pictures alone. Elsewhere the backend's own are used.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.links import Links, Run, conv_links, upconv_links, upconv_margins

_DIMENSIONS = ("NHWC", "HWIO", "NHWC")
# Measured on the networks of configs/: their layers have 1 or 3 channels at the
# pictures, and at most twice as many channels as features elsewhere.
_PAINTED_FROM = 4
_PICTURE_CHANNELS = 4

Images = Float[Array, "batch height width channels"]
Kernel = Float[Array, "size size channels features"]
Features = Float[Array, "batch rows columns features"]


def conv(x: Images, kernel: Kernel, stride: int) -> Features:
    """Convolution with SAME padding, in the lowering that suits the platform."""
    chosen = conv_matmul if _is_for_products(kernel, stride) else conv_native
    return chosen(x, kernel, stride)


def upconv(x: Images, kernel: Kernel, stride: int) -> Features:
    """Transposed convolution, in the lowering that suits the platform."""
    chosen = upconv_matmul if _is_for_products(kernel, stride) else upconv_native
    return chosen(x, kernel, stride)


def _is_for_products(kernel: Kernel, stride: int) -> bool:
    """Known before tracing, so that no lowering is traced that is not used."""
    return jax.default_backend() == "cpu" and kernel.shape[0] >= stride


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
        [upconv_margins(stride, kernel.shape[0])] * 2,
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
    """`conv_native` as matrix products, for kernels no narrower than the stride."""
    height, width = (conv_links(n, stride, kernel.shape[0]) for n in x.shape[1:3])
    return _convolve(x, kernel, height, width)


def upconv_matmul(x: Images, kernel: Kernel, stride: int) -> Features:
    """`upconv_native` as matrix products, for kernels no narrower than the stride."""
    height, width = (upconv_links(n, stride, kernel.shape[0]) for n in x.shape[1:3])
    return _convolve(x, kernel, height, width)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve(x: Images, kernel: Kernel, rows: Links, columns: Links) -> Features:
    """Every output is the sum, over its links, of inputs times taps.

    The inputs that an output reads are laid side by side and multiplied once. Where
    there are many more channels than features it is cheaper to multiply every input
    with every tap first and to add up afterwards.
    """
    size, _, channels, features = kernel.shape
    x, padded = _pad(x, features, rows, columns)
    painted = None
    if channels > _PAINTED_FROM * features:
        taps = kernel.transpose(2, 0, 1, 3).reshape(channels, -1)
        painted = (x @ taps).reshape(*x.shape[:3], size, size, features)

    def block(row: Run, column: Run) -> Array:
        if painted is None:
            taps = kernel[row.taps, column.taps].reshape(-1, features)
            return _side_by_side(x, row, column) @ taps
        parts = [
            painted[:, i, j, s, t] for i, s in row.tapped for j, t in column.tapped
        ]
        return sum(parts[1:], start=parts[0])

    down, across = rows.runs(padded), columns.runs(padded)

    def line(row: Run) -> Array:
        return _interleave([[block(row, run) for run in runs] for runs in across], 2)

    return _interleave([[line(run) for run in runs] for runs in down], 1)


def _pad(x: Images, features: int, rows: Links, columns: Links) -> tuple[Array, bool]:
    """Adds the margins where taps on padding cost less than runs: at the pictures."""
    if min(x.shape[-1], features) > _PICTURE_CHANNELS:
        return x, False
    return jnp.pad(x, ((0, 0), rows.margins, columns.margins, (0, 0))), True


def _side_by_side(x: Images, row: Run, column: Run) -> Array:
    """What the outputs of two runs read, tap after tap along the last axis."""
    return jnp.concatenate([x[:, i, j] for i in row.inputs for j in column.inputs], -1)


def _interleave(phases: Sequence[Sequence[Array]], axis: int) -> Array:
    """Joins the runs of each phase, and lets the phases take turns along `axis`."""
    lines = [jnp.concatenate(runs, axis) for runs in phases]
    if len(lines) == 1:
        return lines[0]
    length, longest = sum(y.shape[axis] for y in lines), lines[0].shape[axis]
    for index, y in enumerate(lines):
        padding = [(0, 0)] * y.ndim
        padding[axis] = (0, longest - y.shape[axis])
        lines[index] = jnp.pad(y, padding)
    shape = list(lines[0].shape)
    shape[axis] = longest * len(lines)
    joined = jnp.stack(lines, axis + 1).reshape(shape)
    return lax.slice_in_dim(joined, 0, length, axis=axis)


def _forward(
    x: Images, kernel: Kernel, rows: Links, columns: Links
) -> tuple[Features, tuple[Images, Kernel]]:
    return _convolve(x, kernel, rows, columns), (x, kernel)


def _backward(
    rows: Links,
    columns: Links,
    saved: tuple[Images, Kernel],
    cotangent: Features,
) -> tuple[Images, Kernel]:
    x, kernel = saved
    back = (rows.transposed, columns.transposed)
    turned = (0, 1, 3, 2)
    if rows.period == 1:
        gradient = _kernel_gradient(x, cotangent, rows, columns)
    else:
        gradient = _kernel_gradient(cotangent, x, *back).transpose(turned)
    return _convolve(cotangent, kernel.transpose(turned), *back), gradient


def _kernel_gradient(
    x: Images, cotangent: Features, rows: Links, columns: Links
) -> Kernel:
    """For each tap, the sum of what it read times the cotangent of what it made.

    The links are a convolution's, with one phase; a transposed one's are transposed.
    """
    size, channels, features = rows.size, x.shape[-1], cotangent.shape[-1]
    x, padded = _pad(x, features, rows, columns)
    total = jnp.zeros((size, size, channels, features), x.dtype)
    for row, column in product(rows.runs(padded)[0], columns.runs(padded)[0]):
        made = cotangent[:, row.outputs, column.outputs].reshape(-1, features)
        read = _side_by_side(x, row, column).reshape(made.shape[0], -1)
        taps = (len(row.inputs), len(column.inputs))
        part = (read.T @ made).reshape(*taps, channels, features)
        margins = [(run.taps.start, size - run.taps.stop) for run in (row, column)]
        total = total + jnp.pad(part, (*margins, (0, 0), (0, 0)))
    return total


_convolve.defvjp(_forward, _backward)
