"""How far two runs found the same codes: from what each reads in the same images.

No label is used. A run that found what varies in the images is found again by other
seeds; one that found an accident is alone with it. The idea, and the rank correlation
for continuous codes, are those of Duan et al. 2020; their score weighs a table of all
pairs of codes, here codes are paired one to one.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from infogan_jax.analysis.metrics.attributes import spearman
from infogan_jax.analysis.metrics.clustering import nmi

Reading = Int[np.ndarray, "n"] | Float[np.ndarray, "n"]
Readings = Mapping[str, Reading]
"""For each code, the category (integers) or the mean (floats) read in each image."""


def agreement(one: Readings, other: Readings) -> float:
    """The mean, over codes, of how well a code of one run is that of the other, [0, 1].

    Categories are compared by normalised mutual information, continuous codes by the
    absolute rank correlation; within each kind the codes of the two runs are paired
    one to one, with the largest sum.

    Raises:
      ValueError: where no kind of code is in both.
    """
    kinds: tuple[tuple[str, Callable[[Reading, Reading], float]], ...] = (
        ("i", nmi),
        ("f", lambda a, b: abs(spearman(a, b))),
    )
    paired: list[float] = []
    for kind, compare in kinds:
        left, right = (
            [read for read in run.values() if read.dtype.kind == kind]
            for run in (one, other)
        )
        if left and right:
            table = np.array([[compare(a, b) for b in right] for a in left])
            paired += table[linear_sum_assignment(table, maximize=True)].tolist()
    if not paired:
        raise ValueError("the two runs have no code of one kind to compare")
    return float(np.mean(paired))


def with_the_others(runs: Sequence[Readings]) -> Float[np.ndarray, "runs"]:
    """For each run the mean of its `agreement` with all others.

    Raises:
      ValueError: where there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError(f"{len(runs)} run has no other to agree with")
    table = np.zeros((len(runs), len(runs)))
    for i, j in combinations(range(len(runs)), 2):
        table[i, j] = table[j, i] = agreement(runs[i], runs[j])
    return table.sum(axis=1) / (len(runs) - 1)
