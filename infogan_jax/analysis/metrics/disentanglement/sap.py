"""Separated attribute predictability (Kumar et al. 2018)."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import recall_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from infogan_jax.analysis.metrics.disentanglement import tables
from infogan_jax.analysis.metrics.disentanglement.tables import Codes, Factor, Factors

Predictability = Callable[[Codes, Factor, Codes, Factor], float]
"""Maps a code and a factor, for training and for testing, to an accuracy in [0, 1]."""


def thresholds(x: Codes, y: Factor, x_test: Codes, y_test: Factor) -> float:
    """Returns the balanced accuracy of thresholds on one code, as in the paper.

    The thresholds, one fewer than there are values, are the splits of a decision tree,
    which takes the best one at a time.
    """
    values = max(len(np.unique(y)), 2)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=values, class_weight="balanced", random_state=0
    )
    predicted, labels = tree.fit(x, y).predict(x_test), np.unique(y_test)
    return float(recall_score(y_test, predicted, labels=labels, average="macro"))


def linear_svm(x: Codes, y: Factor, x_test: Codes, y_test: Factor) -> float:
    """Returns the accuracy of a linear SVM on one code (C = 0.01).

    One-versus-rest half lines cannot separate a value between two others: a perfect
    code of 40 values scores 0.05. Locatello et al. (2019) use this accuracy.
    """
    svm = LinearSVC(C=0.01, class_weight="balanced", dual=False)
    return float(svm.fit(x, y).score(x_test, y_test))


def sap(
    codes: Codes,
    factors: Factors,
    rng: np.random.Generator,
    *,
    predictability: Predictability = thresholds,
) -> float:
    """Returns the separated attribute predictability, in [0, 1].

    It is the accuracy of predicting a factor from its best single code minus that from
    its second best, averaged over factors. Every factor is categorical: for k values, a
    perfect code has accuracy 1, and a code at chance has 1/k. A constant code is always
    among the candidates: with `thresholds` a single code is compared with chance.
    Independent codes score about 0.

    Args:
      codes: the predicted codes.
      factors: the value of each factor of each image.
      rng: draws the half of the images on which the predictors are trained; their
        accuracy is that on the other half.
      predictability: the accuracy of predicting one factor from one code of mean 0 and
        sd 1. `thresholds` is the paper's, `linear_svm` that of Locatello et al.
    """
    codes, factors = tables.varying(codes, factors)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    train, test = np.array_split(rng.permutation(len(codes)), 2)

    def score(code: Codes, factor: Factor) -> float:
        return predictability(code[train], factor[train], code[test], factor[test])

    columns = [*np.split(codes, codes.shape[1], axis=1), np.zeros_like(codes[:, :1])]
    scores = [[score(code, factor) for factor in factors.T] for code in columns]
    return tables.gap(np.array(scores))
