"""Disentanglement, completeness, informativeness (Eastwood and Williams 2018)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import entropy, rankdata
from sklearn.ensemble import RandomForestClassifier

from infogan_jax.analysis.metrics.disentanglement import tables
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factor, Factors

Importances = Float[np.ndarray, "codes factors"]

TREES = 10
DEPTHS = (4, 8, 12)
LEVELS = 64


class DCI(NamedTuple):
    """Disentanglement, completeness, informativeness, each in [0, 1]."""

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: Codes, factors: Factors, rng: np.random.Generator) -> DCI:
    """Returns disentanglement, completeness and informativeness.

    The importance of a code for a factor is the Gini importance in a random forest of
    10 trees: the paper uses random forests too, later tables boosted trees. All codes
    are candidates for every split, so that a perfect code gets all the importance. The
    forests are trained on 60 % of the images; their depth (4, 8 or 12) is chosen on
    another 20 %. The informativeness is the mean accuracy on the remaining 20 %, for
    which chance is the share of a factor's most frequent value. For disentanglement and
    completeness chance is about 0.

    For speed, codes are rounded down to 64 quantiles.
    """
    codes, factors = tables.varying(codes, factors)
    ranks = rankdata(codes, axis=0) / (len(codes) + 1)
    levels = np.floor(LEVELS * ranks)
    places = np.array([0.6, 0.8]) * len(codes)
    parts = np.split(rng.permutation(len(codes)), places.astype(int))
    fitted = [_fit_forest(levels, factor, parts, rng) for factor in factors.T]
    importances, accuracies = zip(*fitted, strict=True)
    table = np.stack(importances, axis=1)
    return DCI(disentanglement(table), completeness(table), float(np.mean(accuracies)))


def disentanglement(importances: Importances) -> float:
    """Returns 1 - H(importances of a code), averaged over codes.

    The entropy H over factors is in units of that of equal importances. Codes are
    weighted by their total importance.
    """
    totals = importances.sum(axis=1)
    used = totals > 0
    spread = entropy(importances[used], axis=1) / np.log(max(importances.shape[1], 2))
    return float(np.average(1.0 - spread, weights=totals[used]))


def completeness(importances: Importances) -> float:
    """Returns 1 - H(importances for a factor), averaged over factors.

    The entropy H over codes is in units of that of equal importances. With a single
    code the completeness is 1.
    """
    used = importances[:, importances.sum(axis=0) > 0]
    spread = entropy(used, axis=0) / np.log(max(len(importances), 2))
    return float(np.mean(1.0 - spread))


def _fit_forest(
    levels: Codes, factor: Factor, parts: list[np.ndarray], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "codes"], float]:
    """Returns a forest's importances, and its accuracy on the last part."""
    train, choose, test = parts
    seed = int(rng.integers(2**31))
    forests = [
        RandomForestClassifier(
            TREES, max_depth=depth, max_features=None, random_state=seed
        ).fit(levels[train], factor[train])
        for depth in DEPTHS
    ]
    best = max(forests, key=lambda forest: forest.score(levels[choose], factor[choose]))
    return best.feature_importances_, float(best.score(levels[test], factor[test]))
