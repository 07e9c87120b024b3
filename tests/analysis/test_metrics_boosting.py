"""The weights of the next component, against theorem 1 of AdaGAN and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogan_jax.analysis.metrics.boosting import (
    divergence,
    effective_size,
    mixture_weights,
    optimal_weights,
)

DATA = np.array([0.4, 0.3, 0.2, 0.1])
MIXTURE = np.array([0.7, 0.3, 0.0, 0.0])

NUMBERS = st.lists(st.floats(0.0, 50.0), min_size=2, max_size=20).map(np.array)
BETAS = st.floats(0.05, 1.0)
MASSES = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=8).map(
    lambda numbers: np.array(numbers) / np.sum(numbers)
)


def odds(shares):
    shares = np.array(shares)
    return (1 - shares) / shares


@pytest.mark.parametrize(
    ("beta", "level", "best", "reached"),
    [
        (0.2, 2 / 3, (0, 0, 2 / 3, 1 / 3), 0.026804),
        (0.3, 0.85, (0, 0.15, 0.17 / 0.3, 0.085 / 0.3), 0.008211),
        (0.5, 1.0, (0.1, 0.3, 0.4, 0.2), 0.0),
        (0.9, 1.0, (0.33 / 0.9, 0.3, 0.2 / 0.9, 0.1 / 0.9), 0.0),
    ],
)
def test_the_best_component_of_four_values_is_that_worked_out_by_hand(
    beta, level, best, reached
):
    weights = optimal_weights(MIXTURE / DATA, beta, DATA)
    assert weights.level == pytest.approx(level)
    np.testing.assert_allclose(weights.values, best, atol=1e-12)
    mixed = (1 - beta) * MIXTURE + beta * weights.values
    assert divergence(mixed, DATA) == pytest.approx(reached, abs=1e-6)


def test_no_random_component_comes_nearer_to_the_data_than_the_best_one():
    beta, generator = 0.3, np.random.default_rng(0)
    best = optimal_weights(MIXTURE / DATA, beta, DATA).values
    least = divergence((1 - beta) * MIXTURE + beta * best, DATA)
    for other in generator.dirichlet(np.ones(4), 2000):
        assert divergence((1 - beta) * MIXTURE + beta * other, DATA) >= least


def test_the_divergence_of_what_never_meets_is_two_bits_in_nats():
    apart = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert divergence(*apart) == pytest.approx(2 * np.log(2))
    assert divergence(MIXTURE, DATA) == pytest.approx(0.249376, abs=1e-6)


@pytest.mark.parametrize(
    ("shares", "beta", "level", "values"),
    [
        (
            (0.9, 0.8, 0.6, 0.5, 0.3, 0.1),
            1 / 2,
            1.003472,
            (0.315972, 0.292824, 0.22338, 0.167824, 0, 0),
        ),
        (
            (0.9, 0.8, 0.6, 0.5, 0.3, 0.1),
            1 / 3,
            0.837963,
            (0.381944, 0.335648, 0.196759, 0.085648, 0, 0),
        ),
        (
            (0.9, 0.8, 0.6, 0.5, 0.3, 0.1),
            0.1,
            0.4625,
            (0.604167, 0.395833, 0, 0, 0, 0),
        ),
        (
            (0.45, 0.4, 0.35, 0.3),
            1 / 2,
            1.364087,
            (0.376488, 0.307044, 0.217758, 0.09871),
        ),
    ],
)
def test_an_estimated_d_gives_the_weights_worked_out_by_hand_also_above_one(
    shares, beta, level, values
):
    weights = optimal_weights(odds(shares), beta)
    assert weights.level == pytest.approx(level, abs=1e-6)
    np.testing.assert_allclose(weights.values, values, atol=1e-6)


def test_components_of_one_mode_each_reach_five_modes_in_five_rounds():
    data, mixture = np.full(5, 0.2), np.eye(5)[0]
    levels, reached = [], []
    for number in range(2, 6):
        weights = optimal_weights(mixture / data, 1 / number, data)
        component = np.eye(5)[np.argmax(weights.values)]
        mixture = (1 - 1 / number) * mixture + component / number
        levels.append(weights.level)
        reached.append(divergence(mixture, data))
    np.testing.assert_allclose(levels, (0.625, 5 / 9, 0.625, 1), atol=1e-9)
    np.testing.assert_allclose(reached, (0.548717, 0.327793, 0.149764, 0), atol=1e-6)
    np.testing.assert_allclose(mixture, data)


@given(MASSES, st.data(), st.floats(0.05, 0.95))
@settings(max_examples=60, deadline=None)
def test_a_step_with_the_best_component_is_bounded_as_in_lemma_2(data, draw, beta):
    numbers = st.lists(st.floats(0.0, 1.0), min_size=len(data), max_size=len(data))
    made = np.array(draw.draw(numbers)) + 1e-6
    mixture = made / made.sum()
    best = optimal_weights(mixture / data, beta, data)
    kept = (1 - beta) * mixture
    reached = divergence(kept + beta * best.values, data)
    assert reached <= divergence(kept + beta * data, data) + 1e-9
    assert reached <= (1 - beta) * divergence(mixture, data) + 1e-9
    assert beta - 1e-9 <= best.level <= 1 + 1e-9


@given(NUMBERS, BETAS)
@settings(max_examples=100, deadline=None)
def test_weights_sum_to_one_and_fall_as_the_ratio_grows(ratios, beta):
    values, level = optimal_weights(ratios, beta)
    assert values.sum() == pytest.approx(1)
    assert np.all(np.diff(values[np.argsort(ratios, kind="stable")]) <= 1e-12)
    unscaled = np.maximum(level - (1 - beta) * ratios, 0) / beta / len(ratios)
    np.testing.assert_allclose(values, unscaled, rtol=1e-9, atol=1e-12)


@given(NUMBERS, BETAS, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_examples_does_not_matter(ratios, beta, random):
    places = list(range(len(ratios)))
    random.shuffle(places)
    values, level = optimal_weights(ratios, beta)
    others, other = optimal_weights(ratios[places], beta)
    assert other == pytest.approx(level)
    np.testing.assert_allclose(others, values[places], atol=1e-12)


@given(MASSES, BETAS, st.floats(0.0, 10.0))
@settings(max_examples=40, deadline=None)
def test_where_all_ratios_are_equal_the_weights_are_the_prior(prior, beta, ratio):
    same = optimal_weights(np.full(len(prior), ratio), beta, prior)
    np.testing.assert_allclose(same.values, prior, rtol=1e-6)


def test_a_component_that_replaces_the_mixture_learns_all_of_the_data():
    weights = optimal_weights(np.array([9.0, 0.1, 2.0, 0.0]), 1.0, DATA)
    assert weights.level == pytest.approx(1)
    np.testing.assert_allclose(weights.values, DATA)


def test_what_the_mixture_never_makes_has_the_largest_weight():
    values, _ = optimal_weights(np.array([1.5, 0.0, 0.7, 999.0]), 0.25)
    assert np.argmax(values) == 1 and values[3] == 0


def test_shares_of_one_over_t_make_all_components_equal():
    betas = [1, 1 / 2, 1 / 3, 1 / 4]
    np.testing.assert_allclose(mixture_weights(betas), np.full(4, 1 / 4))
    np.testing.assert_allclose(mixture_weights([1, 0.3, 0.3]), (0.49, 0.21, 0.3))


def test_the_effective_size_counts_equal_weights():
    assert effective_size(np.array([0.25] * 4)) == pytest.approx(4)
    assert effective_size(np.array([1.0, 0, 0])) == pytest.approx(1)
    assert effective_size(np.array([0.5, 0.5, 0])) == pytest.approx(2)
