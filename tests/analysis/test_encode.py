"""Q's posteriors of real images, with running averages of real batches."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tiny import build_tiny

from infogan_jax.analysis import encode
from infogan_jax.data import scaling
from infogan_jax.game import state, train_step
from infogan_jax.game.algorithm import Optimisers
from infogan_jax.model import latents, networks
from infogan_jax.model.convolutions import conv_native

PICTURES = np.random.default_rng(0).integers(0, 256, (520, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def trained():
    """Networks with running averages that are far from those of any batch."""
    algorithm = build_tiny()
    create = partial(state.create_state, algorithm)
    first = jax.jit(create)(jnp.uint32(0))
    params = jax.tree.map(lambda leaf: 8.0 * leaf, first.params)
    stats = jax.tree.map(lambda leaf: 0.3 * leaf + 0.1, first.stats)
    return algorithm.spec, algorithm.nets, params, stats


@pytest.fixture(scope="module")
def together(trained):
    return encode.encode(*trained, PICTURES)


@pytest.mark.parametrize(
    "part",
    [
        np.random.default_rng(1).permutation(520),
        slice(7, 8),
        slice(0, 512),
        slice(0, 513),
        slice(505, 520),
    ],
    ids=["permuted", "alone", "512", "513", "across the boundary of 512"],
)
def test_the_posterior_of_an_image_does_not_depend_on_other_images(
    trained, together, part
):
    separate = encode.encode(*trained, PICTURES[part])
    chex.assert_trees_all_close(
        separate, jax.tree.map(lambda leaf: leaf[part], together), atol=1e-5, rtol=1e-5
    )


def test_every_code_has_a_posterior_for_every_image_and_images_differ(together):
    assert list(together) == ["categorical_0", "uniform_0", "uniform_1"]
    assert together["categorical_0"].logits.shape == (520, 10)
    assert together["uniform_1"].mean.shape == together["uniform_1"].log_sd.shape
    assert together["uniform_1"].mean.shape == (520,)
    assert together["categorical_0"].logits.std(0).min() > 1e-2


def test_bytes_are_scaled_to_the_range_of_g_and_batch_norm_uses_running_averages(
    trained, together
):
    spec, nets, params, stats = trained
    discriminate = jax.jit(partial(networks.discriminate, nets, train=False))
    scaled = jnp.float32(PICTURES[:3]) / 255.0
    logits, outputs, *_ = discriminate(params, stats, scaled)
    chex.assert_trees_all_close(
        jax.tree.map(lambda leaf: leaf[:3], together),
        latents.posterior(spec, outputs),
        rtol=1e-4,
        atol=1e-5,
    )
    encoded = encode.apply_discriminator(nets, params, stats, np.asarray(scaled))
    np.testing.assert_allclose(encoded.logits, logits, rtol=1e-4, atol=1e-5)
    # Other running averages give other outputs.
    shifted = jax.tree.map(lambda leaf: leaf + 0.5, stats)
    moved = encode.apply_discriminator(nets, params, shifted, np.asarray(scaled))
    assert np.abs(moved.outputs - outputs).max() > 1e-2


def test_batch_statistics_are_those_of_512_images_as_in_training(trained):
    _, nets, params, stats = trained
    scaled = np.float32(PICTURES) / 255.0
    shifted = jax.tree.map(lambda leaf: leaf + 0.5, stats)
    together = encode.apply_discriminator(
        nets, params, shifted, scaled, batch_statistics=True
    )
    discriminate = jax.jit(partial(networks.discriminate, nets, train=True))
    logits, outputs, *_ = discriminate(params, stats, scaled[:512])
    np.testing.assert_allclose(together.logits[:512], logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(together.outputs[:512], outputs, rtol=1e-3, atol=1e-3)
    # The last 8 images are repeated up to 512, which keeps their mean and variance.
    _, last, *_ = discriminate(params, stats, np.tile(scaled[512:], (64, 1, 1, 1)))
    np.testing.assert_allclose(together.outputs[512:], last[:8], rtol=1e-3, atol=1e-3)


def test_features_are_the_input_of_the_heads_of_d_and_q(trained):
    spec, nets, params, stats = trained
    encoded = encode.apply_discriminator(nets, params, stats, PICTURES)
    assert encoded.features.shape == (520, 16)
    [head] = jax.device_get(params["discriminator"]["head"]).values()
    logits = encoded.features @ head["kernel"] + head["bias"]
    np.testing.assert_allclose(logits[:, 0], encoded.logits, rtol=1e-4, atol=1e-4)
    variables = {"params": params["recognition"], "batch_stats": stats["recognition"]}
    outputs = nets.recognition.apply(variables, jnp.asarray(encoded.features), False)
    np.testing.assert_allclose(outputs, encoded.outputs, rtol=1e-4, atol=1e-4)


def test_a_posterior_as_arrays_has_probabilities_means_and_standard_deviations(
    together,
):
    arrays = encode.posterior_arrays(together)
    assert list(arrays) == [
        "categorical_0/probabilities",
        *(f"uniform_{k}/{what}" for k in (0, 1) for what in ("mean", "sd")),
    ]
    logits = np.asarray(together["categorical_0"].logits, np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        arrays["categorical_0/probabilities"], shares, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(arrays["uniform_1/mean"], together["uniform_1"].mean)
    np.testing.assert_allclose(
        np.log(arrays["uniform_1/sd"]), together["uniform_1"].log_sd, rtol=1e-4
    )


@pytest.fixture(scope="module")
def learning():
    """Two states and the last metrics of a tiny run on ten patterns."""
    patterns = np.random.default_rng(1).integers(0, 2, (10, 8, 8, 1)) * 255
    optimisers = Optimisers(optax.adam(5e-3, 0.5), optax.adam(1e-2, 0.5))
    algorithm = build_tiny(optimisers=optimisers)
    create, step = (
        jax.jit(partial(function, algorithm))
        for function in (state.create_state, train_step.train_step)
    )
    states = [create(jnp.uint32(0))]
    for at in range(100):
        batch = patterns[(np.arange(64) + at) % 10].astype(np.uint8)
        after, metrics = step(states[-1], batch)
        states.append(after)
    first_batch = patterns[np.arange(64) % 10].astype(np.uint8)
    return states, first_batch, metrics


def test_the_running_averages_that_q_uses_are_those_of_the_real_batches(learning):
    (before, after, *_), batch, _ = learning
    trunk = jax.device_get(before.params["discriminator"]["trunk"])
    real = scaling.to_range(batch, (0.0, 1.0))
    hidden = conv_native(real, jnp.asarray(trunk["conv_0"]["kernel"]), 2)
    hidden = np.asarray(hidden) + trunk["conv_0"]["bias"]
    hidden = np.where(hidden > 0, hidden, 0.1 * hidden).reshape(64, -1)
    hidden = hidden @ trunk["fc_1"]["kernel"]
    kept = after.stats["discriminator"]["trunk"]["norm_1"]
    np.testing.assert_allclose(kept["mean"], 0.1 * hidden.mean(0), atol=1e-6)
    np.testing.assert_allclose(kept["var"], 0.9 + 0.1 * hidden.var(0), rtol=1e-5)


def test_a_hundred_steps_on_ten_patterns_give_a_bound_of_more_than_one_nat(learning):
    states, _, metrics = learning
    chex.assert_tree_all_finite(states[-1].params)
    assert 1.0 < metrics["mi_bound/categorical_0"] < np.log(10.0)


def test_no_images_have_no_codes_of_the_right_shape(trained):
    posterior = encode.encode(*trained, PICTURES[:0])
    assert posterior["categorical_0"].logits.shape == (0, 10)
    assert posterior["uniform_0"].mean.shape == (0,)
