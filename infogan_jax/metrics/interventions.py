"""Which factor was held fixed? Scores that ask a simple classifier.

Both draw groups of images that share the value of one factor and differ at random in
the others. The groups are taken, with replacement, from images already encoded: no
new image is rendered. A value with few images brings groups with repeated images, so
the table should hold many images for every value.
"""

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression

from infogan_jax.metrics.clustering import contingency
from infogan_jax.metrics.disentanglement import Codes, Factors, varying

Fixed = Int[np.ndarray, "count"]


def draw_alike(
    factor: Int[np.ndarray, "n"], rng: np.random.Generator, groups: int, size: int
) -> Int[np.ndarray, "groups size"]:
    """Rows in groups that share a value, which is drawn as often as it occurs."""
    order = np.argsort(factor, kind="stable")
    _, starts, value, counts = np.unique(
        factor[order], return_index=True, return_inverse=True, return_counts=True
    )
    drawn = value[rng.integers(len(factor), size=(groups, 1))]
    return order[starts[drawn] + rng.integers(counts[drawn], size=(groups, size))]


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
    votes, fixed = _votes(codes, factors, rng, batch, train)
    stands_for = contingency(votes, fixed, codes.shape[1], factors.shape[1]).argmax(1)
    votes, fixed = _votes(codes, factors, rng, batch, test)
    return float(np.mean(stands_for[votes] == fixed))


def _differences(
    codes: Codes, factors: Factors, rng: np.random.Generator, pairs: int, count: int
) -> tuple[Float[np.ndarray, "count codes"], Fixed]:
    times = _times(factors, rng, count)
    points = []
    for factor, groups in zip(factors.T, times, strict=True):
        first, second = draw_alike(factor, rng, groups * pairs, 2).T
        distances = np.abs(codes[first] - codes[second])
        points.append(distances.reshape(groups, pairs, -1).mean(axis=1))
    return np.concatenate(points), np.repeat(np.arange(len(times)), times)


def _votes(
    codes: Codes, factors: Factors, rng: np.random.Generator, batch: int, count: int
) -> tuple[Int[np.ndarray, "count"], Fixed]:
    times = _times(factors, rng, count)
    votes = []
    for factor, groups in zip(factors.T, times, strict=True):
        rows = draw_alike(factor, rng, groups, batch)
        votes.append(codes[rows].var(axis=1).argmin(axis=1))
    return np.concatenate(votes), np.repeat(np.arange(len(times)), times)


def _times(factors: Factors, rng: np.random.Generator, count: int) -> list[int]:
    """How often each factor is the fixed one, when it is drawn `count` times."""
    chance = np.full(factors.shape[1], 1.0 / factors.shape[1])
    return rng.multinomial(count, chance).tolist()
