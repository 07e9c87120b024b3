"""bfloat16: what it rounds, what stays float32, and the effect on a step."""

import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax.analysis import classifier
from infogan_jax.game import state, train_step
from infogan_jax.game.real_information import bounds, transformations
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.model import networks, notation
from infogan_jax.model.layers import Layer, Stack

X = jnp.ones((2, 5))
BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def first():
    create = jax.jit(partial(state.create_state, build_tiny()))
    return jax.device_get(create(jnp.uint32(5)))


def stepped(first, precision):
    step = partial(train_step.train_step, build_tiny(precision=precision))
    return jax.device_get(jax.jit(step)(first, BATCH))


def product_types(first, precision):
    """Returns the result types of all products in a whole step."""
    step = partial(train_step.train_step, build_tiny(precision=precision))
    text = str(jax.make_jaxpr(step)(first, BATCH))
    return re.findall(r"\w+:(\w+)\[[\d,]*\] = (?:dot_|conv_)general", text)


def test_products_are_in_the_chosen_type_but_for_the_three_heads_of_the_networks(first):
    assert set(product_types(first, "float32")) == {"f32"}
    rounded = product_types(first, "bfloat16")
    assert set(rounded) == {"bf16", "f32"}
    assert rounded.count("bf16") > rounded.count("f32")


def test_parameters_statistics_and_losses_stay_float32(first):
    after, metrics = stepped(first, "bfloat16")
    chex.assert_trees_all_equal_dtypes(after, first)
    chex.assert_tree_all_finite((after, metrics))
    assert {np.asarray(value).dtype for value in metrics.values()} == {
        np.dtype("float32")
    }


def test_a_step_in_bfloat16_has_nearly_the_losses_of_one_in_float32(first):
    rounded, exact = stepped(first, "bfloat16")[1], stepped(first, "float32")[1]
    assert rounded != exact
    chex.assert_trees_all_close(rounded, exact, rtol=0.02, atol=0.02)


def test_images_and_outputs_are_float32_at_full_resolution(first):
    nets = build_tiny(precision="bfloat16").nets
    inputs = jax.random.normal(jax.random.key(0), (4, nets.input_size))
    parts = jax.tree.map(jnp.asarray, (first.params, first.stats))
    images, _ = networks.generate(nets, *parts, inputs, train=False)
    logits, outputs, *_ = networks.discriminate(nets, *parts, images, train=False)
    assert {images.dtype, logits.dtype, outputs.dtype} == {jnp.dtype("float32")}
    for values in (jax.scipy.special.logit(images), logits, outputs):
        rounded = values.astype(jnp.bfloat16).astype(jnp.float32)
        assert not np.allclose(values, rounded, rtol=1e-5, atol=0)


def test_the_logits_are_the_exact_product_of_the_features_and_the_head(first):
    nets = build_tiny(precision="bfloat16").nets
    params, stats = jax.tree.map(jnp.asarray, (first.params, first.stats))
    images = jnp.asarray(BATCH, jnp.float32) / 255
    name = "discriminator"
    variables = {"params": params[name], "batch_stats": stats[name]}
    logits, features = nets.discriminator.apply(variables, images, False)
    head = params[name]["head"]["fc_0"]
    expected = features.reshape(len(images), -1) @ head["kernel"][:, 0]
    np.testing.assert_allclose(logits, expected + head["bias"][0], rtol=1e-5, atol=1e-7)


def products(function, *args):
    """How many products a program for a TPU has, and how many are asked in float32."""
    program = jax.jit(function).trace(*args).lower(lowering_platforms=("tpu",))
    lines = [
        line
        for line in program.as_text().splitlines()
        if re.search(r"stablehlo\.(dot_general|convolution)", line)
    ]
    return len(lines), sum("HIGHEST" in line for line in lines)


def test_on_a_tpu_what_must_be_exact_asks_for_float32_products():
    images, drawn = jnp.zeros((4, 8, 8, 1)), jnp.zeros((4, 7))
    moves = Transformation(rotation=15.0, stroke=1.0)
    assert products(partial(transformations.transform, moves), images, drawn) == (2, 2)
    spec, outputs = build_tiny().spec, jnp.zeros((4, 14))
    counted = products(partial(bounds.change_bounds, spec), outputs, outputs, drawn)
    assert counted[0] == counted[1] > 0
    layers = notation.parse_layers("conv 4 s2 bn relu, fc 8 relu", "layers")
    stacks = (Stack(layers), Stack((Layer("fc", (3,)),)))
    pixels = jnp.zeros((6, 8, 8, 1), jnp.uint8)
    fit = partial(classifier._fit, stacks, jnp.uint32(0))
    counted = products(fit, pixels, jnp.zeros(6, jnp.int32), jnp.zeros((2, 4), int))
    assert counted[0] == counted[1] > 0


def test_on_a_tpu_the_power_iteration_of_spectral_norm_is_in_float32():
    def counted(spectral_norm):
        stack = Stack((Layer("fc", (3,)),), spectral_norm=spectral_norm)
        return products(lambda x: stack.init_with_output(jax.random.key(0), x, True), X)

    assert counted(False) == (1, 0)
    assert counted(True) == (5, 4)
