"""Convolutions against XLA's own, first weights, batch norm by hand."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import stats

from infogan_jax import layers, networks

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
SHAPES = [(2, 8, 8, 3), (3, 5, 8, 2), (1, 7, 2, 1)]
QUICK = {"xla_backend_optimization_level": 0}


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
    return value, pull(draw(*value.shape, seed=2))


def assert_same(ours, xla, x, kernel, stride):
    @partial(jax.jit, compiler_options=QUICK)
    def both(x, kernel):
        return tuple(value_and_gradients(f, x, kernel, stride) for f in (ours, xla))

    chex.assert_trees_all_close(*both(x, kernel), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize(
    ("ours", "xla"),
    [(layers.conv_matmul, xla_conv), (layers.upconv_matmul, xla_upconv)],
)
def test_the_matrix_product_is_xlas_convolution_in_value_and_in_both_gradients(
    ours, xla, stride, shape
):
    assert_same(ours, xla, draw(*shape), draw(4, 4, shape[-1], 5, seed=1), stride)


@pytest.mark.parametrize("stride", [2, 3], ids=["divides 4", "does not divide 4"])
@pytest.mark.parametrize(
    ("ours", "xla"),
    [
        (layers.conv, xla_conv),
        (layers.upconv, xla_upconv),
        (layers.conv_native, xla_conv),
        (layers.upconv_native, xla_upconv),
    ],
)
def test_whatever_the_platform_chooses_is_xlas_convolution(ours, xla, stride):
    assert_same(ours, xla, draw(2, 7, 9, 3), draw(4, 4, 3, 5, seed=1), stride)


@pytest.mark.parametrize("stride", [1, 2])
def test_upconv_is_the_adjoint_of_conv_with_the_flipped_kernel(stride):
    kernel = draw(4, 4, 3, 5, seed=1)
    fine, coarse = draw(2, 8, 6, 3), draw(2, 8 // stride, 6 // stride, 5, seed=2)
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    conv, upconv = (jax.jit(f, static_argnums=2) for f in (layers.conv, layers.upconv))
    down = np.vdot(conv(fine, kernel, stride), coarse)
    up = np.vdot(fine, upconv(coarse, flipped, stride))
    np.testing.assert_allclose(down, up, rtol=1e-4)


@pytest.mark.parametrize(
    ("function", "stride", "is_convolution"),
    [
        (layers.conv, 2, False),
        (layers.upconv, 2, False),
        (layers.conv, 1, False),
        (layers.upconv, 1, False),
        (xla_conv, 2, True),
        (xla_upconv, 2, True),
    ],
)
def test_on_a_cpu_neither_the_layer_nor_its_gradient_is_a_convolution(
    function, stride, is_convolution
):
    def program(x, kernel):
        return value_and_gradients(function, x, kernel, stride)

    x, kernel = draw(2, 8, 8, 3), draw(4, 4, 3, 5, seed=1)
    compiled = jax.jit(program).lower(x, kernel).compile().as_text()
    assert ("convolution(" in compiled) == is_convolution
    assert ("dot(" in compiled or "matmul" in compiled) or is_convolution


def first_params(module, shape):
    init = jax.jit(module.init, compiler_options=QUICK)
    return init(jax.random.key(0), jnp.zeros(shape))["params"]


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("fc", (1, 64)), ("conv", (1, 4, 4, 8)), ("upconv", (1, 4, 4, 8))],
)
def test_weights_start_as_a_normal_of_sd_0_02_and_biases_at_zero(kind, shape):
    params = first_params(layers.Linear(kind, 128), shape)
    weights = np.ravel(params["kernel"])
    assert len(weights) >= 64 * 128
    assert stats.kstest(weights, stats.norm(0.0, 0.02).cdf).pvalue > 0.01
    np.testing.assert_array_equal(params["bias"], np.zeros(128))


def test_batch_norm_starts_at_a_scale_near_one_and_a_shift_of_zero():
    norm = layers.batch_norm(None, True, "norm")
    params = first_params(norm, (2, 8192))
    assert stats.kstest(params["scale"], stats.norm(1.0, 0.02).cdf).pvalue > 0.01
    np.testing.assert_array_equal(params["bias"], np.zeros(8192))


@pytest.fixture(scope="module")
def normed():
    """Batch norm of 64 vectors whose variance is about epsilon."""
    x = 0.003 * draw(64, 3) + np.float32([[0.0, 0.001, -0.002]])
    norm = layers.batch_norm(None, True, "norm")
    variables = norm.init(jax.random.key(0), x)
    y, updated = norm.apply(variables, x, mutable=["batch_stats"])
    x = np.float64(x)
    return x, x.mean(0), x.var(0), y, variables, updated["batch_stats"]


def test_batch_norm_divides_by_the_root_of_variance_plus_1e_5(normed):
    x, mean, variance, y, variables, _ = normed
    scale = np.float64(variables["params"]["scale"])
    expected = scale * (x - mean) / np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def test_a_step_keeps_nine_tenths_of_the_running_average(normed):
    _, mean, variance, _, _, updated = normed
    np.testing.assert_allclose(updated["mean"], 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(updated["var"], 0.9 + 0.1 * variance, rtol=1e-6)


def test_outside_training_batch_norm_uses_the_running_averages_alone(normed):
    x, _, _, _, variables, _ = normed
    averages = {"mean": jnp.array([1.0, 2.0, 3.0]), "var": jnp.array([4.0, 1.0, 0.25])}
    variables = {**variables, "batch_stats": averages}
    norm = layers.batch_norm(None, False, "norm")
    y = norm.apply(variables, jnp.float32(x[:1]))
    scale = np.float64(variables["params"]["scale"])
    expected = (x[:1] - [1.0, 2.0, 3.0]) / np.sqrt(np.array([4.0, 1.0, 0.25]) + 1e-5)
    np.testing.assert_allclose(y, scale * expected, rtol=1e-5)


def test_a_layer_is_a_linear_map_then_batch_norm_then_the_nonlinearity():
    listed = (layers.Layer("fc", (4,), norm=True, activation="lrelu"),)
    stack = networks.Stack(listed, slope=0.25)
    x = jax.random.normal(jax.random.key(0), (6, 3))
    init = jax.jit(partial(stack.init, train=False), compiler_options=QUICK)
    params = init(jax.random.key(1), x)["params"]
    assert set(params["fc_0"]) == {"kernel"}, "the shift of batch norm is the bias"
    averages = {"norm_0": {"mean": jnp.full(4, 0.01), "var": jnp.full(4, 4e-4)}}
    y = stack.apply({"params": params, "batch_stats": averages}, x, False)
    linear = np.asarray(x) @ np.asarray(params["fc_0"]["kernel"])
    normed = params["norm_0"]["scale"][None] * (linear - 0.01) / np.sqrt(4.1e-4)
    np.testing.assert_allclose(y, np.where(normed > 0, normed, 0.25 * normed), 1e-4)
    assert (normed < 0).any()


@pytest.mark.parametrize("kind", ["fc", "conv", "upconv"])
def test_in_bfloat16_the_product_alone_is_rounded_and_weights_stay_float32(kind):
    shape = (4, 6) if kind == "fc" else (4, 6, 6, 3)
    x = jnp.asarray(np.random.default_rng(0).standard_normal(shape), jnp.float32)
    half = layers.Linear(kind, 5, dtype=jnp.bfloat16)
    params = half.init(jax.random.key(0), x)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    product = half.apply(params, x)
    assert product.dtype == jnp.bfloat16
    exact = layers.Linear(kind, 5).apply(params, x)
    np.testing.assert_allclose(np.float32(product), exact, atol=0.02 * abs(exact).max())
    assert not np.array_equal(np.float32(product), exact)
