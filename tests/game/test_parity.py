"""Codes that are even or odd under a mirror."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.game.real_information.parity import Parity, correlations
from infogan_jax.game.terms import Shown, View
from infogan_jax.model.code_kinds import KINDS, ContinuousKind
from infogan_jax.model.latents import Code, LatentSpec

N = 20_000
EVEN, ODD = np.random.default_rng(0).standard_normal((2, N)).astype(np.float32)
ONE = LatentSpec((Code("u", "uniform"),), 1, fixed_sd=0.1)


def correlation(before, after, odd=0):
    outputs, mirrored = (jnp.asarray(each)[:, None] for each in (before, after))
    return float(correlations(ONE, outputs, mirrored, odd)["u"])


@pytest.mark.parametrize("odd", [0, 1])
def test_it_is_pearson_s_correlation_with_the_sign_that_is_asked_for(odd):
    before, after = EVEN, 0.3 * EVEN + ODD + 2
    expected = np.corrcoef(before, after)[0, 1]
    found = correlation(before, after, odd)
    assert found == pytest.approx((1, -1)[odd] * expected, abs=1e-5)


def test_it_is_1_for_a_code_of_its_kind_and_minus_1_for_one_of_the_other():
    assert correlation(EVEN, EVEN) == pytest.approx(1)
    assert correlation(ODD, -ODD, odd=1) == pytest.approx(1)
    assert correlation(ODD, -ODD) == pytest.approx(-1)
    assert correlation(EVEN, EVEN, odd=1) == pytest.approx(-1)


@pytest.mark.parametrize("angle", np.linspace(0, np.pi / 2, 5))
def test_of_a_mixture_it_is_the_difference_of_the_shares(angle):
    a, b = np.cos(angle), np.sin(angle)
    found = correlation(a * EVEN + b * ODD, a * EVEN - b * ODD)
    assert found == pytest.approx(a**2 - b**2, abs=0.02)


def test_neither_the_scale_nor_the_middle_of_a_code_counts():
    wanted = correlation(EVEN, 0.1 * EVEN + ODD)
    for scale in (0.03, 10):
        found = correlation(scale * EVEN + 5, 0.1 * EVEN + ODD - 3)
        assert found == pytest.approx(wanted, abs=1e-3)


def test_of_a_constant_code_it_is_0_and_its_gradient_is_finite():
    value, gradient = jax.value_and_grad(
        lambda outputs: correlations(ONE, outputs, outputs, 0)["u"]
    )(jnp.ones((8, 1)))
    assert value == 0 and np.isfinite(gradient).all()


def test_the_last_continuous_codes_are_the_odd_ones_and_categories_do_not_count():
    codes = (
        Code("digit", "categorical", 3),
        Code("a", "uniform"),
        Code("b", "uniform"),
    )
    draws = np.random.default_rng(0).normal(size=(64, 5))
    outputs = jnp.asarray(draws, jnp.float32)
    found = correlations(LatentSpec(codes, 1, fixed_sd=0.1), outputs, outputs, odd=1)
    assert found == {"a": pytest.approx(1), "b": pytest.approx(-1)}


TURN = np.random.default_rng(1).uniform(-np.pi, np.pi, N).astype(np.float32)
ANGLE = LatentSpec((Code("turn", "angle"),), 1, fixed_sd=0.1)


@pytest.mark.parametrize(
    ("mirrored", "even", "odd"),
    [
        (TURN, 1, 0),
        (-TURN, 0, 1),
        (TURN + np.pi, -1, 0),
        (np.pi - TURN, 0, -1),
        (TURN + 1, np.cos(1), 0),
    ],
    ids=["the same", "negative", "half a turn", "over the other axis", "turned by 1"],
)
def test_of_an_angle_cosine_and_sine_are_even_or_the_sine_alone_is_odd(
    mirrored, even, odd
):
    points = (jnp.stack([jnp.cos(a), jnp.sin(a)], 1) for a in (TURN, mirrored))
    outputs = [3.0 * each for each in points]
    found = [float(correlations(ANGLE, *outputs, odd)["turn"]) for odd in (0, 1)]
    assert found == pytest.approx([even, odd], abs=0.03)


def test_a_continuous_kind_of_one_s_own_counts_as_well(monkeypatch):
    class Posterior(NamedTuple):
        mean: jax.Array
        log_sd: jax.Array

        def log_prob(self, value):
            return value - self.mean

    class Own(ContinuousKind):
        def output_size(self, size, spread):
            return 2

        def unpack(self, outputs, spread):
            return Posterior(outputs[:, 0], outputs[:, 1])

    monkeypatch.setitem(KINDS, "own", Own())
    codes = Code("a", "uniform"), Code("turn", "own")
    outputs = jnp.asarray(np.random.default_rng(0).normal(size=(64, 3)), jnp.float32)
    found = correlations(LatentSpec(codes, 1, fixed_sd=0.1), outputs, outputs, odd=1)
    assert found == {"a": pytest.approx(1), "turn": pytest.approx(-1)}


def test_q_sees_the_real_images_with_left_and_right_exchanged():
    spec = LatentSpec((Code("u", "uniform", weight=0.5),), 1, fixed_sd=0.1)
    images = np.random.default_rng(0).normal(size=(64, 2, 3, 1))
    images = jnp.asarray(images, jnp.float32)
    shown = []

    def see(batch):
        shown.append(batch)
        left = batch[:, 0, 0]  # Q: the upper left pixel
        return Shown(batch, left, left, {})

    view = View(spec, {}, see(images), see(images), jnp.zeros((64, 0)), see, see, None)
    value, metrics = Parity(3.0, odd=1).weighted_correlations(view)
    np.testing.assert_array_equal(shown[-1], np.flip(images, axis=2))
    expected = correlations(spec, images[:, 0, 0], images[:, 0, 2], 1)["u"]
    chex.assert_trees_all_close(metrics, {"parity/u": expected})
    assert value == pytest.approx(3.0 * 0.5 * float(expected))


def test_it_is_off_by_default():
    assert Parity().terms() == ()
