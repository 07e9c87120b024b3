"""The agreement of runs: invariances, values by hand, and refused input."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics.agreement import agreement, with_the_others

RANDOM = np.random.default_rng(0)
DIGIT, OTHER = RANDOM.integers(0, 10, (2, 2000))
SLANT, WIDTH, NOISE = RANDOM.normal(size=(3, 2000))
RUN = {"digit": DIGIT, "slant": SLANT, "width": WIDTH}


def test_names_orders_signs_and_scales_of_codes_do_not_matter():
    renamed = {
        "a": np.exp(WIDTH),
        "b": RANDOM.permutation(10)[DIGIT],
        "c": -3.0 * SLANT + 1.0,
    }
    assert agreement(RUN, renamed) == pytest.approx(1.0)


def test_the_agreement_is_the_mean_over_categorical_and_continuous_codes():
    other = {"digit": OTHER, "slant": SLANT, "width": NOISE}
    assert agreement(RUN, other) == pytest.approx(1 / 3, abs=0.03)
    assert agreement(RUN, other) == agreement(other, RUN)


def test_an_angle_may_begin_elsewhere_and_turn_the_other_way():
    turn = RANDOM.uniform(-np.pi, np.pi, 2000)
    one = {"slant": SLANT, "turn": np.exp(1j * turn)}
    other = {"a": np.exp(1j * (2 - turn)), "b": -SLANT}
    assert agreement(one, other) == pytest.approx(1.0)
    unrelated = {"a": np.exp(1j * RANDOM.permutation(turn)), "b": -SLANT}
    assert agreement(one, unrelated) == pytest.approx(0.5, abs=0.03)


def test_codes_are_paired_so_that_the_sum_of_similarities_is_largest():
    rank = np.arange(5.0)
    one = {"a": rank, "b": np.array([0.0, 1, 2, 4, 3])}
    other = {"a": np.array([0.0, 1, 2, 4, 3]), "b": np.array([4.0, 3, 2, 1, 0])}
    assert agreement(one, other) == pytest.approx(1.0)


def test_a_rank_correlation_by_hand():
    one, other = np.arange(5.0), np.array([0.0, 1, 2, 4, 3])
    by_hand = 1 - 6 * (1 + 1) / (5 * 24)  # 1 - 6 sum d^2 / n (n^2 - 1)
    assert agreement({"a": one}, {"b": other}) == pytest.approx(by_hand)


def test_a_code_without_a_partner_is_left_out_of_the_mean():
    assert agreement({"a": SLANT, "b": WIDTH}, {"c": SLANT}) == pytest.approx(1.0)


def test_a_constant_code_has_an_agreement_of_zero():
    assert agreement({"a": np.zeros(9)}, {"a": np.arange(9.0)}) == 0.0
    constant = {"a": np.zeros(9, int)}
    assert agreement(constant, {"a": np.arange(9) % 3}) == pytest.approx(0.0)


def test_the_run_with_different_codes_agrees_least_with_the_others():
    noisy = {"digit": np.where(RANDOM.random(2000) < 0.1, OTHER, DIGIT)}
    runs = [{"digit": DIGIT}, {"digit": OTHER}, noisy]
    scores = with_the_others(runs)
    assert scores.argmin() == 1
    assert scores[0] == pytest.approx(
        (agreement(runs[0], runs[1]) + agreement(runs[0], noisy)) / 2
    )


def test_a_single_run_and_runs_without_a_common_kind_are_refused():
    with pytest.raises(ValueError, match="no other to agree with"):
        with_the_others([RUN])
    with pytest.raises(ValueError, match="no code of one kind"):
        agreement({"a": DIGIT}, {"a": SLANT})
