"""Agreement of clusters with classes, and the refitted bound."""

import itertools

import numpy as np
import pytest
from scipy import stats

from infogan_jax.analysis.metrics import clustering, refitted_bound

LN2 = np.log(2.0)
PEAK = stats.norm.logpdf(0)


def test_contingency_counts_each_pair_of_cluster_and_class():
    clusters, classes = np.array([0, 2, 2, 0, 2]), np.array([1, 0, 0, 1, 1])
    table = clustering.contingency(clusters, classes, 4, 2)
    np.testing.assert_array_equal(table, [[0, 2], [0, 0], [2, 1], [0, 0]])


@pytest.mark.parametrize(
    ("table", "matched"),
    [
        ([[0, 5], [4, 0]], [1, 0]),
        # A greedy matching would take 10 + 0; 9 + 8 is more.
        ([[10, 9], [8, 0]], [1, 0]),
        # More clusters than classes: of two clusters of class 0, the smaller gets -1.
        ([[3, 0], [0, 7], [5, 0]], [-1, 1, 0]),
        # More classes than clusters: class 1 is never predicted.
        ([[0, 1, 6], [5, 4, 0]], [2, 0]),
    ],
)
def test_matching_is_one_to_one_with_the_most_agreement(table, matched):
    np.testing.assert_array_equal(clustering.match(np.array(table)), matched)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
def test_matching_is_as_good_as_the_best_of_all_assignments(shape):
    table = np.random.default_rng(0).integers(0, 20, shape)
    matched = clustering.match(table)
    used = matched[matched >= 0]
    assert len(set(used)) == len(used) == min(shape)
    short = table if shape[0] <= shape[1] else table.T
    best = max(
        short[np.arange(len(short)), list(order)].sum()
        for order in itertools.permutations(range(max(shape)), len(short))
    )
    assert table[matched >= 0, used].sum() == best


def _accuracy(clusters, classes, n_clusters, n_classes):
    table = clustering.contingency(clusters, classes, n_clusters, n_classes)
    return clustering.accuracy(clusters, classes, clustering.match(table))


def test_accuracy_is_the_share_of_examples_in_the_class_of_their_cluster():
    clusters = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    classes = np.array([1, 1, 0, 0, 0, 0, 1, 0])
    assert _accuracy(clusters, classes, 2, 2) == 6 / 8


def test_clusters_left_over_count_as_wrong():
    clusters, classes = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 1])
    assert _accuracy(clusters, classes, 3, 2) == pytest.approx(5 / 6)


def test_classes_without_a_cluster_count_as_wrong():
    clusters, classes = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2, 2])
    assert _accuracy(clusters, classes, 2, 3) == pytest.approx(5 / 6)


def test_accuracy_uses_the_given_matching():
    matched = np.array([1, 0, -1])
    clusters, classes = np.array([0, 1, 2, 0]), np.array([1, 0, 0, 0])
    assert clustering.accuracy(clusters, classes, matched) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_no_measure_depends_on_the_order_of_clusters(seed):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 5, 200)
    clusters = np.where(rng.random(200) < 0.7, classes, rng.integers(0, 5, 200))
    renamed = ((np.arange(5) + 1 + seed) % 5)[clusters]
    assert np.mean(renamed == classes) < 0.3
    for measure in (
        lambda found: _accuracy(found, classes, 5, 5),
        lambda found: clustering.nmi(found, classes),
        lambda found: clustering.ari(found, classes),
        lambda found: clustering.purity(found, classes),
    ):
        assert 0.3 < measure(clusters) < 0.9
        assert measure(renamed) == pytest.approx(measure(clusters))


def test_purity_lets_several_clusters_share_a_class():
    clusters = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    classes = np.array([0, 0, 1, 0, 0, 2, 1, 1])
    # Purity counts 2 + 2 + 2; matched one to one, cluster 0 or 1 is left over.
    assert clustering.purity(clusters, classes) == 6 / 8
    assert _accuracy(clusters, classes, 3, 3) == 5 / 8


def test_splitting_clusters_never_lowers_purity():
    clusters, classes = np.random.default_rng(0).integers(0, [[4], [3]], (2, 60))
    parts = [np.minimum(clusters, 0), clusters, 2 * clusters + np.arange(60) % 2]
    found = [clustering.purity(part, classes) for part in [*parts, np.arange(60)]]
    assert found == sorted(found)
    assert found[0] == np.bincount(classes).max() / 60 < found[1]
    assert found[-1] == 1


@pytest.mark.parametrize("measure", [clustering.nmi, clustering.ari])
def test_agreement_is_one_for_equal_partitions_and_zero_for_a_single_cluster(measure):
    classes = np.array([0, 0, 1, 1, 2, 2])
    assert measure(np.array([2, 2, 0, 0, 1, 1]), classes) == pytest.approx(1.0)
    assert measure(np.zeros(6, int), classes) == pytest.approx(0.0, abs=1e-12)


def test_nmi_of_independent_labels_is_zero_and_ari_is_below_chance():
    clusters, classes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert clustering.nmi(clusters, classes) == pytest.approx(0.0, abs=1e-12)
    assert clustering.ari(clusters, classes) == pytest.approx(-0.5)


def test_nmi_divides_by_the_arithmetic_mean_of_the_entropies():
    clusters, classes = np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])
    assert clustering.nmi(clusters, classes) == pytest.approx(LN2 / (1.5 * LN2))


def test_ari_by_hand():
    clusters, classes = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1])
    pairs, by_cluster, by_class = 1 + 3, 3 + 3, 1 + 6
    chance = by_cluster * by_class / 15
    expected = (pairs - chance) / ((by_cluster + by_class) / 2 - chance)
    assert clustering.ari(clusters, classes) == pytest.approx(expected)


def _bound(values, means, entropy=LN2):
    return refitted_bound.refitted_normal_bound(
        np.asarray(values, np.float64), np.asarray(means, np.float64), entropy
    )


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([1, -1, 2, -2], PEAK - 2.0),
        ([2, 2, 1, 1], PEAK - np.log(2) - 1 / 8),
        ([3, 3, 3, 3], PEAK - np.log(3) - 1 / 2),
    ],
)
def test_the_sd_is_fitted_on_the_first_half_and_used_on_the_second(errors, expected):
    assert _bound(errors, np.zeros(4), 0.0) == pytest.approx(expected)
    assert _bound(errors, np.zeros(4), 0.7) == pytest.approx(expected + 0.7)


@pytest.fixture
def uniform_code() -> tuple[np.ndarray, np.ndarray]:
    """Values of a uniform code, and Q's means with errors of sd 0.1."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 4000)
    return values, values + rng.normal(0, 0.1, 4000)


def test_the_refitted_bound_is_above_that_of_a_fixed_sd_of_one(uniform_code):
    values, means = uniform_code
    fixed = LN2 + stats.norm.logpdf(values, means, 1.0).mean()
    assert fixed < LN2 + PEAK < 0
    assert _bound(values, means) == pytest.approx(
        LN2 - np.log(0.1) + PEAK - 0.5, abs=0.05
    )


def test_the_refitted_bound_does_not_change_under_shift_and_sign(uniform_code):
    values, means = uniform_code
    assert _bound(values + 5, means + 5) == pytest.approx(_bound(values, means))
    assert _bound(-values, -means) == pytest.approx(_bound(values, means))


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_the_refitted_bound_does_not_depend_on_the_unit_of_the_code(
    uniform_code, scale
):
    values, means = uniform_code
    scaled = _bound(scale * values, scale * means, LN2 + np.log(scale))
    assert scaled == pytest.approx(_bound(values, means))


def test_the_refitted_bound_falls_with_larger_errors_of_q(uniform_code):
    values, means = uniform_code
    worse = values + 3 * (means - values)
    assert _bound(values, worse) == pytest.approx(_bound(values, means) - np.log(3))


def test_the_refitted_bound_is_negative_for_a_q_that_ignores_the_image(uniform_code):
    values, _ = uniform_code
    expected = LN2 + PEAK - 0.5 - np.log(np.sqrt(1 / 3))
    assert expected < 0
    assert _bound(values, np.zeros(4000)) == pytest.approx(expected, abs=0.03)
    assert _bound(values, values[::-1]) < expected


def test_the_refitted_bound_of_a_perfect_q_is_finite(uniform_code):
    values, _ = uniform_code
    assert _bound(values, values) == pytest.approx(LN2 + PEAK + 6 * np.log(10))
