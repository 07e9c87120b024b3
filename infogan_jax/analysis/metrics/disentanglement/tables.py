"""What all scores start from: a table of codes and a table of factors.

Each has one row for every image. The codes are what an encoder returns; the factors are
integers that name values. Every score first drops columns that never change: a constant
code changes no score, and a constant factor is not scored. No score depends on the
order of the codes, on their signs or, once a code is active for the FactorVAE score,
on their units.
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


def binned_information(
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
