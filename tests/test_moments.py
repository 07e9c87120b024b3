"""Continuous codes that Q reads in moments of the trunk's last image."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import build_tiny
from jax import lax

from infogan_jax import layers, networks, state

LAYOUT = ("NHWC", "HWIO", "NHWC")
RANDOM = np.random.default_rng(0)


def test_second_moments_by_hand():
    image = np.zeros((1, 3, 3, 2))
    image[0, 0, 2] = [9.0, -18.0]  # the corner u = 1, v = -1
    image[0, 1, 1, 0] = 9.0  # the centre
    moments = layers.second_moments(jnp.float32(image)).reshape(4, 2)
    np.testing.assert_allclose(moments, [[2, -2], [1, -2], [1, -2], [-1, 2]], atol=1e-6)


def test_second_moments_are_means_over_the_image():
    image = RANDOM.normal(size=(5, 6, 4, 3))
    v, u = np.linspace(-1, 1, 6)[:, None, None], np.linspace(-1, 1, 4)[None, :, None]
    parts = [(image * weight).mean((1, 2)) for weight in (1.0, u * u, v * v, u * v)]
    expected = np.concatenate(parts, axis=1)
    np.testing.assert_allclose(
        layers.second_moments(jnp.float32(image)), expected, atol=1e-6
    )


def test_second_moments_do_not_see_a_turn_by_180_degrees_and_see_a_mirror():
    image = RANDOM.normal(size=(2, 5, 5, 1))
    found, turned, mirrored = (
        layers.second_moments(jnp.float32(i))
        for i in (image, image[:, ::-1, ::-1], image[:, :, ::-1])
    )
    np.testing.assert_allclose(turned, found, atol=1e-6)
    np.testing.assert_allclose(mirrored, np.asarray(found) * [1, 1, 1, -1], atol=1e-6)


@pytest.fixture(scope="module")
def built():
    """Q's outputs are a uniform code's, then ten logits, then another's."""
    algorithm = build_tiny("uniform, categorical(10), uniform", from_moments=True)
    return algorithm, jax.jit(partial(state.create, algorithm))(jnp.uint32(0))


MEANS_AND_SDS = np.array([0, 1, 12, 13])
PICTURES = jnp.float32(RANDOM.random((4, 8, 8, 1)))


@partial(jax.jit, static_argnums=0)
def judge(nets, params, stats, pictures):
    return networks.discriminate(nets, params, stats, pictures, train=True)


@pytest.mark.parametrize("changed", ["recognition", "moments"])
def test_each_output_of_q_has_one_reader(built, changed):
    algorithm, first = built
    moved = jax.tree.map(lambda leaf: leaf + 1.0, first.params[changed])
    params = {**first.params, changed: moved}
    _, before, _ = judge(algorithm.nets, first.params, first.stats, PICTURES)
    _, after, _ = judge(algorithm.nets, params, first.stats, PICTURES)
    assert before.shape == (4, 14)
    differs = np.flatnonzero((before != after).any(0))
    expected = MEANS_AND_SDS if changed == "moments" else np.arange(2, 12)
    np.testing.assert_array_equal(differs, expected)


def test_continuous_codes_are_linear_in_moments_of_the_trunks_last_image(built):
    algorithm, first = built
    trunk = first.params["discriminator"]["trunk"]["conv_0"]
    image = lax.conv_general_dilated(
        PICTURES,
        trunk["kernel"],
        (2, 2),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    image = jax.nn.leaky_relu(image + trunk["bias"].reshape(1, 1, 1, -1), 0.1)
    read = first.params["moments"]["fc_0"]
    expected = layers.second_moments(image) @ read["kernel"] + read["bias"][None]
    _, outputs, _ = judge(algorithm.nets, first.params, first.stats, PICTURES)
    np.testing.assert_allclose(outputs[:, MEANS_AND_SDS], expected, atol=1e-6)


def test_without_info_to_trunk_moments_do_not_move_it(built):
    algorithm, first = built

    @partial(jax.jit, static_argnums=1)
    def gradient(params, info_to_trunk):
        def outputs(params):
            read = networks.discriminate(
                algorithm.nets, params, first.stats, PICTURES,
                train=True, info_to_trunk=info_to_trunk,
            )[1]  # fmt: skip
            return jnp.sum(read[:, MEANS_AND_SDS])

        return jax.grad(outputs)(params)["discriminator"]["trunk"]

    largest = {
        to_trunk: max(
            np.abs(leaf).max()
            for leaf in jax.tree.leaves(gradient(first.params, to_trunk))
        )
        for to_trunk in (True, False)
    }
    assert largest[True] > 0.0 and largest[False] == 0.0
