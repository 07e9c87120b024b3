"""The beta-VAE score (Higgins et al. 2017)."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from infogan_jax.analysis.metrics.disentanglement.shared_factor import measure_groups
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
    """Returns the beta-VAE score: the accuracy of a linear classifier of factors.

    An example is the absolute difference of the codes of two images that share one
    factor, averaged over `pairs` such pairs; its class is the shared factor. The score
    is the accuracy of logistic regression on `test` new examples after training on
    `train` examples: 1 is perfect, chance is 1 / (number of factors). Sizes as in
    Locatello et al. (2019).

    Codes are divided by their sd, so that their units do not matter.
    """
    codes, factors = varying(codes, factors)
    codes = codes / codes.std(axis=0)

    def differences(rows: np.ndarray) -> np.ndarray:
        return np.abs(codes[rows[..., 0]] - codes[rows[..., 1]]).mean(axis=1)

    shape = (pairs, 2)
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(*measure_groups(factors, rng, train, shape, differences))
    held_out = measure_groups(factors, rng, test, shape, differences)
    return float(classifier.score(*held_out))
