"""Agreement of runs: how similar the codes are that they predict for the same images.

No label is used. A code that describes how the images vary is found again by other
seeds; a code that one seed finds alone is probably an accident. The idea, and the rank
correlation for continuous codes, are those of Duan et al. 2020. Their score uses a
table of all pairs of codes; here codes are paired one to one.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Complex, Float, Int
from scipy.optimize import linear_sum_assignment

from infogan_jax.analysis.metrics.attributes import spearman
from infogan_jax.analysis.metrics.circular import same_turn
from infogan_jax.analysis.metrics.clustering import nmi

Prediction = Int[np.ndarray, "n"] | Float[np.ndarray, "n"] | Complex[np.ndarray, "n"]
Predictions = Mapping[str, Prediction]
"""For each code, Q's predicted category (integers) or mean (floats) of each image. That
of an angle may be a point on the unit circle (complex numbers).
"""


def agreement(one: Predictions, other: Predictions) -> float:
    """Returns the mean similarity of the paired codes of two runs, in [0, 1].

    The similarity of categorical codes is their normalised mutual information, that of
    continuous codes the absolute rank correlation, and that of points on a circle how
    well they turn alike (`circular.same_turn`). Within each kind, the codes of the
    two runs are paired one to one so that the sum of similarities is largest.

    Raises:
      ValueError: if no kind of code is in both runs.
    """
    paired: list[float] = []
    for kind in "ifc":
        first, second = (
            [codes for codes in run.values() if codes.dtype.kind == kind]
            for run in (one, other)
        )
        if first and second:
            table = np.array([[_similarity(a, b) for b in second] for a in first])
            paired += table[linear_sum_assignment(table, maximize=True)].tolist()
    if not paired:
        raise ValueError("the two runs have no code of one kind to compare")
    return float(np.mean(paired))


def _similarity(one: Prediction, other: Prediction) -> float:
    if one.dtype.kind == "i":
        return nmi(one, other)
    if one.dtype.kind == "c":
        return same_turn(np.angle(one), np.angle(other))
    return abs(spearman(one, other))


def with_the_others(runs: Sequence[Predictions]) -> Float[np.ndarray, "runs"]:
    """Returns, for each run, its mean `agreement` with all other runs.

    Raises:
      ValueError: if there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError(f"{len(runs)} run has no other to agree with")
    table = np.zeros((len(runs), len(runs)))
    for i, j in combinations(range(len(runs)), 2):
        table[i, j] = table[j, i] = agreement(runs[i], runs[j])
    return table.sum(axis=1) / (len(runs) - 1)
