"""The contrastive term: pairs, its bound, its place in a step."""

import math
from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import make_tiny_config
from jax.sharding import PartitionSpec as P

from infogan_jax import experiment, restoring
from infogan_jax.errors import UserError
from infogan_jax.game import (
    contrast,
    contrastive_step,
    state,
    train_step,
    updates,
)
from infogan_jax.machine import parallel
from infogan_jax.model import latents, networks, notation
from infogan_jax.model.latents import LatentSpec

CODES = "uniform, categorical(10), gaussian, uniform @ 0.5"
SPEC = LatentSpec(notation.parse_codes(CODES), 3)
N = 3000
BATCH = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8)


def numbers(*shape, seed=0):
    """Numbers from U(-1, 1)."""
    drawn = np.random.default_rng(seed).uniform(-1, 1, shape)
    return jnp.float32(drawn)


@pytest.fixture(scope="module", params=[0.0, 0.5])
def pairs(request):
    """The gap; codes and noise of images and of partners; the shared code."""
    uniform = numbers(N, SPEC.uniform_size)
    drawn = numbers(N, contrast.drawn_numbers(SPEC), seed=1)
    draw = jax.jit(partial(contrast.partners, SPEC, gap=request.param))
    partners, shared = draw(uniform, drawn)
    return request.param, uniform, partners, np.asarray(shared)


def test_a_pair_shares_one_continuous_code_and_the_noise_and_nothing_else(pairs):
    _, uniform, partners, shared = pairs
    same = np.asarray(uniform == partners)
    places = np.array(contrast.continuous_places(SPEC))
    assert list(places) == [0, 2, 3]
    assert (same[:, :4] == (places[shared][:, None] == np.arange(4))).all()
    assert same[:, 4:].all()


def test_each_continuous_code_is_shared_by_a_third_of_the_pairs(pairs):
    counts = np.bincount(pairs[3], minlength=3)
    np.testing.assert_allclose(counts / N, 1 / 3, atol=0.03)


def test_codes_that_differ_are_the_gap_apart_and_even_on_what_is_left(pairs):
    gap, uniform, partners, shared = pairs
    own, other = (np.asarray(each[shared != 0, 0]) for each in (uniform, partners))
    assert (abs(own - other) >= gap - 1e-6).all() and (abs(other) < 1).all()
    below, above = np.maximum(own - gap + 1, 0), np.maximum(1 - own - gap, 0)
    ranks = np.where(other < own, other + 1, other - own - gap + below)
    ranks /= below + above
    np.testing.assert_allclose(
        np.quantile(ranks, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.04
    )


def test_a_categorical_code_is_drawn_anew_from_all_categories(pairs):
    _, uniform, partners, _ = pairs
    found = [latents.sample(SPEC, each).codes["categorical_0"] for each in pairs[1:3]]
    assert np.mean(np.equal(*found)) == pytest.approx(0.1, abs=0.03)


def test_a_code_at_the_end_of_its_range_has_a_finite_partner():
    ends = jnp.array([[-1.0, 1.0, 0.0]]) * (1 - 1e-7)
    for drawn in (-ends, ends, ends[:, ::-1]):
        found = contrast.apart(ends, jnp.broadcast_to(drawn, (1, 3)), jnp.zeros((1, 3)))
        assert (abs(found) < 1).all()


def test_the_bound_is_ln_k_for_a_perfect_h_0_for_a_blind_one_less_for_a_wrong_one():
    shared = jnp.array([0, 1, 2, 1])
    certain = 1e4 * jax.nn.one_hot(shared, 3)
    assert contrast.bound(certain, shared) == pytest.approx(math.log(3))
    assert contrast.bound(jnp.ones((4, 3)), shared) == pytest.approx(0.0, abs=1e-6)
    assert contrast.bound(-certain, shared) < -1e3


def test_h_gains_most_by_the_shared_code_by_a_finite_difference():
    logits, shared = numbers(4, 3), jnp.array([0, 1, 2, 1])
    slope = np.asarray(jax.grad(contrast.bound)(logits, shared))
    step = np.float32(1e-2) * np.eye(3, dtype=np.float32)[[1]]
    moved = [contrast.bound(logits.at[1].add(s[0]), shared) for s in (step, -step)]
    assert (moved[0] - moved[1]) / 2e-2 == pytest.approx(slope[1, 1], rel=1e-2)
    assert (slope > 0).sum() == 4 and slope.sum() == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def algorithm():
    """Networks of vectors, the term on from step 3."""
    config = make_tiny_config()
    config.latents.codes = CODES
    config.networks.update(trunk="fc 8 lrelu", recognition="")
    config.latents.update(noise_size=3, noise_kind="uniform")
    config.objective.noise_sd = 0.0
    config.contrastive.update(weight=0.7, from_step=3, network="fc 8 bn lrelu")
    return experiment.describe(config.to_dict()).algorithm


@pytest.fixture(scope="module")
def first(algorithm):
    return jax.jit(partial(state.create_state, algorithm))(jnp.uint32(5))


@pytest.fixture(scope="module")
def step(algorithm):
    return jax.jit(partial(train_step.train_step, algorithm))


@pytest.fixture(scope="module")
def steps(first, step):
    """The states and metrics after step 2, before the term, and after step 3."""
    return [step(replace(first, step=jnp.int32(n)), BATCH) for n in (2, 3)]


def movement(one, other, name):
    """The largest difference of two states in the parameters of a network."""
    differences = jax.tree.map(
        lambda a, b: float(abs(a - b).max()), one.params[name], other.params[name]
    )
    return max(jax.tree.leaves(differences))


def test_h_waits_for_its_step_and_then_learns(first, steps):
    (early, early_metrics), (late, late_metrics) = steps
    assert movement(first, early, "contrast") == 0
    chex.assert_trees_all_equal(
        early.opt_state["contrast"], first.opt_state["contrast"]
    )
    assert early_metrics["contrastive_bound"] == 0
    assert movement(first, late, "contrast") > 1e-5
    assert 0 < abs(late_metrics["contrastive_bound"]) < math.log(3)


def test_h_says_nothing_to_anyone_before_its_step_and_to_g_alone_after_it(
    first, step, steps
):
    params = {
        **first.params,
        "contrast": jax.tree.map(jnp.ones_like, first.params["contrast"]),
    }
    for n, (after, _) in zip((2, 3), steps, strict=True):
        other, _ = step(replace(first, step=jnp.int32(n), params=params), BATCH)
        assert movement(other, after, "discriminator") == 0
        assert movement(other, after, "recognition") == 0
        assert (movement(other, after, "generator") > 0) == (n == 3)


def test_the_same_state_gives_the_same_step_to_the_bit(first, step, steps):
    saved = jax.device_get(replace(first, step=jnp.int32(3)))
    again = step(jax.tree.map(jnp.asarray, saved), BATCH)
    chex.assert_trees_all_equal(again, steps[1])


DRAWS = {
    name: numbers(16, size, seed=len(name) + size)
    for name, size in (
        ("d_latents", SPEC.uniform_size),
        ("g_latents", SPEC.uniform_size),
        ("h_pairs", contrast.drawn_numbers(SPEC)),
        ("g_pairs", contrast.drawn_numbers(SPEC)),
    )
}


def half_step(algorithm, before, draws, axis=None):
    """H's step, and then G's weighted bound with its gradient."""
    nets = networks.with_sync_batch_norm(algorithm.nets, axis)
    algorithm = replace(algorithm, nets=nets)
    inputs = latents.pack(SPEC, latents.sample(SPEC, draws["d_latents"]))
    made, _ = networks.generate(nets, before.params, before.stats, inputs, train=True)
    after, metrics = contrastive_step.teach_h(
        algorithm, algorithm.contrast, before, made, draws, axis
    )

    def value(generator):
        params = {**updates.local(after.params, axis), "generator": generator}
        inputs = latents.pack(SPEC, latents.sample(SPEC, draws["g_latents"]))
        images, _ = networks.generate(nets, params, after.stats, inputs, train=True)
        return contrastive_step.weighted_bound(
            algorithm, algorithm.contrast, after, params, images, draws, axis
        )

    generator = updates.local(after.params["generator"], axis)
    found = after, metrics, jax.value_and_grad(value)(generator)
    return updates.mean(found[1:], axis), after.opt_state["contrast"]


@pytest.fixture(scope="module")
def on_one(algorithm):
    return jax.jit(partial(half_step, algorithm))


@pytest.mark.long
def test_two_devices_teach_h_and_g_as_one_does(algorithm, first, on_one):
    on_two = jax.shard_map(
        partial(half_step, algorithm, axis=parallel.AXIS),
        mesh=parallel.make_mesh(),
        in_specs=(P(), P(parallel.AXIS)),
        out_specs=P(),
    )
    on_two = jax.jit(on_two)
    for n in (2, 3):
        one, two = (
            each(replace(first, step=jnp.int32(n)), DRAWS) for each in (on_one, on_two)
        )
        chex.assert_trees_all_close(one, two, rtol=2e-3, atol=3e-5)


def test_the_bound_rises_along_its_gradient_as_fast_as_the_gradient_says(first, on_one):
    def value(generator):
        params = {**first.params, "generator": generator}
        before = replace(first, step=jnp.int32(3), params=params)
        return on_one(before, DRAWS)[0][1]

    start = first.params["generator"]
    _, slope = value(start)
    norm = float(optax.tree.norm(slope))
    assert norm > 1e-4
    ends = [
        value(jax.tree.map(lambda a, b: a + size / norm * b, start, slope))[0]  # noqa: B023
        for size in (1e-2, -1e-2)
    ]
    assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(norm, rel=0.1)


def test_a_run_begins_with_the_players_of_a_plain_one_and_an_h_of_its_own(
    tiny_config, trained_run
):
    tiny_config.contrastive.weight = 0.1
    exp = experiment.build(tiny_config.to_dict())
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    begun, _ = restoring.begin_from(exp, trained_run, mesh)
    _, plain = restoring.restore(trained_run)
    for name in ("generator", "discriminator", "recognition"):
        chex.assert_trees_all_equal(begun.params[name], plain.params[name])
    like = state.state_shapes(exp.algorithm)
    chex.assert_trees_all_equal_shapes_and_dtypes(begun, like)


def traced(config):
    algorithm = experiment.describe(config.to_dict()).algorithm
    step = partial(train_step.train_step, algorithm)
    program = jax.make_jaxpr(step)(state.state_shapes(algorithm), jnp.asarray(BATCH))
    return str(program)


def test_at_weight_0_the_step_is_the_same_program(tiny_config):
    before = traced(tiny_config)
    tiny_config.contrastive.update(from_step=3, gap=0.5, network="fc 8")
    assert traced(tiny_config) == before and "cond[" not in before
    tiny_config.contrastive.weight = 0.1
    assert "cond[" in traced(tiny_config)


def test_without_layers_of_its_own_h_has_those_of_the_trunk(tiny_config):
    tiny_config.contrastive.weight = 0.1
    algorithm = experiment.describe(tiny_config.to_dict()).algorithm
    shapes = state.state_shapes(algorithm).params
    own = {
        name: tree["kernel"].shape
        for name, tree in shapes["contrast"].items()
        if "fc" in name
    }
    assert own == {"fc_0": (2 * 64, 16), "fc_1": (16, 4)}
    chex.assert_trees_all_equal_shapes(
        shapes["generator"],
        state.state_shapes(replace(algorithm, contrast=None)).params["generator"],
    )


@pytest.mark.parametrize("codes", ["", "categorical(10)", "categorical(10), uniform"])
def test_fewer_than_two_continuous_codes_are_refused(tiny_config, codes):
    tiny_config.latents.codes = codes
    tiny_config.contrastive.weight = 2.0
    message = r"contrastive.weight \(=2.0\) asks .* least 2, as in '2 x uniform', or"
    with pytest.raises(UserError, match=message):
        experiment.describe(tiny_config.to_dict())
    tiny_config.latents.codes = "2 x uniform"
    experiment.describe(tiny_config.to_dict())
