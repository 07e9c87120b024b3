"""Scores of codes against known factors: extremes, invariances, values by hand."""

import numpy as np
import pytest

from infogan_jax.analysis.metrics.disentanglement import dci as forests
from infogan_jax.analysis.metrics.disentanglement.beta_vae import beta_vae
from infogan_jax.analysis.metrics.disentanglement.dci import completeness, dci
from infogan_jax.analysis.metrics.disentanglement.explicitness import explicitness
from infogan_jax.analysis.metrics.disentanglement.factor_vae import factor_vae
from infogan_jax.analysis.metrics.disentanglement.mig import mig
from infogan_jax.analysis.metrics.disentanglement.modularity import modularity
from infogan_jax.analysis.metrics.disentanglement.sap import linear_svm, sap
from infogan_jax.analysis.metrics.disentanglement.shared_factor import draw_groups
from infogan_jax.analysis.metrics.disentanglement.tables import gap

LN2 = np.log(2.0)
near = pytest.approx
SIZES = {"train": 1000, "test": 1000}
VALUES = 4  # of each of three factors


def seeded(score, **switches):
    return lambda *tables: score(*tables, np.random.default_rng(0), **switches)


SCORES = {
    "beta_vae": seeded(beta_vae, **SIZES),
    "factor_vae": seeded(factor_vae, **SIZES, least_variance=0.0),
    "mig": mig,
    "modularity": modularity,
    "sap": seeded(sap),
    "explicitness": seeded(explicitness),
    "dci": seeded(dci),
}
each_score = pytest.mark.parametrize("name", SCORES)


def every_combination(*counts, times=1):
    """All combinations of the values of factors, each equally often."""
    table = np.stack(np.meshgrid(*map(np.arange, counts)), axis=-1)
    return np.tile(table.reshape(-1, len(counts)), (times, 1))


def rescaled(factors):
    return 2.0 * (factors - factors.mean(axis=0)) / factors.std(axis=0) + 1.0


def explicitness_of_values(values):
    """2 AUC - 1 of each value against the rest, with one linear code."""
    places = np.arange(values)
    return 2.0 * np.maximum(places, places[::-1]) / (values - 1) - 1.0


EXPLICITNESS = explicitness_of_values(VALUES).mean()
EXTREMES = {  # a code for each factor; two of three codes rotated by 45 degrees; noise
    "beta_vae": (1.0, near(2 / 3, abs=0.05), near(1 / 3, abs=0.06)),
    "factor_vae": (1.0, near(2 / 3, abs=0.05), near(1 / 3, abs=0.06)),
    "mig": (near(1.0), near(1 / 3), near(0.0, abs=0.01)),
    "modularity": (near(1.0), near((1 / 2 + 1 / 2 + 1) / 3), near(0.25, abs=0.25)),
    # The best code leads over one at chance, 1 / VALUES.
    "sap": (near(3 / 4, abs=0.03), near(3 / 4 / 3, abs=0.04), near(0.0, abs=0.02)),
    "explicitness": (
        near(EXPLICITNESS, abs=0.03),
        near(EXPLICITNESS, abs=0.03),
        near(0, abs=0.05),
    ),
    "dci": (
        near((1.0, 1.0, 1.0)),
        near(((1 + 2 * (1 - LN2 / np.log(3))) / 3,) * 2 + (1.0,), abs=0.1),
        near((0.0, 0.0, 1 / VALUES), abs=0.1),
    ),
}


@pytest.fixture(scope="module")
def factors():
    return every_combination(*[VALUES] * 3, times=40)


@pytest.fixture(scope="module")
def perfect(factors):
    return rescaled(factors)


@pytest.fixture(scope="module")
def noisy(perfect):
    """Mixed codes with noise, so that no score is near 0 or 1."""
    mixing = np.array([[1.0, 0.95, 0.1], [-0.9, 1.0, 0.2], [0.4, 0.0, 1.0]])
    noise = np.random.default_rng(0).normal(0, 0.7, perfect.shape)
    return (perfect - perfect.mean(axis=0)) @ mixing + noise


@pytest.fixture(scope="module")
def noisy_scores(noisy, factors):
    """The scores of the noisy codes."""
    scores = {name: score(noisy, factors) for name, score in SCORES.items()}
    assert all(0.05 < np.min(x) <= np.max(x) < 0.95 for x in scores.values())
    return scores


@each_score
def test_a_code_for_each_factor_has_the_highest_score(name, perfect, factors):
    assert SCORES[name](perfect, factors) == EXTREMES[name][0]


@each_score
def test_two_codes_rotated_by_45_degrees_are_entangled(name, perfect, factors):
    rotated = perfect - perfect.mean(axis=0)
    rotated[:, :2] = rotated[:, :2] @ np.array([[1.0, 1.0], [-1.0, 1.0]]) * np.sqrt(0.5)
    rotated = np.round(rotated, 6)  # without rounding errors between equal sums
    assert SCORES[name](rotated, factors) == EXTREMES[name][1]


@each_score
def test_independent_codes_score_chance(name, factors):
    noise = np.random.default_rng(1).normal(size=(len(factors), 5))
    assert SCORES[name](noise, factors) == EXTREMES[name][2]


@each_score
def test_order_names_units_and_signs_do_not_matter(name, noisy, factors, noisy_scores):
    moved = noisy[:, [2, 0, 1]] * np.array([-1.0, 0.001, 99.0]) + np.array([3, -1, 0])
    score = SCORES[name](moved.astype(np.float32), factors)
    assert score == near(noisy_scores[name], abs=0.04)
    renamed = np.array([7, -2, 90, 11])[factors][:, [1, 2, 0]]
    assert SCORES[name](noisy, renamed) == near(noisy_scores[name], abs=0.04)


@each_score
def test_constant_columns_change_nothing(name, noisy, factors, noisy_scores):
    dead, fixed = np.full((len(noisy), 1), 0.1), np.full((len(noisy), 1), 7)
    codes, factors = np.hstack([dead, noisy, dead]), np.hstack([factors, fixed])
    assert SCORES[name](codes, factors) == noisy_scores[name]


def test_noise_looks_modular_where_one_factor_has_many_more_values():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(20_000, 10))
    even, uneven = (rng.integers(0, [k, 11], (20_000, 2)) for k in (11, 2))
    assert modularity(noise, even) < 0.25
    ratio = (2 - 1) / (11 - 1)  # of the biases
    assert modularity(noise, uneven) == near(1.0 - ratio**2, abs=0.02)


def test_a_rotation_does_not_change_the_explicitness(noisy, factors, noisy_scores):
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    score = SCORES["explicitness"](noisy @ rotation, factors)
    assert score == near(noisy_scores["explicitness"], abs=0.01)


def test_a_copy_of_each_code_lowers_only_gaps_and_completeness(perfect, factors):
    twice = np.hstack([perfect, -perfect])
    assert mig(twice, factors) == near(0.0, abs=1e-12)
    assert SCORES["sap"](twice, factors) == near(0.0, abs=1e-12)
    for name in ("factor_vae", "beta_vae", "modularity"):
        assert SCORES[name](twice, factors) == near(1.0)
    disentangled, complete, _ = SCORES["dci"](twice, factors)
    assert disentangled == near(1.0) and complete < 0.8


def test_the_gap_of_a_single_code_is_its_score():
    assert gap(np.array([[0.7, 0.5]])) == near(0.6)
    three = np.array([[0.7, 0.1], [0.2, 0.5], [0.6, 0.5]])
    assert gap(three) == near((0.1 + 0.0) / 2)


def test_information_of_small_tables_by_hand():
    factors = every_combination(2, 2, 2)
    a, b, c = factors.T
    both = a & b  # 1 in a quarter of the rows; a is 1 in a third of the others
    information = LN2 - 0.75 * (np.log(3) - 2 / 3 * LN2)
    assert mig(np.c_[both] * 1.0, factors) == near(2 * information / LN2 / 3)
    assert mig(np.c_[a, both] * 1.0, factors) == near(1 / 3)
    assert modularity(np.c_[a, both] * 1.0, factors) == near((1 + 1 / 2) / 2)
    mostly_a = np.c_[2.0 * a + (b & c)]
    assert modularity(mostly_a, factors) == near(1 - (information / LN2) ** 2)
    with pytest.raises(ValueError, match="no code has information"):
        modularity(np.c_[a ^ b] * 1.0, factors[:, :2])
    many = every_combination(40, 2)  # two of the 40 values share a bin
    assert mig(rescaled(many), many) == near((np.log(20) / np.log(40) + 1) / 2)


def test_importances_by_hand():
    split = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]])
    assert forests.disentanglement(split) == near(1.0)
    assert completeness(split[:, :2]) == near((1 + 1 - LN2 / np.log(3)) / 2)
    skewed = np.array([[0.9, 0.3], [0.1, 0.7]])
    p = np.array([1 / 4, 1 / 8, 0.1, 0.3])
    bits = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    expected = 0.6 * (1 - bits[0]) + 0.4 * (1 - bits[1])
    assert forests.disentanglement(skewed) == near(expected)
    assert completeness(skewed) == near(1 - (bits[2] + bits[3]) / 2)
    even = np.full((4, 3), 0.25)
    assert forests.disentanglement(even) == near(0.0, abs=1e-12)
    assert completeness(even) == near(0.0, abs=1e-12)


def test_a_linear_svm_is_worse_than_thresholds_for_many_values():
    factors = every_combination(40, 2, times=20)
    codes = rescaled(factors)
    assert SCORES["sap"](codes, factors) == near((39 / 40 + 1 / 2) / 2, abs=0.05)
    svm = seeded(sap, predictability=linear_svm)
    assert svm(codes, factors) == near(svm(codes / 1000, factors))
    assert svm(codes, factors) < 0.3


def test_one_code_for_each_value_is_explicit():
    factors = every_combination(5, 3, times=60)
    scaled = np.concatenate(
        [explicitness_of_values(5), explicitness_of_values(3)]
    ).mean()
    one_hot = np.hstack([np.eye(5)[factors[:, 0]], np.eye(3)[factors[:, 1]]])
    assert SCORES["explicitness"](rescaled(factors), factors) == near(scaled, abs=0.05)
    assert SCORES["explicitness"](one_hot, factors) == near(1.0)


def test_groups_share_a_value_and_are_drawn_evenly():
    labels = np.array([5, -1, 5, 5, -1, 5])
    rows = draw_groups(labels, np.random.default_rng(0), (6000, 3))
    assert np.ptp(labels[rows], axis=1).max() == 0
    counts = np.bincount(rows.reshape(-1)) / rows.size
    np.testing.assert_allclose(counts, 1 / 6, atol=0.02)


def test_a_code_of_small_variance_gets_no_vote():
    factors = every_combination(4, 4, times=50)
    codes = rescaled(factors) * np.array([1.0, 0.05])
    pruned, whole = seeded(factor_vae, **SIZES), SCORES["factor_vae"]
    assert pruned(codes, factors) == near(1 / 2, abs=0.05)
    assert (pruned(0.01 * codes, factors), whole(codes, factors)) == (0.0, 1.0)


@each_score
def test_tables_without_a_defined_score_are_refused(name, perfect, factors):
    score = SCORES[name]
    with pytest.raises(ValueError, match="0 of 3 codes and 3 of 3 factors vary"):
        score(np.zeros_like(perfect), factors)
    with pytest.raises(ValueError, match="3 of 3 codes and 1 of 2 factors vary"):
        score(perfect, factors[:, :2] * np.array([1, 0]))
    with pytest.raises(ValueError, match="codes must be finite"):
        score(np.where(perfect > 2, np.nan, perfect), factors)


def test_a_single_random_code_separates_nothing_and_a_single_perfect_one_does():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(5, size=4000), rng.integers(5, size=4000)], axis=1)
    noise = rng.standard_normal((4000, 1))
    assert SCORES["sap"](noise, factors) == near(0.0, abs=0.03)
    one = factors[:, :1].astype(np.float64)
    assert SCORES["sap"](one, factors) == near((1 - 1 / 5) / 2, abs=0.03)
