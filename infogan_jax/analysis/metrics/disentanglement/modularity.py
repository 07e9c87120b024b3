"""Modularity (Ridgeway and Mozer 2018)."""

import numpy as np

from infogan_jax.analysis.metrics.disentanglement import tables
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors

_NO_INFORMATION = 1e-9  # nats, for rounding errors in an exactly independent table


def modularity(codes: Codes, factors: Factors, *, bins: int = tables.BINS) -> float:
    """Returns the modularity in [0, 1]: 1 if each code depends on only one factor.

    Let theta be a code's largest mutual information with any factor. Its ideal template
    has theta for that factor and 0 for the others. The code's modularity is
    1 - (squared deviation from the template) / (theta^2 (factors - 1)); the score is
    the mean over codes. Information is estimated as for `mig`.

    Chance is not 0: the information of an independent code is overestimated by
    (bins - 1) (values - 1) / 2n. Such a code looks modular if one factor has many more
    values than the others. Codes without any information are skipped.

    Raises:
      ValueError: if no code has information about any factor.
    """
    codes, factors = tables.varying(codes, factors)
    information = tables.binned_information(codes, factors, bins)
    theta = information.max(axis=1, keepdims=True)
    if not (informed := theta[:, 0] > _NO_INFORMATION).any():
        raise ValueError("no code has information about a factor: no modularity.")
    shares = (information[informed] / theta[informed]) ** 2
    deviations = shares.sum(axis=1) - 1.0
    return float(np.mean(1.0 - deviations / (factors.shape[1] - 1)))
