"""Disentanglement, completeness, informativeness (Eastwood and Williams 2018)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import entropy, rankdata
from sklearn.ensemble import RandomForestClassifier

from infogan_jax.analysis.metrics.disentanglement.tables import (
    Codes,
    Factor,
    Factors,
    varying,
)

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
    """Disentanglement, completeness, informativeness (Eastwood and Williams 2018).

    The importance of a code for a factor is the Gini importance in a random forest of
    10 trees: the paper uses random forests too, later tables boosted trees. All codes
    compete for every split, so that a perfect code takes all importance. Forests are
    fitted to 60 % of the images; their depth (4, 8 or 12) is chosen on another 20 %;
    the rest gives the informativeness, the mean accuracy, for which chance is the
    share of a factor's most frequent value. For disentanglement and completeness
    chance is about 0.

    Splits are sought between 64 quantiles of each code, for speed.
    """
    codes, factors = varying(codes, factors)
    ranks = rankdata(codes, axis=0) / (len(codes) + 1)
    levels = np.floor(LEVELS * ranks)
    places = np.array([0.6, 0.8]) * len(codes)
    parts = np.split(rng.permutation(len(codes)), places.astype(int))
    fitted = [_fit_forest(levels, factor, parts, rng) for factor in factors.T]
    importances, accuracies = zip(*fitted, strict=True)
    table = np.stack(importances, axis=1)
    return DCI(disentanglement(table), completeness(table), float(np.mean(accuracies)))


def disentanglement(importances: Importances) -> float:
    """1 - entropy of a code's importances over factors, weighted by the code's total.

    The entropy is in units of that of equal importances.
    """
    totals = importances.sum(axis=1)
    used = totals > 0
    spread = entropy(importances[used], axis=1) / np.log(max(importances.shape[1], 2))
    return float(np.average(1.0 - spread, weights=totals[used]))


def completeness(importances: Importances) -> float:
    """1 - entropy of a factor's importances over codes, averaged over factors.

    The entropy is in units of that of equal importances. A single code is complete.
    """
    used = importances[:, importances.sum(axis=0) > 0]
    spread = entropy(used, axis=0) / np.log(max(len(importances), 2))
    return float(np.mean(1.0 - spread))


def _fit_forest(
    levels: Codes, factor: Factor, parts: list[np.ndarray], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "codes"], float]:
    """A forest's importances, and its accuracy on the last part."""
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
