"""The beta-VAE score (Higgins et al. 2017)."""

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression

from infogan_jax.analysis.metrics.disentanglement.shared_factor import (
    Shared,
    draw_factors,
    draw_groups,
)
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors, varying


def beta_vae(
    codes: Codes,
    factors: Factors,
    rng: np.random.Generator,
    *,
    pairs: int = 64,
    train: int = 10_000,
    test: int = 5_000,
) -> float:
    """The beta-VAE score: accuracy of a linear classifier (Higgins et al. 2017).

    A point is the absolute difference of the codes of two images that share one
    factor, averaged over `pairs` such pairs; its class is the factor. The classifier
    is a logistic regression, the score its accuracy on fresh points: 1 is perfect,
    chance is 1 / (number of factors). Sizes as in Locatello et al. (2019).

    Codes are divided by their sd, so that their units do not matter.
    """
    codes, factors = varying(codes, factors)
    codes = codes / codes.std(axis=0)
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(*_differences(codes, factors, rng, pairs, train))
    return float(classifier.score(*_differences(codes, factors, rng, pairs, test)))


def _differences(
    codes: Codes, factors: Factors, rng: np.random.Generator, pairs: int, count: int
) -> tuple[Float[np.ndarray, "count codes"], Shared]:
    times = draw_factors(factors, rng, count)
    points = []
    for factor, groups in zip(factors.T, times, strict=True):
        first, second = draw_groups(factor, rng, groups * pairs, 2).T
        distances = np.abs(codes[first] - codes[second])
        points.append(distances.reshape(groups, pairs, -1).mean(axis=1))
    return np.concatenate(points), np.repeat(np.arange(len(times)), times)
