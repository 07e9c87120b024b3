"""The FactorVAE score (Kim and Mnih 2018)."""

import numpy as np

from infogan_jax.analysis.metrics.clustering import contingency
from infogan_jax.analysis.metrics.disentanglement.shared_factor import measure_groups
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors, varying


def factor_vae(
    codes: Codes,
    factors: Factors,
    rng: np.random.Generator,
    *,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    least_variance: float = 0.05,
) -> float:
    """Returns the FactorVAE score: the accuracy of a majority vote for factors.

    Each batch of images that share one factor votes for the code with the smallest
    variance, relative to its variance over all images; of equal codes, for the first.
    A code predicts the factor from which it got the most of `train` votes. The score is
    the accuracy on `test` new votes: 1 is perfect, chance is 1 / (number of factors).
    Sizes and pruning as in Locatello et al. (2019).

    Codes whose variance over all images is below `least_variance` get no vote; this is
    a share of the prior's variance only if codes are in units of their prior's sd. If
    no code remains, the score is 0.
    """
    codes, factors = varying(codes, factors)
    codes = codes[:, codes.var(axis=0) >= least_variance]
    if not codes.shape[1]:
        return 0.0
    codes = codes / codes.std(axis=0)

    def vote(rows: np.ndarray) -> np.ndarray:
        return codes[rows].var(axis=1).argmin(axis=1)

    votes, shared = measure_groups(factors, rng, train, (batch,), vote)
    predicted = contingency(votes, shared, codes.shape[1], factors.shape[1]).argmax(1)
    votes, shared = measure_groups(factors, rng, test, (batch,), vote)
    return float(np.mean(predicted[votes] == shared))
