"""Shapes and parameter counts of the paper's tables; D and Q; image ranges."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax.data import scaling
from infogan_jax.game import state
from infogan_jax.game.train_step import train_step
from infogan_jax.model import networks, notation

TABLES = {
    "mnist": (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        "fc 128 bn lrelu",
        "fc 1024 bn relu, fc 7x7x128 bn relu, upconv 64 s2 bn relu, "
        "upconv 1 s2 sigmoid",
    ),
    "svhn": (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
        "fc 128 bn lrelu",
        "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
        "upconv 64 s2 relu, upconv 3 s2 tanh",
    ),
    "chairs": (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu, "
        "conv 256 bn lrelu, conv 256 bn lrelu, fc 1024 bn lrelu",
        "",
        "fc 1024 bn relu, fc 8x8x256 bn relu, upconv 256 bn relu, upconv 256 bn relu, "
        "upconv 128 s2 bn relu, upconv 64 s2 bn relu, upconv 1 s2 sigmoid",
    ),
}


def build(texts, input_size, output_size, image_shape):
    names = ("trunk", "recognition", "generator")
    return networks.build(
        **{n: notation.parse_layers(t, n) for n, t in zip(names, texts, strict=True)},
        input_size=input_size,
        output_size=output_size,
        image_shape=image_shape,
    )


def first_state(algorithm):
    return jax.jit(partial(state.create_state, algorithm))(jnp.uint32(0))


@partial(jax.jit, static_argnums=0)
def d_and_q(nets, params, stats, images):
    return networks.discriminate(nets, params, stats, images, train=True)


def layer_shapes(module, params, stats, *input_shape):
    """Returns the shape of one output of every linear map, by name."""
    x = jax.ShapeDtypeStruct((5, *input_shape), jnp.float32)
    variables = {"params": params, "batch_stats": stats}
    apply = partial(module.apply, train=False, capture_intermediates=True)
    inner = jax.eval_shape(apply, variables, x)[1]["intermediates"]
    return {
        name: calls["__call__"][0].shape[1:]
        for name, calls in inner.items()
        if name.startswith(("fc", "conv", "upconv"))
    }


@pytest.fixture(scope="module")
def mnist():
    """The paper's MNIST networks: Cat(10), two uniform codes, fixed deviation."""
    nets = build(TABLES["mnist"], 74, 12, (28, 28, 1))
    params, stats = jax.eval_shape(partial(networks.init, nets), jax.random.key(0))
    return nets, params, stats


def test_table_1_halves_the_image_twice_and_doubles_7x7_twice(mnist):
    nets, params, stats = mnist
    trees = (params["discriminator"]["trunk"], stats["discriminator"]["trunk"])
    assert layer_shapes(nets.discriminator.trunk, *trees, 28, 28, 1) == {
        "conv_0": (14, 14, 64),
        "conv_1": (7, 7, 128),
        "fc_2": (1024,),
    }
    trees = (params["generator"], stats["generator"])
    assert layer_shapes(nets.generator, *trees, 74) == {
        "fc_0": (1024,),
        "fc_1": (7 * 7 * 128,),
        "upconv_2": (14, 14, 64),
        "upconv_3": (28, 28, 1),
    }


def test_table_1_has_as_many_parameters_as_counted_by_hand(mnist):
    _, params, _ = mnist

    def count(tree):
        return sum(leaf.size for leaf in jax.tree.leaves(tree))

    trunk = (4 * 4 * 64 + 64) + (4 * 4 * 64 * 128 + 256) + (6272 * 1024 + 2048)
    assert count(params["discriminator"]["trunk"]) == trunk
    assert count(params["discriminator"]["head"]) == 1024 + 1
    assert count(params["recognition"]) == (1024 * 128 + 256) + (128 * 12 + 12)
    assert count(params["generator"]) == (
        (74 * 1024 + 2048)
        + (1024 * 7 * 7 * 128 + 2 * 7 * 7 * 128)
        + (4 * 4 * 128 * 64 + 128)
        + (4 * 4 * 64 * 1 + 1)
    )


@pytest.mark.parametrize(
    ("table", "input_size", "output_size", "image_shape"),
    [("svhn", 168, 44, (32, 32, 3)), ("chairs", 189, 62, (64, 64, 1))],
)
def test_the_papers_tables_give_images_and_outputs_of_the_right_shape(
    table, input_size, output_size, image_shape
):
    nets = build(TABLES[table], input_size, output_size, image_shape)

    def forward(key):
        trees, inputs = networks.init(nets, key), jnp.zeros((3, input_size))
        x, _ = networks.generate(nets, *trees, inputs, train=True)
        return x, *networks.discriminate(nets, *trees, x, train=True)[:2]

    shapes = [leaf.shape for leaf in jax.eval_shape(forward, jax.random.key(0))]
    assert shapes == [(3, *image_shape), (3,), (3, output_size)]


@pytest.fixture(scope="module")
def tiny():
    algorithm = build_tiny()
    return algorithm, first_state(algorithm)


@pytest.mark.parametrize("changed", ["head", "recognition"])
def test_d_and_q_have_separate_output_layers(tiny, changed):
    algorithm, first = tiny
    images = jax.random.uniform(jax.random.key(1), (4, 8, 8, 1))
    params = {**first.params, "discriminator": {**first.params["discriminator"]}}
    owner = params["discriminator"] if changed == "head" else params
    owner[changed] = jax.tree.map(lambda leaf: leaf + 1.0, owner[changed])
    logits, outputs, *_ = d_and_q(algorithm.nets, first.params, first.stats, images)
    new_logits, new_outputs, *_ = d_and_q(algorithm.nets, params, first.stats, images)
    assert (logits == new_logits).all() == (changed == "recognition")
    assert (outputs == new_outputs).all() == (changed == "head")


@pytest.mark.parametrize(("last", "low"), [("tanh", -1.0), ("sigmoid", 0.0)])
def test_real_and_generated_images_share_the_range_of_the_last_activation(last, low):
    generator = f"fc 4x4x2 relu, upconv 1 s2 {last}"
    nets = build(("fc 4 lrelu", "", generator), 6, 0, (8, 8, 1))
    assert nets.output_range == (low, 1.0)
    every_byte = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
    real = scaling.to_range(every_byte, nets.output_range)
    np.testing.assert_allclose([real.min(), real.max()], [low, 1.0], atol=1e-6)

    @jax.jit
    def generate(key):
        params, stats = networks.init(nets, key)
        far = 1e5 * jax.random.normal(key, (64, 6))
        return networks.generate(nets, params, stats, far, train=True)[0]

    generated = generate(jax.random.key(0))
    np.testing.assert_allclose([generated.min(), generated.max()], [low, 1], atol=1e-3)


def leaves_named(tree, end):
    flat, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [leaf for path, leaf in flat if path[-1].key.endswith(end)]


def test_spectral_norm_divides_each_weight_of_d_and_q_by_its_singular_value():
    algorithm = build_tiny(spectral_norm=True)
    first = first_state(algorithm)
    params, stats = first.params, first.stats
    images = jax.random.uniform(jax.random.key(1), (4, 8, 8, 1))
    for _ in range(60):
        logits, *_, stats = d_and_q(algorithm.nets, params, stats, images)
    for name, count in {"discriminator": 2 + 1, "recognition": 2}.items():
        kernels = leaves_named(params[name], "kernel")
        expected = [np.linalg.norm(k.reshape(-1, k.shape[-1]), 2) for k in kernels]
        assert len(expected) == count
        found = leaves_named(stats[name], "sigma")
        np.testing.assert_allclose(sorted(found), sorted(expected), rtol=0.02)
    # D uses the divided weight: the logits follow from it and the features.
    d_params, d_stats = params["discriminator"], stats["discriminator"]
    trunk = {"params": d_params["trunk"], "batch_stats": d_stats["trunk"]}
    apply = partial(algorithm.nets.discriminator.trunk.apply, train=True, mutable=True)
    features, _ = jax.jit(apply)(trunk, images)
    kernel = np.asarray(d_params["head"]["fc_0"]["kernel"])[:, 0]
    expected = features @ (kernel / np.linalg.norm(kernel))
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)


def test_spectral_norm_is_off_by_default_and_never_in_the_generator(tiny):
    normed = build_tiny(spectral_norm=True).nets
    stats = jax.eval_shape(partial(networks.init, normed), jax.random.key(0))[1]
    assert not leaves_named(tiny[1].stats, "sigma")
    assert leaves_named(stats, "sigma")
    assert not leaves_named(stats["generator"], "sigma")


def test_without_codes_it_is_a_plain_gan_without_q():
    algorithm = build_tiny(codes="")
    first = first_state(algorithm)
    assert set(first.params) == {"generator", "discriminator"}
    batch = jax.random.bits(jax.random.key(1), (8, 8, 8, 1), jnp.uint8)
    step = jax.jit(partial(train_step, algorithm))
    second, metrics = step(first, batch)
    assert set(metrics) == {"loss/discriminator", "loss/generator", "jsd_bound"}
    chex.assert_tree_all_finite((second, metrics))
    moved = jax.tree.map(lambda a, b: (a != b).any(), first.params, second.params)
    assert all(jax.tree.leaves(moved))
