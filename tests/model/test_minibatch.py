"""Minibatch discrimination: how similar an image is to the others of its batch."""

import math
from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P
from tiny import build_tiny

from infogan_jax import experiment
from infogan_jax.errors import UserError
from infogan_jax.game import memory_estimate
from infogan_jax.machine import parallel
from infogan_jax.model import layers, networks, notation

RNG = np.random.default_rng(0)
IMAGES = jnp.float32(RNG.normal(size=(6, 4, 4, 1)))
STACK = layers.Stack(
    notation.parse_layers("conv 3 s2 lrelu, minibatch 4x5", "trunk"), is_head=False
)


@pytest.fixture(scope="module")
def variables():
    drawn = STACK.init(jax.random.key(0), IMAGES, train=False)
    draw = lambda leaf: jnp.float32(0.3 * RNG.normal(size=leaf.shape))  # noqa: E731
    return {**drawn, "params": jax.tree.map(draw, drawn["params"])}


def run(variables, images=IMAGES, train=True, stack=STACK):
    return stack.apply(variables, images, train, mutable=["batch_stats"])


shown = jax.jit(run)


def by_hand(m):
    """The paper's sums over pairs of images, over the number of other images."""
    found = np.zeros(m.shape[:2])
    for i in range(len(m)):
        for j in range(len(m)):
            if i != j:
                for b in range(m.shape[1]):
                    found[i, b] += math.exp(-sum(abs(m[i, b] - m[j, b])))
    return found / (len(m) - 1)


def test_two_images_at_distance_ln_2_are_half_similar():
    m = jnp.array([[[0.0, 0.0]], [[math.log(2) / 2, -math.log(2) / 2]]])
    np.testing.assert_allclose(layers.similarities(m, m), 0.5, rtol=1e-6)


def test_the_means_over_the_other_images_are_appended_to_the_features(variables):
    y = shown(variables)[0]
    features = np.float64(y[:, :-4])
    kernel = np.float64(variables["params"]["minibatch_1"]["kernel"])
    expected = by_hand((features @ kernel).reshape(6, 4, 5))
    np.testing.assert_allclose(y[:, -4:], expected, rtol=1e-4)
    assert np.ptp(expected) > 0.02


def test_the_order_of_the_batch_changes_the_order_of_the_outputs_alone(variables):
    order = RNG.permutation(6)
    y, changed = (shown(variables, images)[0] for images in (IMAGES, IMAGES[order]))
    np.testing.assert_allclose(changed, y[order], rtol=1e-5)


def test_equal_images_have_a_similarity_of_1_and_a_finite_gradient():
    @jax.jit
    @jax.value_and_grad
    def total(m):
        return jnp.sum(layers.similarities(m, m))

    value, slope = total(np.ones((7, 2, 3), np.float32))
    assert value == 7 * 2 and not slope.any()
    far = 1e4 * np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)
    assert total(far)[0] == 0


def test_outside_training_it_is_the_running_average_whatever_else_is_shown(variables):
    y, updated = shown(variables)
    found = updated["batch_stats"]["similarity_1"]["mean"]
    np.testing.assert_allclose(found, 0.1 * y[:, -4:].mean(0), rtol=1e-5)
    later = {**variables, **updated}
    alone, same = run(later, IMAGES[:1], train=False)
    np.testing.assert_allclose(alone[0, -4:], found, rtol=1e-6)
    np.testing.assert_allclose(run(later, train=False)[0][:1], alone, rtol=1e-6)
    chex.assert_trees_all_equal(same, updated)


def test_two_devices_compare_the_images_of_both(variables):
    def loss(params, images, axis=None):
        stack = STACK.clone(axis_name=axis)
        y, updated = run({**variables, "params": params}, images, stack=stack)
        return jnp.mean(y**2), updated

    def step(params, images, axis=None):
        local = params if axis is None else jax.lax.pcast(params, axis, to="varying")
        found = jax.value_and_grad(loss, has_aux=True)(local, images, axis)
        return found if axis is None else jax.lax.pmean(found, axis)

    mapped = jax.shard_map(
        partial(step, axis=parallel.AXIS),
        mesh=parallel.make_mesh(),
        in_specs=(P(), P(parallel.AXIS)),
        out_specs=P(),
    )
    one = jax.jit(step)(variables["params"], IMAGES)
    two = jax.jit(mapped)(variables["params"], IMAGES)
    chex.assert_trees_all_close(one, two, rtol=1e-5, atol=1e-6)
    assert float(abs(one[1]["minibatch_1"]["kernel"]).max()) > 1e-3


def test_its_output_is_a_vector_of_the_features_and_the_similarities():
    layers = notation.parse_layers("conv 8 s2 lrelu, minibatch 50x5, fc 9", "trunk")
    assert notation.follow(layers[:2], (8, 8, 1), "trunk") == (4 * 4 * 8 + 50,)
    assert notation.follow(layers, (8, 8, 1), "trunk") == (9,)


@pytest.mark.parametrize("part", ["minibatch 50", "minibatch 0x5", "minibatch 5x5 bn"])
def test_a_minibatch_layer_has_kernels_and_dimensions_alone(part):
    with pytest.raises(UserError, match=f"cannot read '{part}'.* 'minibatch 50x5' in"):
        notation.parse_layers(part, "net")


@pytest.mark.parametrize("network", ["generator", "recognition"])
def test_only_the_trunk_compares_images(tiny_config, network):
    tiny_config.networks[network] = f"minibatch 5x2, {tiny_config.networks[network]}"
    with pytest.raises(UserError, match=f"^config.networks.{network} has 'mini") as e:
        experiment.describe(tiny_config.to_dict())
    assert "put it into config.networks.trunk" in str(e.value)
    tiny_config.networks[network] = ", ".join(
        tiny_config.networks[network].split(", ")[1:]
    )
    tiny_config.networks.trunk += ", minibatch 5x2"
    experiment.describe(tiny_config.to_dict())


def test_its_exported_program_takes_any_number_of_images(variables):
    portable = STACK.clone(lowering="plain")
    (batch,) = jax.export.symbolic_shape("batch")
    shape = jax.ShapeDtypeStruct((batch, 4, 4, 1), jnp.float32)
    program = jax.jit(lambda images: portable.apply(variables, images, False))
    exported = jax.export.export(program)(shape)
    for count in (1, 6):
        found = exported.call(IMAGES[:count])
        np.testing.assert_allclose(found, program(IMAGES[:count]), rtol=1e-5)


def test_the_estimate_of_memory_counts_a_difference_for_each_pair_of_images():
    plain = build_tiny()
    trunk = plain.nets.discriminator.trunk
    stack = trunk.clone(layers=(*trunk.layers, layers.Layer("minibatch", (50, 5))))
    nets = networks.with_modules(plain.nets, {"trunk": stack})
    sizes = [
        memory_estimate.estimate(algorithm, 64)
        for algorithm in (plain, replace(plain, nets=nets))
    ]
    assert sizes[1] - sizes[0] > 64 * 64 * 250 * 4
