"""Convolutions against XLA's own, in value and in both gradients."""

import math
import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import ClosedJaxpr
from jax.sharding import PartitionSpec as P

from infogan_jax.machine import parallel
from infogan_jax.model import convolutions

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
SHAPES = [
    *[(2, 8, 8, 3), (3, 5, 8, 2), (1, 7, 2, 1)],  # channels of an image
    *[(3, 5, 8, 6), (2, 1, 3, 9), (2, 4, 6, 24)],  # channels for Karatsuba's rule
]


def xla_conv(x, kernel, stride):
    strides = (stride, stride)
    return lax.conv_general_dilated(
        x, kernel, strides, "SAME", dimension_numbers=DIMENSIONS
    )


def xla_upconv(x, kernel, stride):
    strides = (stride, stride)
    return lax.conv_transpose(x, kernel, strides, "SAME", dimension_numbers=DIMENSIONS)


def draw(*shape, seed=0):
    return np.float32(np.random.default_rng(seed).normal(size=shape))


def value_and_gradients(function, x, kernel, stride):
    """The value, and the gradients of a random projection of it."""
    value, pull = jax.vjp(lambda x, kernel: function(x, kernel, stride), x, kernel)
    return value, pull(jnp.asarray(draw(*value.shape, seed=2), value.dtype))


def assert_same(ours, xla, x, kernel, stride):
    @jax.jit
    def both(x, kernel):
        return tuple(value_and_gradients(f, x, kernel, stride) for f in (ours, xla))

    chex.assert_trees_all_close(*both(x, kernel), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize(
    ("ours", "xla"),
    [
        (convolutions.conv_matmul, xla_conv),
        (convolutions.upconv_matmul, xla_upconv),
    ],
)
def test_matmul_matches_xlas_convolution_in_value_and_both_gradients(
    ours, xla, stride, shape
):
    assert_same(ours, xla, draw(*shape), draw(4, 4, shape[-1], 5, seed=1), stride)


def multiplications(jaxpr):
    """Counts those in the matrix products of a program and of its inner programs."""
    count = 0
    for equation in jaxpr.eqns:
        for inner in equation.params.values():
            if isinstance(inner, ClosedJaxpr):
                count += multiplications(inner.jaxpr)
        if equation.primitive is lax.dot_general_p:
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            summed = math.prod(left[axis] for axis in contracted)
            count += summed * equation.outvars[0].aval.size
    return count


@pytest.mark.parametrize(
    ("channels", "dtype", "share"),
    [(6, "float32", 9 / 16), (3, "float32", 1), (6, "bfloat16", 1)],
)
@pytest.mark.parametrize("function", [convolutions.conv, convolutions.upconv])
def test_karatsubas_rule_saves_products_except_for_images_and_bfloat16(
    function, channels, dtype, share
):
    x, kernel = (
        jnp.ones((2, 8, 4, channels), dtype),
        jnp.ones((4, 4, channels, 5), dtype),
    )
    coarse = 8 * 4 if function is convolutions.upconv else 4 * 2
    every_tap = 2 * coarse * 4**2 * channels * 5
    value = jax.make_jaxpr(partial(function, stride=2))(x, kernel)
    assert multiplications(value.jaxpr) == every_tap * share
    gradients = jax.make_jaxpr(partial(value_and_gradients, function), static_argnums=2)
    assert multiplications(gradients(x, kernel, 2).jaxpr) == 3 * every_tap * share


@pytest.mark.parametrize("shape", [(2, 8, 4, 6), (2, 7, 7, 6)], ids=["even", "odd"])
@pytest.mark.parametrize(
    ("ours", "xla"), [(convolutions.conv, xla_conv), (convolutions.upconv, xla_upconv)]
)
def test_products_of_whole_numbers_are_exact(ours, xla, shape):
    x, kernel = np.round(4 * draw(*shape)), np.round(4 * draw(4, 4, 6, 5, seed=1))
    x[0, 0, 0, 0] = 2.0**14
    chex.assert_trees_all_equal(
        *(jax.jit(f, static_argnums=2)(x, kernel, 2) for f in (ours, xla))
    )


@pytest.mark.parametrize("stride", [2, 3, 5], ids=["divides", "does not", "too wide"])
@pytest.mark.parametrize(
    ("ours", "xla"),
    [
        (convolutions.conv, xla_conv),
        (convolutions.upconv, xla_upconv),
        (convolutions.conv_native, xla_conv),
        (convolutions.upconv_native, xla_upconv),
        (partial(convolutions.upconv, lowering="plain"), xla_upconv),
    ],
)
def test_every_lowering_matches_xlas_convolution(ours, xla, stride):
    assert_same(ours, xla, draw(2, 7, 9, 3), draw(4, 4, 3, 5, seed=1), stride)


@pytest.mark.parametrize("stride", [1, 2])
def test_upconv_is_the_adjoint_of_conv_with_the_flipped_kernel(stride):
    kernel = draw(4, 4, 3, 5, seed=1)
    fine, coarse = draw(2, 8, 6, 3), draw(2, 8 // stride, 6 // stride, 5, seed=2)
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    conv, upconv = (
        jax.jit(f, static_argnums=2) for f in (convolutions.conv, convolutions.upconv)
    )
    down = np.vdot(conv(fine, kernel, stride), coarse)
    up = np.vdot(fine, upconv(coarse, flipped, stride))
    np.testing.assert_allclose(down, up, rtol=1e-4)


@pytest.mark.parametrize(
    ("function", "stride", "is_convolution"),
    [
        (convolutions.conv, 2, False),
        (convolutions.upconv, 2, False),
        (convolutions.conv, 1, False),
        (convolutions.upconv, 1, False),
        (xla_conv, 2, True),
        (xla_upconv, 2, True),
    ],
)
def test_a_cpu_computes_a_layer_and_its_gradients_without_a_convolution(
    function, stride, is_convolution
):
    def program(x, kernel):
        return value_and_gradients(function, x, kernel, stride)

    x, kernel = draw(2, 8, 8, 3), draw(4, 4, 3, 5, seed=1)
    compiled = jax.jit(program).lower(x, kernel).compile().as_text()
    assert ("convolution(" in compiled) == is_convolution
    assert ("dot(" in compiled or "matmul" in compiled) or is_convolution


@pytest.mark.parametrize("shape", [(3, 5, 8, 6), (2, 4, 6, 24)], ids=str)
def test_a_gpu_multiplies_every_pixel_with_every_tap(shape, as_on_a_gpu):
    """A GPU would round the sums of Karatsuba's rule, by default to 11 bits."""
    x, kernel = draw(*shape), draw(4, 4, shape[-1], 5, seed=1)

    def counted():
        upconv = partial(convolutions.upconv, stride=2, lowering="matmul")
        return multiplications(jax.make_jaxpr(upconv)(x, kernel).jaxpr)

    fewer = counted()
    as_on_a_gpu()
    assert counted() == math.prod(shape) * 16 * 5 > fewer
    assert_same(
        partial(convolutions.upconv, lowering="matmul"), xla_upconv, x, kernel, 2
    )
    assert_same(partial(convolutions.conv, lowering="matmul"), xla_conv, x, kernel, 2)


def test_a_gpu_computes_an_upconv_and_its_gradients_in_its_librarys_three_forms():
    def program(x, kernel):
        return value_and_gradients(convolutions.upconv_native, x, kernel, 2)

    x, kernel = draw(2, 7, 7, 3), draw(4, 4, 3, 5, seed=1)
    text = jax.jit(program).lower(x, kernel).as_text(dialect="hlo")
    found = re.findall(r" convolution\(.*window=\{size=\w+ ([^}]*)\}", text)
    strided, of_input, of_kernel = "stride=2x2", "lhs_dilate=2x2", "rhs_dilate=2x2"
    assert len(found) == 3
    for form in (strided, of_input, of_kernel):
        (window,) = [w for w in found if form in w]
        assert "reversal" not in window
    # XLA recognises an input gradient by its reversed kernel.
    reversed_ = re.findall(r"(\S+) = \S+ reverse\(", text)
    operands = re.search(r" convolution\((.*)\), window=\{[^}]*lhs_dilate", text)
    assert operands and operands[1].split(", ")[1] in reversed_


def test_an_upconv_and_its_gradients_stay_per_device_under_a_mapped_axis():
    mesh = parallel.make_mesh()
    axis, each = parallel.AXIS, P(parallel.AXIS)

    def mapped(function):
        def local(x, kernel):
            own = lax.pcast(kernel, axis, to="varying")
            value, pull = jax.vjp(lambda x, k: function(x, k, 2), x, own)
            of_x, of_kernel = pull(value)
            return value, of_x, of_kernel[None]

        split = jax.shard_map(local, mesh=mesh, in_specs=(each, P()), out_specs=each)
        return jax.jit(split)

    x, kernel = draw(4, 3, 3, 3), draw(4, 4, 3, 5, seed=1)
    ours = mapped(convolutions.upconv_native)(x, kernel)
    chex.assert_trees_all_close(
        ours, mapped(xla_upconv)(x, kernel), rtol=1e-4, atol=1e-4
    )
