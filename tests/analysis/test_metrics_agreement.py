"""Two runs that found the same agree, whatever they call it; accidents are alone."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics.agreement import agreement, with_the_others

RANDOM = np.random.default_rng(0)
DIGIT, OTHER = RANDOM.integers(0, 10, (2, 2000))
SLANT, WIDTH, NOTHING = RANDOM.normal(size=(3, 2000))
FOUND = {"digit": DIGIT, "slant": SLANT, "width": WIDTH}


def test_names_orders_signs_and_scales_of_codes_do_not_matter():
    renamed = {
        "a": np.exp(WIDTH),
        "b": RANDOM.permutation(10)[DIGIT],
        "c": -3.0 * SLANT + 1.0,
    }
    assert agreement(FOUND, renamed) == pytest.approx(1.0)


def test_it_is_the_mean_over_codes_of_either_kind():
    other = {"digit": OTHER, "slant": SLANT, "width": NOTHING}
    assert agreement(FOUND, other) == pytest.approx(1 / 3, abs=0.03)
    assert agreement(FOUND, other) == agreement(other, FOUND)


def test_codes_are_paired_with_the_largest_sum_not_one_after_the_other():
    rank = np.arange(5.0)
    one = {"a": rank, "b": np.array([0.0, 1, 2, 4, 3])}
    other = {"a": np.array([0.0, 1, 2, 4, 3]), "b": np.array([4.0, 3, 2, 1, 0])}
    assert agreement(one, other) == pytest.approx(1.0)


def test_a_rank_correlation_by_hand():
    one, other = np.arange(5.0), np.array([0.0, 1, 2, 4, 3])
    by_hand = 1 - 6 * (1 + 1) / (5 * 24)  # 1 - 6 sum d^2 / n (n^2 - 1)
    assert agreement({"a": one}, {"b": other}) == pytest.approx(by_hand)


def test_one_code_that_two_share_counts_once():
    assert agreement({"a": SLANT, "b": WIDTH}, {"c": SLANT}) == pytest.approx(1.0)


def test_a_code_that_never_changes_agrees_with_none():
    assert agreement({"a": np.zeros(9)}, {"a": np.arange(9.0)}) == 0.0
    still = {"a": np.zeros(9, int)}
    assert agreement(still, {"a": np.arange(9) % 3}) == pytest.approx(0.0)


def test_the_run_that_found_something_else_agrees_least_with_the_others():
    noisy = {"digit": np.where(RANDOM.random(2000) < 0.1, OTHER, DIGIT)}
    runs = [{"digit": DIGIT}, {"digit": OTHER}, noisy]
    scores = with_the_others(runs)
    assert scores.argmin() == 1
    assert scores[0] == pytest.approx(
        (agreement(runs[0], runs[1]) + agreement(runs[0], noisy)) / 2
    )


def test_a_run_alone_or_without_a_common_kind_is_refused():
    with pytest.raises(ValueError, match="no other to agree with"):
        with_the_others([FOUND])
    with pytest.raises(ValueError, match="no code of one kind"):
        agreement({"a": DIGIT}, {"a": SLANT})
