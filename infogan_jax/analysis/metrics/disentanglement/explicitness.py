"""Explicitness (Ridgeway and Mozer 2018)."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factors, varying


def explicitness(codes: Codes, factors: Factors, rng: np.random.Generator) -> float:
    """Returns how well logistic regression on all codes separates each factor value.

    The score is 2 AUC - 1 of one value against the rest, averaged over all values of
    all factors: 1 is perfect and 0 is chance. A single linear code cannot separate a
    middle value from lower and higher ones: with 3 equally frequent values it scores
    2/3. A rotation of the codes changes nothing.
    """
    codes, factors = varying(codes, factors)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    train, test = np.array_split(rng.permutation(len(codes)), 2)

    def auc(is_value: np.ndarray) -> float:
        regression = LogisticRegression().fit(codes[train], is_value[train])
        logits = regression.decision_function(codes[test])
        return float(roc_auc_score(is_value[test], logits))

    values = [factor == value for factor in factors.T for value in np.unique(factor)]
    areas = [
        auc(is_value)
        for is_value in values
        if len(set(is_value[train])) == len(set(is_value[test])) == 2
    ]
    return float(2.0 * np.mean(areas) - 1.0)
