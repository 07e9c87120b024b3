"""Codes within codes: blocks of G's input and of Q's output, and the chain rule."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game import objective
from infogan_jax.model import distributions, latents
from infogan_jax.model.latents import Latents, LatentSpec
from infogan_jax.model.notation import parse_codes

SPEC = LatentSpec(
    parse_codes(
        "digit=categorical(3), style=categorical(2) in digit, slant=uniform in digit, "
        "width=uniform"
    ),
    1,
)
DEEP = LatentSpec(
    parse_codes("a=categorical(3), b=categorical(2) in a, c=categorical(4) in b"), 1
)


def test_a_code_has_a_block_for_each_value_of_its_parent():
    assert SPEC.input_size == 3 + 3 * 2 + 3 * 1 + 1 + 1
    assert SPEC.output_sizes == (3, 3 * 2, 3 * 2, 2)
    assert [DEEP.blocks(code) for code in DEEP.codes] == [1, 3, 6]
    assert DEEP.output_size == 3 + 3 * 2 + 6 * 4


def test_a_code_is_packed_into_the_block_of_its_parents_value():
    codes = {
        "digit": np.int32([2, 0]),
        "style": np.int32([0, 1]),
        "slant": np.float32([0.5, -0.25]),
        "width": np.float32([0.75, 1.0]),
    }
    packed = latents.pack(SPEC, Latents(codes, np.float32([[7], [8]])))
    expected = [
        [0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0.5, 0.75, 7],
        [1, 0, 0, 0, 1, 0, 0, 0, 0, -0.25, 0, 0, 1, 8],
    ]
    np.testing.assert_array_equal(packed, expected)


def test_all_values_of_a_deep_hierarchy_are_found_again_in_the_packed_vector():
    a, b, c = np.int32(np.unravel_index(np.arange(24), (3, 2, 4)))
    codes = {"a": a, "b": b, "c": c}
    packed = np.asarray(latents.pack(DEEP, Latents(codes, np.zeros((24, 1), "f"))))
    np.testing.assert_array_equal(packed.sum(axis=1), 3)
    np.testing.assert_array_equal(packed[:, :3].argmax(1), a)
    np.testing.assert_array_equal(packed[:, 3:9].argmax(1), 2 * a + b)
    np.testing.assert_array_equal(packed[:, 9:33].argmax(1), np.arange(24))


def outputs_with(digit, rows):
    """Q's outputs that say `digit`, with the numbers of their places in the rest."""
    places = jnp.arange(SPEC.output_size, dtype=jnp.float32)
    outputs = jnp.tile(places, (rows, 1))
    return outputs.at[:, :3].set(5 * jax.nn.one_hot(jnp.asarray(digit), 3))


def test_without_given_values_the_block_of_the_most_probable_parent_is_read():
    posterior = latents.posterior(SPEC, outputs_with([2, 0], 2))
    np.testing.assert_array_equal(posterior["style"].logits, [[7, 8], [3, 4]])
    np.testing.assert_array_equal(posterior["slant"].mean, [13, 9])
    np.testing.assert_array_equal(posterior["width"].mean, [15, 15])


def test_given_values_choose_the_block_whatever_q_says():
    given = {"digit": jnp.array([1, 2])}
    posterior = latents.posterior(SPEC, outputs_with([0, 0], 2), given)
    np.testing.assert_array_equal(posterior["style"].logits, [[5, 6], [7, 8]])
    np.testing.assert_array_equal(posterior["slant"].mean, [11, 13])


def test_a_deep_hierarchy_is_read_from_the_top_down():
    outputs = np.zeros((1, 33), np.float32)
    outputs[0, 1] = 1  # a = 1
    outputs[0, 3 + 2 * 1 + 1] = 1  # within it b = 1
    outputs[0, 3 + 2 * 2 + 0] = 9  # which says nothing: a is not 2
    outputs[0, 9:] = np.arange(24)
    posterior = latents.posterior(DEEP, jnp.asarray(outputs))
    np.testing.assert_array_equal(posterior["c"].logits, [np.arange(12, 16)])


def test_only_the_block_of_the_drawn_parent_receives_a_gradient():
    codes = {
        "digit": jnp.array([1]),
        "style": jnp.array([0]),
        "slant": jnp.array([0.5]),
        "width": jnp.array([0.0]),
    }
    outputs = outputs_with([2], 1) / 10

    slopes = jax.jit(jax.jacrev(lambda x: objective.mi_bounds(SPEC, x, codes)))
    moved = {name: np.flatnonzero(each) for name, each in slopes(outputs).items()}
    assert moved["digit"].tolist() == [0, 1, 2]
    assert moved["style"].tolist() == [5, 6]
    assert moved["slant"].tolist() == [11, 12]
    assert moved["width"].tolist() == [15, 16]


def finite_world(seed):
    """All of (digit, style, x), as often as they occur, and p(digit, style | x)."""
    counts = np.random.default_rng(seed).multinomial(12, [0.5, 0.3, 0.1, 0.1], (3, 2))
    digit, style, x = (
        each.repeat(counts.ravel()) for each in np.indices((3, 2, 4)).reshape(3, -1)
    )
    joint = counts / counts.sum()
    return digit, style, x, joint / joint.sum(axis=(0, 1)), joint


@pytest.mark.parametrize("seed", range(2))
def test_with_the_true_posteriors_both_bounds_add_up_to_the_joint_information(seed):
    digit, style, x, given_x, joint = finite_world(seed)
    spec = LatentSpec(parse_codes("d=categorical(3), s=categorical(2) in d"), 1)
    of_digit = given_x.sum(axis=1)
    within = given_x / np.maximum(of_digit[:, None], 1e-30)
    logits = np.concatenate([of_digit, within.reshape(6, 4)])
    outputs = jnp.asarray(np.log(np.maximum(logits, 1e-30)).T[x], jnp.float32)
    codes = {"d": jnp.asarray(digit), "s": jnp.asarray(style)}
    bounds = jax.jit(partial(objective.mi_bounds, spec))(outputs, codes)
    left = -np.sum(joint * np.log(np.maximum(given_x, 1e-30)))  # H(digit, style | x)
    assert float(bounds["d"] + bounds["s"]) == pytest.approx(np.log(6) - left, abs=1e-5)
    assert bounds["s"] > 0.01


def test_the_prior_within_a_category_is_the_prior():
    uniform = distributions.draw_uniform(jax.random.key(0), (6000, SPEC.uniform_size))
    codes = latents.sample(SPEC, uniform).codes
    pairs = np.bincount(2 * codes["digit"] + codes["style"], minlength=6)
    np.testing.assert_allclose(pairs / 6000, 1 / 6, atol=0.02)
    assert latents.entropy(SPEC.code("style")) == pytest.approx(np.log(2))


def test_codes_without_a_parent_are_copied_and_sliced_and_nothing_else():
    flat = LatentSpec(parse_codes("categorical(3), uniform"), 1, fixed_sd=1.0)
    drawn = Latents(
        {"categorical_0": jnp.zeros(2, int), "uniform_0": jnp.zeros(2)},
        jnp.zeros((2, 1)),
    )
    program = jax.make_jaxpr(lambda x: latents.pack(flat, x))(drawn)
    read = jax.make_jaxpr(lambda x: latents.posterior(flat, x))(jnp.zeros((2, 4)))
    for name in ("mul", "reduce_sum", "argmax", "reshape"):
        assert f" {name}[" not in f"{program} {read}".replace("\n", " ")
