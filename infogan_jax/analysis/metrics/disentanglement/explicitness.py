"""Explicitness (Ridgeway and Mozer 2018)."""

import numpy as np
from jaxtyping import Bool
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors, varying


def explicitness(codes: Codes, factors: Factors, rng: np.random.Generator) -> float:
    """How well a linear map of all codes tells each value (Ridgeway and Mozer 2018).

    2 AUC - 1 of a logistic regression of one value against the rest, averaged over
    all values of all factors: 1 is perfect and 0 is chance. Middle values of one
    linear code cannot be told from both sides at once: a code of 3 equally frequent
    values has 2/3. A rotation of the codes changes nothing.
    """
    codes, factors = varying(codes, factors)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    train, test = np.array_split(rng.permutation(len(codes)), 2)
    values = [factor == value for factor in factors.T for value in np.unique(factor)]
    areas = [
        _auc(codes[train], is_value[train], codes[test], is_value[test])
        for is_value in values
        if len(set(is_value[train])) == len(set(is_value[test])) == 2
    ]
    return float(2.0 * np.mean(areas) - 1.0)


def _auc(
    train: Codes,
    known: Bool[np.ndarray, "n"],
    test: Codes,
    wanted: Bool[np.ndarray, "n"],
) -> float:
    logits = LogisticRegression().fit(train, known).decision_function(test)
    return float(roc_auc_score(wanted, logits))
