"""Modularity (Ridgeway and Mozer 2018)."""

import numpy as np

from infogan_jax.analysis.metrics.disentanglement.tables import (
    BINS,
    Codes,
    Factors,
    binned_information,
    varying,
)

_NO_INFORMATION = 1e-9  # nats: rounding, where a table is exactly independent


def modularity(codes: Codes, factors: Factors, *, bins: int = BINS) -> float:
    """Whether a code tells of one factor only, in [0, 1] (Ridgeway and Mozer 2018).

    A code's ideal template keeps its largest information theta and is 0 for the other
    factors. Its modularity is 1 - (squared deviation) / (theta^2 (factors - 1)); the
    score is the mean over codes. Information is estimated as for `mig`.

    Chance is not 0: the information of an independent code is overestimated by
    (bins - 1) (values - 1) / 2n, which looks modular where one factor has many more
    values than the others. Codes without any information have no template and are
    skipped.

    Raises:
      ValueError: where no code has information about any factor.
    """
    codes, factors = varying(codes, factors)
    information = binned_information(codes, factors, bins)
    theta = information.max(axis=1, keepdims=True)
    if not (informed := theta[:, 0] > _NO_INFORMATION).any():
        raise ValueError("no code has information about a factor: no modularity.")
    shares = (information[informed] / theta[informed]) ** 2
    deviations = shares.sum(axis=1) - 1.0
    return float(np.mean(1.0 - deviations / (factors.shape[1] - 1)))
