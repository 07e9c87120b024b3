"""The FactorVAE score (Kim and Mnih 2018)."""

import numpy as np
from jaxtyping import Int

from infogan_jax.analysis.metrics.clustering import contingency
from infogan_jax.analysis.metrics.disentanglement.shared_factor import (
    Shared,
    draw_factors,
    draw_groups,
)
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
    """The FactorVAE score: accuracy of a majority vote (Kim and Mnih 2018).

    A vote is the code that varies least, in units of its sd over all images, in a
    batch of images that share one factor. Each code stands for the factor that it was
    voted for most often; the score is the accuracy on fresh votes: 1 is perfect,
    chance is 1 / (number of factors). Of codes that tie the first gets the vote.
    Sizes and pruning as in Locatello et al. (2019).

    Args:
      codes: in units of their prior's sd, if `least_variance` is to mean a share.
      factors: the value of each factor of each image.
      rng: draws the batches.
      batch: images a vote.
      train: votes that decide what each code stands for.
      test: votes that are scored.
      least_variance: codes whose variance over all images is below are inactive and
        get no vote. Without any active code no vote can be cast: the score is 0.
    """
    codes, factors = varying(codes, factors)
    codes = codes[:, codes.var(axis=0) >= least_variance]
    if not codes.shape[1]:
        return 0.0
    codes = codes / codes.std(axis=0)
    votes, shared = _votes(codes, factors, rng, batch, train)
    stands_for = contingency(votes, shared, codes.shape[1], factors.shape[1]).argmax(1)
    votes, shared = _votes(codes, factors, rng, batch, test)
    return float(np.mean(stands_for[votes] == shared))


def _votes(
    codes: Codes, factors: Factors, rng: np.random.Generator, batch: int, count: int
) -> tuple[Int[np.ndarray, "count"], Shared]:
    times = draw_factors(factors, rng, count)
    votes = []
    for factor, groups in zip(factors.T, times, strict=True):
        rows = draw_groups(factor, rng, groups, batch)
        votes.append(codes[rows].var(axis=1).argmin(axis=1))
    return np.concatenate(votes), np.repeat(np.arange(len(times)), times)
