"""The terms on real images, of codes within codes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game.real_information import bounds, parity
from infogan_jax.model.latents import Code, LatentSpec
from infogan_jax.model.notation import parse_codes

SPEC = LatentSpec(parse_codes("digit=categorical(3), style=categorical(2) in digit"), 1)
DEEP = LatentSpec(
    parse_codes("a=categorical(3), b=categorical(2) in a, c=categorical(2) in b"), 1
)


mi_bounds = jax.jit(bounds.mi_bounds, static_argnums=(0, 3))


def random_outputs(seed, spec=SPEC, count=24):
    rng = np.random.default_rng(seed)
    return jnp.asarray(2 * rng.standard_normal((count, spec.output_size)), jnp.float32)


def joint_logits(outputs, spec):
    """log Q of the values of all codes together, by the chain rule of probability."""
    total, start = jnp.zeros((len(outputs), 1)), 0
    for code in spec.codes:
        end = start + spec.blocks(code) * code.size
        own = outputs[:, start:end].reshape(len(outputs), -1, code.size)
        total = (total[:, :, None] + jax.nn.log_softmax(own)).reshape(len(outputs), -1)
        start = end
    return total


@pytest.mark.parametrize("spec", [SPEC, DEEP], ids=["two levels", "three levels"])
def test_the_bounds_add_up_to_that_of_one_flat_code_of_all_pairs(spec):
    before, after = random_outputs(0, spec), random_outputs(9, spec)
    found = mi_bounds(spec, before, after)
    both = joint_logits(before, spec), joint_logits(after, spec)
    flat = LatentSpec((Code("c", "categorical", both[0].shape[1]),), 1)
    expected = mi_bounds(flat, *both)["c"]
    np.testing.assert_allclose(sum(found.values()), expected, rtol=1e-5)


def test_two_kinds_in_each_category_that_t_keeps_have_one_bit():
    certain = 60.0 * jnp.eye(3)[jnp.arange(6) // 2]
    kinds = 60.0 * jnp.tile(jnp.eye(2)[jnp.arange(6) % 2], (1, 3))
    outputs = jnp.concatenate([certain, kinds], axis=1)
    found = mi_bounds(SPEC, outputs, outputs, 0.5)
    np.testing.assert_allclose(found["style"], np.log(2), rtol=1e-5)
    swapped = jnp.concatenate([certain, kinds[:, ::-1]], axis=1)
    assert mi_bounds(SPEC, outputs, swapped, 0.5)["style"] < -50


def test_a_kind_that_only_repeats_its_category_has_no_information_within_it():
    certain = 60.0 * jnp.eye(3)
    kinds = jnp.tile(60.0 * jnp.eye(2)[jnp.array([0, 1, 1])], (1, 3))
    outputs = jnp.concatenate([certain, kinds], axis=1)
    found = mi_bounds(SPEC, outputs, outputs)
    np.testing.assert_allclose(found["style"], 0.0, atol=1e-5)


def test_a_code_within_a_category_does_not_decide_which_images_it_takes():
    before, after = random_outputs(1), random_outputs(2)

    def bound(before, after):
        return mi_bounds(SPEC, before, after, 0.5)["style"]

    for gradient in jax.jit(jax.grad(bound, argnums=(0, 1)))(before, after):
        np.testing.assert_array_equal(gradient[:, :3], 0)
        assert np.all(np.abs(gradient[:, 3:]).max(axis=0) > 0)


def test_devices_that_share_a_batch_have_the_bounds_of_the_whole_batch():
    before, after = random_outputs(3), random_outputs(4)
    whole = mi_bounds(SPEC, before, after, 0.5)
    halves = (each.reshape(2, 12, -1) for each in (before, after))
    alone = partial(bounds.mi_bounds, SPEC, temperature=0.5, axis="data")
    split = jax.jit(jax.vmap(alone, axis_name="data"))(*halves)
    for name, value in whole.items():
        np.testing.assert_allclose(jnp.mean(split[name]), value, rtol=1e-5)


def test_only_continuous_codes_without_a_parent_follow_t_or_a_mirror():
    spec = LatentSpec(
        parse_codes("digit=categorical(3), slant=uniform in digit, width=uniform"), 1
    )
    outputs = random_outputs(5, spec)
    drawn = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (24, 7)), jnp.float32)
    changed = jax.eval_shape(
        partial(bounds.change_bounds, spec), outputs, -outputs, drawn
    )
    mirrored = jax.jit(partial(parity.correlations, spec, odd=1))(outputs, -outputs)
    assert changed.keys() == mirrored.keys() == {"width"}
    np.testing.assert_allclose(mirrored["width"], 1.0, rtol=1e-5)
