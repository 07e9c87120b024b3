"""Batch norm by hand, the order within a layer, bfloat16."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.model import layers, networks


def draw(*shape, seed=0):
    return np.float32(np.random.default_rng(seed).normal(size=shape))


AFFINE = {"scale": jnp.array([0.5, 1.0, 2.0]), "bias": jnp.array([0.1, 0.0, -3.0])}


@pytest.fixture(scope="module")
def normed():
    """Batch norm of 64 vectors whose variance is about epsilon."""
    x = 0.003 * draw(64, 3) + np.float32([[0.0, 0.001, -0.002]])
    norm = layers.batch_norm(None, True, "norm")
    variables = {**norm.init(jax.random.key(0), x), "params": AFFINE}
    y, updated = norm.apply(variables, x, mutable=["batch_stats"])
    x = np.float64(x)
    return x, x.mean(0), x.var(0), y, variables, updated["batch_stats"]


def test_batch_norm_divides_by_the_root_of_variance_plus_1e_5(normed):
    x, mean, variance, y, variables, _ = normed
    scale = np.float64(variables["params"]["scale"])
    shift = np.float64(variables["params"]["bias"])
    expected = scale * (x - mean) / np.sqrt(variance + 1e-5) + shift
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
    shift = np.float64(variables["params"]["bias"])
    np.testing.assert_allclose(y, scale * expected + shift, rtol=1e-5)


def test_a_layer_is_a_linear_map_then_batch_norm_then_the_nonlinearity():
    listed = (layers.Layer("fc", (4,), norm=True, activation="lrelu"),)
    stack = networks.Stack(listed, slope=0.25)
    x = jax.random.normal(jax.random.key(0), (6, 3))
    init = jax.jit(partial(stack.init, train=False))
    params = init(jax.random.key(1), x)["params"]
    assert set(params["fc_0"]) == {"kernel"}, "the shift of batch norm is the bias"
    params = jax.tree.map(lambda leaf: leaf + draw(*leaf.shape, seed=1), params)
    averages = {"norm_0": {"mean": jnp.full(4, 0.01), "var": jnp.full(4, 4e-4)}}
    y = stack.apply({"params": params, "batch_stats": averages}, x, False)
    linear = np.asarray(x) @ np.asarray(params["fc_0"]["kernel"])
    scale, shift = (params["norm_0"][name][None] for name in ("scale", "bias"))
    normed = scale * (linear - 0.01) / np.sqrt(4.1e-4) + shift
    np.testing.assert_allclose(y, np.where(normed > 0, normed, 0.25 * normed), 1e-4)
    assert (normed < 0).any()


@pytest.mark.parametrize("kind", ["fc", "conv", "upconv"])
def test_in_bfloat16_the_product_alone_is_rounded_and_weights_stay_float32(kind):
    shape = (4, 6) if kind == "fc" else (4, 6, 6, 3)
    x = jnp.asarray(np.random.default_rng(0).standard_normal(shape), jnp.float32)
    half = layers.Linear(kind, 5, dtype=jnp.bfloat16)
    params = half.init(jax.random.key(0), x)
    params = jax.tree.map(lambda leaf: leaf + draw(*leaf.shape, seed=1), params)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    product = half.apply(params, x)
    assert product.dtype == jnp.bfloat16
    exact = layers.Linear(kind, 5).apply(params, x)
    np.testing.assert_allclose(np.float32(product), exact, atol=0.02 * abs(exact).max())
    assert not np.array_equal(np.float32(product), exact)
