"""bfloat16: what is rounded, what is not, and how little it changes a step."""

import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax.game import state, train_step
from infogan_jax.model import networks

BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def first():
    create = jax.jit(partial(state.create_state, build_tiny()))
    return jax.device_get(create(jnp.uint32(5)))


def stepped(first, precision):
    step = partial(train_step.train_step, build_tiny(precision=precision))
    return jax.device_get(jax.jit(step)(first, BATCH))


def products(first, precision):
    """The types of the results of every product in a whole step."""
    step = partial(train_step.train_step, build_tiny(precision=precision))
    text = str(jax.make_jaxpr(step)(first, BATCH))
    return set(re.findall(r"\w+:(\w+)\[[\d,]*\] = (?:dot_|conv_)general", text))


def test_every_product_of_a_step_forward_and_backward_is_in_the_chosen_type(first):
    assert products(first, "float32") == {"f32"}
    assert products(first, "bfloat16") == {"bf16"}


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
    logits, outputs, _ = networks.discriminate(nets, *parts, images, train=False)
    assert {images.dtype, logits.dtype, outputs.dtype} == {jnp.dtype("float32")}
    assert not np.array_equal(images, images.astype(jnp.bfloat16).astype(jnp.float32))
