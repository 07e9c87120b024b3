"""The mutual information gap (Chen et al. 2018)."""

import numpy as np
from sklearn.metrics import mutual_info_score

from infogan_jax.analysis.metrics.disentanglement import tables
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors


def mig(codes: Codes, factors: Factors, *, bins: int = tables.BINS) -> float:
    """Returns the mutual information gap, in [0, 1].

    For each factor the gap is I(best code; factor) - I(second best code; factor), in
    units of the factor's entropy; the score is the mean over factors. The paper
    integrates over the encoder's posterior; here a code is a single number, counted in
    one of `bins` bins of equal width (Locatello et al. 2019).

    The maximum is 1 for factors of at most `bins` values. For 40 equally frequent
    values, two in each of 20 bins, it is ln 20 / ln 40 = 0.81. Independent codes score
    about 0.
    """
    codes, factors = tables.varying(codes, factors)
    entropies = [mutual_info_score(factor, factor) for factor in factors.T]
    information = tables.binned_information(codes, factors, bins)
    return tables.gap(information / np.array(entropies))
