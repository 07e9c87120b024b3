"""Distances and balls in feature space: values by hand, and invariances."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from infogan_jax.analysis.metrics import sample_quality

K = 5


def draw(count, features=4, seed=0, centre=0.0):
    rng = np.random.default_rng(seed)
    return centre + rng.normal(size=(count, features))


def with_moments(mean, covariance, count=200, seed=0):
    """Features whose sample mean and covariance are exactly the given ones."""
    x = draw(count, len(mean), seed)
    x = x - x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T).reshape(len(mean), -1))).T
    return white @ np.linalg.cholesky(np.atleast_2d(covariance)).T + mean


def rotated(x):
    turn, _ = np.linalg.qr(draw(x.shape[1], x.shape[1], seed=9))
    return x @ turn


def all_scores(real, generated):
    return np.array(
        [
            sample_quality.frechet_distance(real, generated),
            *sample_quality.precision_recall(real, generated),
            *sample_quality.density_coverage(real, generated),
        ]
    )


def kernel(first, second):
    return (first @ second.T / first.shape[1] + 1) ** 3


def test_kernel_distance_is_the_sum_over_pairs_of_different_samples():
    real, generated = draw(1030, 3), draw(7, 3, seed=1, centre=0.5)
    expected = -2 * kernel(real, generated).mean()
    for x in (real, generated):
        pairs = kernel(x, x)[~np.eye(len(x), dtype=bool)]
        expected += pairs.mean()
    found = sample_quality.kernel_distance(real, generated)
    assert found == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_of_one_distribution_is_zero_at_the_mean_for_few_samples():
    drawn = [(draw(20, 8, 2 * i), draw(20, 8, 2 * i + 1)) for i in range(400)]
    found = [sample_quality.kernel_distance(*pair) for pair in drawn]
    assert abs(np.mean(found)) < 4 * np.std(found) / 20
    moved = [sample_quality.kernel_distance(a, b + 0.5) for a, b in drawn]
    assert np.mean(moved) > 20 * abs(np.mean(found))
    frechet = [sample_quality.frechet_distance(*pair) for pair in drawn[:20]]
    assert np.mean(frechet) > 1, "which is biased where there are few samples"


def test_frechet_distance_of_two_normals_on_the_line():
    # (3 - 1)^2 + (2 - 0.5)^2
    first = with_moments([1.0], [[4.0]])
    second = with_moments([3.0], [[0.25]], seed=1)
    assert sample_quality.frechet_distance(first, second) == pytest.approx(4 + 2.25)


def test_frechet_distance_of_diagonal_covariances():
    first = with_moments([0.0, 1.0, 0.0], np.diag([1.0, 4.0, 9.0]))
    second = with_moments([0.0, 0.0, 2.0], np.diag([4.0, 4.0, 1.0]), seed=1)
    # 1^2 + 2^2 in the means, (2 - 1)^2 + (3 - 1)^2 in the standard deviations.
    assert sample_quality.frechet_distance(first, second) == pytest.approx(5 + 5)


def test_frechet_distance_is_the_formula_of_the_paper_for_any_covariances():
    first, second = draw(50), draw(60, seed=1) @ draw(4, seed=2) + 1
    a, b = np.cov(first.T), np.cov(second.T)
    shift = np.sum((first.mean(0) - second.mean(0)) ** 2)
    expected = shift + np.trace(a + b - 2 * sqrtm(a @ b).real)
    found = sample_quality.frechet_distance(first, second)
    assert found == pytest.approx(expected)
    assert sample_quality.frechet_distance(second, first) == pytest.approx(found)


@pytest.mark.parametrize("count", [3, 100], ids=["fewer than features", "more"])
def test_the_distance_of_a_set_from_itself_is_zero_even_if_its_covariance_is_singular(
    count,
):
    x = np.float32(draw(count, 20))
    assert sample_quality.frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    shifted = sample_quality.frechet_distance(x, x + np.float32(0.5))
    assert shifted == pytest.approx(20 * 0.25, rel=1e-5)


def test_all_samples_of_a_set_are_in_its_own_balls():
    x = draw(300)
    assert sample_quality.precision_recall(x, x) == (1, 1)
    assert sample_quality.density_coverage(x, x, K) == (pytest.approx((K + 1) / K), 1)


def test_copies_of_a_sample_are_in_their_balls_of_radius_zero():
    x = np.repeat(draw(2, 8, centre=1000), 10, axis=0)
    assert sample_quality.precision_recall(x, x) == (1, 1)
    assert sample_quality.density_coverage(x, x)[1] == 1


def test_balls_by_hand():
    real = np.float64([[0], [1], [3], [10]])
    generated = np.float64([[0.5], [5.5], [12], [31]])
    # Real radii with k = 1 are 1, 1, 2, 7; generated ones 5, 5, 6.5, 19.
    assert sample_quality.precision_recall(real, generated, k=1) == (3 / 4, 4 / 4)
    # 0.5 lies in the balls of 0 and 1; 5.5 and 12 in that of 10.
    assert sample_quality.density_coverage(real, generated, k=1) == (4 / 4, 3 / 4)


def test_balls_agree_with_a_table_of_all_distances():
    real, generated = draw(150), draw(130, seed=1, centre=0.5)
    across = cdist(real, generated)

    def radii(x, k):
        return np.sort(cdist(x, x), axis=1)[:, k]

    of_real, of_generated = radii(real, 3)[:, None], radii(generated, 3)
    assert sample_quality.precision_recall(real, generated) == (
        pytest.approx((across <= of_real).any(axis=0).mean()),
        pytest.approx((across <= of_generated).any(axis=1).mean()),
    )
    inside = across <= radii(real, 5)[:, None]
    assert sample_quality.density_coverage(real, generated) == (
        pytest.approx(inside.sum() / (5 * 130)),
        pytest.approx(inside.any(axis=1).mean()),
    )


@pytest.mark.parametrize(
    "move",
    [lambda x: x + 1e6, rotated, lambda x: x[::-1]],
    ids=["shift", "rotation", "order"],
)
def test_the_scores_do_not_change_under_a(move):
    real, generated = draw(200), draw(150, seed=1, centre=0.3)
    found = all_scores(real, generated)
    assert 0 < found[0] < 3 and np.all((0.5 < found[1:]) & (found[1:] < 1.2))
    np.testing.assert_allclose(all_scores(move(real), move(generated)), found)


def test_scale_changes_the_distance_but_not_the_scores_of_balls():
    real, generated = draw(200), draw(150, seed=1, centre=0.3)
    found = all_scores(real, generated) * [49, 1, 1, 1, 1]
    np.testing.assert_allclose(all_scores(7 * real, 7 * generated), found)


def test_distant_sets_have_ball_scores_of_zero():
    scores = all_scores(draw(100), draw(100, seed=1, centre=50))
    assert scores[0] == pytest.approx(4 * 50**2, rel=0.05)
    np.testing.assert_array_equal(scores[1:], 0)


def test_precision_and_recall_swap_when_the_sets_swap():
    real, generated = draw(200), draw(150, seed=1, centre=0.7)
    precision, recall = sample_quality.precision_recall(real, generated)
    assert precision != recall
    assert sample_quality.precision_recall(generated, real) == (recall, precision)


@pytest.fixture
def modes() -> tuple[np.ndarray, np.ndarray]:
    """Two sets of the same five modes of 80 samples."""
    places = np.repeat(20 * np.arange(5), 80)[:, None]
    return draw(400, 2, 0, places), draw(400, 2, 1, places)


def test_dropping_modes_lowers_recall_and_coverage_and_not_precision(modes):
    real, generated = modes
    dropped = generated[: 2 * 80]
    precision, recall = sample_quality.precision_recall(real, generated)
    density, coverage = sample_quality.density_coverage(real, generated)
    assert min(precision, recall, density, coverage) > 0.8
    few_precision, few_recall = sample_quality.precision_recall(real, dropped)
    few_density, few_coverage = sample_quality.density_coverage(real, dropped)
    assert few_precision == pytest.approx(precision, abs=0.1)
    assert few_density == pytest.approx(density, abs=0.1)
    assert few_recall == pytest.approx(0.4, abs=0.1)
    assert few_coverage == pytest.approx(0.4, abs=0.1)


def test_one_outlier_raises_recall_but_neither_density_nor_coverage():
    real, generated = draw(200), draw(200, seed=1, centre=30)
    assert sample_quality.precision_recall(real, generated) == (0, 0)
    generated[0] = -10
    assert sample_quality.precision_recall(real, generated) == (0, 1)
    assert sample_quality.density_coverage(real, generated) == (0, 0)


def test_the_working_memory_does_not_change_the_scores(monkeypatch):
    real, generated = draw(1200), draw(1000, seed=1, centre=0.3)
    found = all_scores(real, generated)
    monkeypatch.setattr(sample_quality, "WORKING_MEMORY", 1)
    np.testing.assert_allclose(all_scores(real, generated), found)


def test_shares_of_classes_by_hand():
    shares = sample_quality.class_shares(np.repeat([0, 1, 2, 3], [60, 39, 1, 0]), 4)
    np.testing.assert_allclose(shares, [0.6, 0.39, 0.01, 0])
    # Class 2 has 0.01, less than 0.1 times the equal share of 0.25.
    assert sample_quality.classes_found(shares) == 2 / 4
    assert sample_quality.classes_found(shares, least=0.04) == 3 / 4
    entropy = -sum(p * np.log(p) for p in (0.6, 0.39, 0.01))
    divergence = sample_quality.class_divergence(shares)
    assert divergence == pytest.approx(np.log(4) - entropy)


def test_divergence_is_zero_for_equal_shares_and_ln_k_for_a_single_class():
    equal = sample_quality.class_shares(np.arange(20) % 5, 5)
    assert sample_quality.class_divergence(equal) == pytest.approx(0)
    single = sample_quality.class_shares(np.full(20, 3), 5)
    assert sample_quality.class_divergence(single) == pytest.approx(np.log(5))
    assert sample_quality.classes_found(single) == 1 / 5
