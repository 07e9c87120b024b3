"""The input of all disentanglement scores: a table of codes and a table of factors.

Each table has one row for every image. The codes are an encoder's predictions; the
factors are integers that name values. Every score first drops columns that never
change: a constant code changes no score, and a constant factor is not scored. No score
depends on the order, the signs or the units of the codes, except that the FactorVAE
score drops codes of small variance.
"""

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import mutual_info_score

Codes = Float[np.ndarray, "n codes"]
Factor = Int[np.ndarray, "n"]
Factors = Int[np.ndarray, "n factors"]

BINS = 20


def varying(
    codes: Codes, factors: Factors
) -> tuple[Float[np.ndarray, "n live"], Int[np.ndarray, "n scored"]]:
    """Returns the columns of both tables that are not constant.

    Raises:
      ValueError: if a code is not finite, no code varies, or fewer than two factors do:
        a single factor cannot be entangled with another.
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
    """Returns the best minus the second best score of a factor, averaged over factors.

    If there is a single code, the second best score is 0.
    """
    ranked = np.sort(np.vstack([np.zeros_like(scores[:1]), scores]), axis=0)
    return float(np.mean(ranked[-1] - ranked[-2]))


def binned_information(
    codes: Codes, factors: Factors, bins: int
) -> Float[np.ndarray, "codes factors"]:
    """Returns I(code; factor) in nats, by counting codes in bins of equal width."""
    binned = [
        np.digitize(code, np.histogram_bin_edges(code, bins)[1:-1]) for code in codes.T
    ]
    return np.array(
        [[mutual_info_score(code, factor) for factor in factors.T] for code in binned]
    )
