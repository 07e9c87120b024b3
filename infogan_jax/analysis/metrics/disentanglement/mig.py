"""The mutual information gap (Chen et al. 2018)."""

import numpy as np
from sklearn.metrics import mutual_info_score

from infogan_jax.analysis.metrics.disentanglement.tables import (
    BINS,
    Codes,
    Factors,
    binned_information,
    gap,
    varying,
)


def mig(codes: Codes, factors: Factors, *, bins: int = BINS) -> float:
    """Mutual information gap, in [0, 1] (Chen et al. 2018).

    A factor's two most informative codes, I(best; factor) - I(second; factor), in
    units of the factor's entropy. The paper integrates over the encoder's posterior;
    here a code is a point in one of 20 bins of equal width (Locatello et al. 2019).

    The maximum is 1 for factors of at most `bins` values; of 40 equally frequent ones,
    two to a bin, it is ln 20 / ln 40 = 0.81. Independent codes score about 0.
    """
    codes, factors = varying(codes, factors)
    entropies = [mutual_info_score(factor, factor) for factor in factors.T]
    return gap(binned_information(codes, factors, bins) / np.array(entropies))
