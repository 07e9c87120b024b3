"""The share of the data inside the region that holds most of what a model makes.

The measure of AdaGAN's experiment with points (Tolstikhin et al. 2017, section 4), with
a Gaussian kernel density estimate of the model.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

Points = Float[np.ndarray, "n dimensions"]

POWERS = range(-7, 7)
"""A bandwidth is the median distance of two points times two to such a power."""

PAIRS = 2**22
"""Pairs of points that are looked at together."""


def coverage(
    real: Points, generated: Float[np.ndarray, "m dimensions"], inside: float = 0.95
) -> float:
    """Returns the share of real points in the densest region that holds `inside`.

    One half of the generated points makes the density estimate. The other half chooses
    its bandwidth by its likelihood, and the threshold: 1 - `inside` of this half has a
    lower density. A model that is equal to the data has `inside`; one that also makes
    points between the modes may have more, up to 1.

    Args:
      real: points of the data.
      generated: at least 4 points of the model, in random order.
      inside: the share of the model's own points in the region.
    """
    centres, others = generated[::2], generated[1::2]
    bandwidth = _best_bandwidth(centres, others)
    threshold = np.quantile(log_density(others, centres, bandwidth), 1.0 - inside)
    return float(np.mean(log_density(real, centres, bandwidth) > threshold))


def log_density(
    points: Points, centres: Float[np.ndarray, "m dimensions"], bandwidth: float
) -> Float[np.ndarray, "n"]:
    """Returns the log of the mean Gaussian density around the centres, in nats."""
    log_volume = points.shape[1] * (math.log(bandwidth) + 0.5 * math.log(math.tau))
    constant = math.log(len(centres)) + log_volume
    rows = max(PAIRS // len(centres), 1)
    parts = []
    for start in range(0, len(points), rows):
        scaled = cdist(points[start : start + rows], centres, "sqeuclidean")
        scaled *= -0.5 / bandwidth**2
        most = scaled.max(axis=1, keepdims=True)
        parts.append(most[:, 0] + np.log(np.exp(scaled - most).sum(axis=1)))
    return np.concatenate(parts) - constant


def _best_bandwidth(centres: Points, others: Float[np.ndarray, "m dims"]) -> float:
    few = others[:500]
    median = np.median(cdist(few, centres))
    bandwidths = [float(median) * 2.0**power for power in POWERS]
    likelihoods = [log_density(few, centres, each).mean() for each in bandwidths]
    return bandwidths[int(np.argmax(likelihoods))]
