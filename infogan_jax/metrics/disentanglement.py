"""Disentanglement as information: how many codes tell of a factor, and vice versa.

Scores for images whose true factors of variation are known, from two tables of one
row an image: the codes that an encoder reads, and the factors, integers that name
values. `interventions` and `informativeness` hold the scores that need a classifier.

All of them first drop columns that never change: a constant code changes no score,
and a constant factor is not scored. None depends on the order of the codes, their
signs or, once a code is active for the FactorVAE score, their units.
"""

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import mutual_info_score

Codes = Float[np.ndarray, "n codes"]
Factors = Int[np.ndarray, "n factors"]

BINS = 20
_NO_INFORMATION = 1e-9  # nats: rounding, where a table is exactly independent


def varying(
    codes: Codes, factors: Factors
) -> tuple[Float[np.ndarray, "n live"], Int[np.ndarray, "n scored"]]:
    """The columns of both tables that change from row to row.

    Raises:
      ValueError: where a code is not finite, no code varies, or fewer than two
        factors do: a single factor cannot be entangled with another.
    """
    if not np.isfinite(codes).all():
        raise ValueError("codes must be finite; an encoder that diverged has no score.")
    live = np.ptp(codes, axis=0) > 0
    scored = np.ptp(factors, axis=0) > 0
    if not live.any() or scored.sum() < 2:
        raise ValueError(
            f"{live.sum()} of {live.size} codes and {scored.sum()} of {scored.size} "
            "factors vary; a score needs at least one code and two factors."
        )
    return codes[:, live].astype(np.float64), factors[:, scored]


def gap(scores: Float[np.ndarray, "codes factors"]) -> float:
    """The lead of each factor's best code over its second best, averaged.

    A code that tells nothing scores 0, so a single code leads by all its score.
    """
    ranked = np.sort(np.vstack([np.zeros_like(scores[:1]), scores]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


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
    return gap(_information(codes, factors, bins) / np.array(entropies))


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
    information = _information(codes, factors, bins)
    theta = information.max(axis=1, keepdims=True)
    if not (told := theta[:, 0] > _NO_INFORMATION).any():
        raise ValueError("no code has information about a factor: no modularity.")
    shares = (information[told] / theta[told]) ** 2
    deviations = shares.sum(axis=1) - 1.0
    return float(np.mean(1.0 - deviations / (factors.shape[1] - 1)))


def _information(
    codes: Codes, factors: Factors, bins: int
) -> Float[np.ndarray, "codes factors"]:
    """I(binned code; factor) in nats, by counting."""
    edges = (np.histogram_bin_edges(code, bins)[1:-1] for code in codes.T)
    binned = [
        np.digitize(code, edge) for code, edge in zip(codes.T, edges, strict=True)
    ]
    return np.array(
        [[mutual_info_score(code, factor) for factor in factors.T] for code in binned]
    )
