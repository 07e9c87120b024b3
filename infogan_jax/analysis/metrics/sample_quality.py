"""Distances between generated and real images in a space of features.

The Frechet distance mixes fidelity and diversity; the other scores separate them.
Precision and density are low if generated images are unlike real ones. Recall and
coverage are low if some real images have no generated image near them.
"""

import math

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

Real = Float[np.ndarray, "n features"]
Generated = Float[np.ndarray, "m features"]

ROUNDING = 1e-7
"""Error of a distance, as a share of the root mean square norm of the features."""

PAIRS_AT_A_TIME = 1024
"""Rows of a matrix of pairs that are held in memory at a time."""

WORKING_MEMORY = 256
"""Mebibytes of distances that are held in memory at a time."""


def frechet_distance(real: Real, generated: Generated) -> float:
    """Returns the squared Frechet distance of Gaussians fitted to the features.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), Heusel et al. 2017, eq. 6 (the FID,
    where the features are Inception's). At least 0, in squared units of the
    features. It grows when there are fewer samples: compare equal numbers only.

    The trace of (C C')^(1/2) is the sum of the singular values of C^(1/2) C'^(1/2):
    they are the roots of the eigenvalues of the symmetric C^(1/2) C' C^(1/2). In
    this form no complex number arises, even if C is singular.
    """
    shift = _mean(real) - _mean(generated)
    covariances = [_covariance(features) for features in (real, generated)]
    traces = sum(np.trace(covariance) for covariance in covariances)
    first, second = (_root(covariance) for covariance in covariances)
    overlap = np.linalg.svd(first @ second, compute_uv=False).sum()
    return max(float(shift @ shift + traces - 2.0 * overlap), 0.0)


def kernel_distance(real: Real, generated: Generated) -> float:
    """Returns an unbiased estimate of the squared kernel distance of the features.

    MMD^2 with the kernel k(x, y) = (x . y / d + 1)^3 for d features, Binkowski et al.
    2018, section 4 (the KID, where the features are Inception's). For equal
    distributions its expectation is 0 at any number of samples; it may be negative.
    """
    within = [_mean_kernel(each, each, len(each)) for each in (real, generated)]
    return float(sum(within) - 2.0 * _mean_kernel(real, generated, 0))


def _mean_kernel(first: np.ndarray, second: np.ndarray, equal: int) -> float:
    """Returns the mean of k over all pairs, without `equal` pairs of one sample."""
    total, size = 0.0, first.shape[1]
    second = second.astype(np.float64)
    for start in range(0, len(first), PAIRS_AT_A_TIME):
        rows = first[start : start + PAIRS_AT_A_TIME].astype(np.float64)
        total += np.sum((rows @ second.T / size + 1.0) ** 3)
    if equal:
        total -= np.sum((np.sum(second**2, axis=1) / size + 1.0) ** 3)
    return total / (len(first) * len(second) - equal)


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(axis=0, dtype=np.float64)


def _covariance(features: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(features, rowvar=False, dtype=np.float64))


def _root(covariance: np.ndarray) -> np.ndarray:
    """Returns the symmetric root, with negative eigenvalues (rounding) set to 0."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def precision_recall(
    real: Real, generated: Generated, k: int = 3
) -> tuple[float, float]:
    """Returns improved precision and recall, each in [0, 1].

    A sample's ball reaches to its k-th nearest neighbour in its own set. Precision is
    the share of generated samples inside the ball of any real one; recall is the
    share of real samples inside the ball of any generated one (Kynkaanniemi et al.
    2019, eq. 1 and 2, with k = 3).
    """
    real, generated = _centred(real, generated)
    precision = np.mean(_balls_around(generated, real, _radii(real, k)) > 0)
    recall = np.mean(_balls_around(real, generated, _radii(generated, k)) > 0)
    return float(precision), float(recall)


def density_coverage(
    real: Real, generated: Generated, k: int = 5
) -> tuple[float, float]:
    """Returns density (at least 0) and coverage (in [0, 1]).

    Density is the mean number of real balls around a generated sample, over k; it is
    expected to be 1 if the two distributions are equal. Coverage is the share of real
    balls that contain a generated sample. Only real samples have balls, so generated
    outliers cannot raise either score (Naeem et al. 2020, section 3.2, with k = 5).

    Balls are closed: the density of a set against itself is (k + 1) / k.
    """
    real, generated = _centred(real, generated)
    radii = _radii(real, k)
    density = np.mean(_balls_around(generated, real, radii)) / k
    nearest, _ = NearestNeighbors(n_neighbors=1).fit(generated).kneighbors(real)
    return float(density), float(np.mean(nearest[:, 0] <= radii))


def _centred(real: Real, generated: Generated) -> tuple[Real, Generated]:
    """Subtracts the real mean from both: rounding errors of distances get smaller."""
    return real - _mean(real), generated - _mean(real)


def _radii(features: np.ndarray, k: int) -> Float[np.ndarray, "n"]:
    """Returns the distances to the k-th neighbour, plus the rounding error."""
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(features)
    distances, _ = search.kneighbors()
    return distances[:, -1] + ROUNDING * math.sqrt(np.mean(np.sum(features**2, axis=1)))


def _balls_around(
    points: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> Int[np.ndarray, "n"]:
    """Returns the number of balls that contain each point."""
    parts = pairwise_distances_chunked(points, centres, working_memory=WORKING_MEMORY)
    return np.concatenate([(part <= radii).sum(axis=1) for part in parts])


def class_shares(
    classes: Int[np.ndarray, "n"], n_classes: int
) -> Float[np.ndarray, "n_classes"]:
    """Returns the share of samples in each class; classes are numbered from 0."""
    return np.bincount(classes, minlength=n_classes) / len(classes)


def classes_found(shares: Float[np.ndarray, "n_classes"], least: float = 0.1) -> float:
    """Returns the share of classes with at least `least` times an equal share."""
    return float(np.mean(shares * len(shares) >= least))


def class_divergence(shares: Float[np.ndarray, "n_classes"]) -> float:
    """Returns KL(shares || uniform) in nats: 0 if equal, ln n_classes for one class."""
    positive = shares[shares > 0]
    return float(np.sum(positive * np.log(positive * len(shares))))
