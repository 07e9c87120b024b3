"""Separated attribute predictability (Kumar et al. 2018)."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import recall_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from infogan_jax.analysis.metrics.disentanglement.tables import (
    Codes,
    Factor,
    Factors,
    gap,
    varying,
)

Predictability = Callable[[Codes, Factor, Codes, Factor], float]


def thresholds(train: Codes, known: Factor, test: Codes, wanted: Factor) -> float:
    """Balanced accuracy of thresholds on one code, one fewer than there are values.

    They are the splits of a decision tree, which takes the best one at a time.
    """
    values = max(len(np.unique(known)), 2)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=values, class_weight="balanced", random_state=0
    )
    found = tree.fit(train, known).predict(test)
    return float(recall_score(wanted, found, labels=np.unique(wanted), average="macro"))


def linear_svm(train: Codes, known: Factor, test: Codes, wanted: Factor) -> float:
    """Accuracy of a linear SVM on one code, C = 0.01 (Locatello et al. 2019).

    One-versus-rest half lines cannot single out a value between two others: a perfect
    code of 40 values scores 0.05.
    """
    machine = LinearSVC(C=0.01, class_weight="balanced", dual=False)
    return float(machine.fit(train, known).score(test, wanted))


def sap(
    codes: Codes,
    factors: Factors,
    rng: np.random.Generator,
    *,
    predictability: Predictability = thresholds,
) -> float:
    """Separated attribute predictability (Kumar et al. 2018), in [0, 1].

    How much better a factor can be told from its best single code than from its second
    best, averaged over factors. Every factor is categorical, so that a perfect code of
    k values leads by 1 - 1/k over one at chance. Independent codes score about 0.

    Args:
      codes: what the encoder reads.
      factors: the value of each factor of each image.
      rng: draws the half of the images that the predictors are fitted to.
      predictability: how well one code tells one factor; `thresholds` is the paper's,
        `linear_svm` that of Locatello et al. It is given codes of mean 0 and sd 1.
    """
    codes, factors = varying(codes, factors)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    train, test = np.array_split(rng.permutation(len(codes)), 2)

    def score(code: Codes, factor: Factor) -> float:
        return predictability(code[train], factor[train], code[test], factor[test])

    columns = np.split(codes, codes.shape[1], axis=1)
    return gap(np.array([[score(code, f) for f in factors.T] for code in columns]))
