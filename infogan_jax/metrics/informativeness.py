"""How well classifiers read the factors from the codes, and from which of them.

Every classifier is scored on images that it was not fitted to; `rng` draws who is
held out. Values of a factor that are missing on either side are not scored.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import entropy, rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from infogan_jax.metrics.disentanglement import Codes, Factors, gap, varying

Factor = Int[np.ndarray, "n"]
Importances = Float[np.ndarray, "codes factors"]
Predictability = Callable[[Codes, Factor, Codes, Factor], float]

TREES = 10
DEPTHS = (4, 8, 12)
LEVELS = 64


class DCI(NamedTuple):
    """Disentanglement, completeness, informativeness, each in [0, 1]."""

    disentanglement: float
    completeness: float
    informativeness: float


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
    read = [_read(levels, factor, parts, rng) for factor in factors.T]
    importances, accuracies = zip(*read, strict=True)
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


def _read(
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
