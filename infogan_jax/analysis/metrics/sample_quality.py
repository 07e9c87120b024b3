"""How close generated samples are to real ones, in the space of some features.

The Frechet distance mixes fidelity and diversity; the others tell them apart.
Precision and density fall where samples look like no real image, recall and
coverage where real images look like no sample.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

Real = Float[np.ndarray, "n features"]
Generated = Float[np.ndarray, "m features"]

ROUNDING = 1e-7
MEBIBYTES = 256


def frechet_distance(real: Real, generated: Generated) -> float:
    """The squared Frechet distance of two Gaussians fitted to the features.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), Heusel et al. 2017, eq. 6 (the FID,
    where the features are Inception's). At least 0, in squared units of the
    features. Few samples make it larger: compare equal numbers only.

    The trace of the root is the sum of the singular values of C^(1/2) C'^(1/2),
    which are the roots of the eigenvalues of the symmetric C^(1/2) C' C^(1/2); so
    nothing complex arises where C is singular.
    """
    shift = real.mean(axis=0, dtype=np.float64) - generated.mean(
        axis=0, dtype=np.float64
    )
    covariances = [_covariance(features) for features in (real, generated)]
    traces = sum(np.trace(covariance) for covariance in covariances)
    first, second = (_root(covariance) for covariance in covariances)
    overlap = np.linalg.svd(first @ second, compute_uv=False).sum()
    return max(float(shift @ shift + traces - 2.0 * overlap), 0.0)


def _covariance(features: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(features, rowvar=False, dtype=np.float64))


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric root; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def precision_recall(
    real: Real, generated: Generated, k: int = 3
) -> tuple[float, float]:
    """Improved precision and recall, each in [0, 1].

    Precision is the share of generated samples that lie in the ball of some real
    one; recall is the share of real ones that lie in the ball of some generated
    one. A sample's ball reaches to its k-th nearest neighbour among its own kind
    (Kynkaanniemi et al. 2019, eq. 1 and 2, with k = 3).
    """
    real, generated = _centred(real, generated)
    precision = np.mean(_balls_around(generated, real, _radii(real, k)) > 0)
    recall = np.mean(_balls_around(real, generated, _radii(generated, k)) > 0)
    return float(precision), float(recall)


def density_coverage(
    real: Real, generated: Generated, k: int = 5
) -> tuple[float, float]:
    """Density (at least 0) and coverage (in [0, 1]).

    Density is the number of real balls around a generated sample, over k: 1 is
    expected where the two distributions are the same. Coverage is the share of
    real balls that hold a generated sample. Only real samples have balls, so that
    outliers among the generated ones cannot raise either (Naeem et al. 2020,
    section 3.2, with k = 5).

    Balls are closed: the density of a set against itself is (k + 1) / k.
    """
    real, generated = _centred(real, generated)
    radii = _radii(real, k)
    density = np.mean(_balls_around(generated, real, radii)) / k
    nearest, _ = NearestNeighbors(n_neighbors=1).fit(generated).kneighbors(real)
    return float(density), float(np.mean(nearest[:, 0] <= radii))


def _centred(real: Real, generated: Generated) -> tuple[Real, Generated]:
    """Both less the real mean: distances by matrix products need small numbers."""
    mean = real.mean(axis=0, dtype=np.float64)
    return real - mean, generated - mean


def _radii(features: np.ndarray, k: int) -> Float[np.ndarray, "n"]:
    """Distances to the k-th neighbour, widened by the rounding of distances."""
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(features)
    distances, _ = search.kneighbors()
    return distances[:, -1] + ROUNDING * math.sqrt(np.mean(np.sum(features**2, axis=1)))


def _balls_around(
    points: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> Int[np.ndarray, "n"]:
    """In how many balls each point lies, a part of the distances at a time."""
    parts = pairwise_distances_chunked(points, centres, working_memory=MEBIBYTES)
    return np.concatenate([(part <= radii).sum(axis=1) for part in parts])


@dataclass(frozen=True)
class ClassShares:
    """Which classes generated samples belong to, as a classifier sees them.

    Attributes:
      histogram: the share of each class.
      found: the share of classes that are not missing.
      divergence: KL(histogram || uniform) in nats, from 0 (all classes alike) to
        ln n_classes (a single class).
    """

    histogram: Float[np.ndarray, "n_classes"]
    found: float
    divergence: float


def class_shares(
    predicted: Int[np.ndarray, "n"], n_classes: int, least: float = 0.1
) -> ClassShares:
    """The classes of samples, and how far they are from alike.

    Args:
      predicted: the class of each sample, from 0 on.
      n_classes: how many classes there are.
      least: a class counts as found if its share is at least `least` times the
        expected 1 / n_classes.
    """
    histogram = np.bincount(predicted, minlength=n_classes) / len(predicted)
    seen = histogram[histogram > 0]
    return ClassShares(
        histogram,
        float(np.mean(histogram * n_classes >= least)),
        float(np.sum(seen * np.log(seen * n_classes))),
    )
