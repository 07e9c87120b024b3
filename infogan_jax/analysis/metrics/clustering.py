"""How well an unsupervised categorical code agrees with classes.

A cluster index is not a class: the two are matched one to one first, by the
Hungarian method on counts (Kuhn 1955).
"""

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

Labels = Int[np.ndarray, "n"]


def contingency(
    clusters: Labels, classes: Labels, n_clusters: int, n_classes: int
) -> Int[np.ndarray, "n_clusters n_classes"]:
    """How many examples fall into each pair of cluster and class."""
    table = np.zeros((n_clusters, n_classes), np.int64)
    np.add.at(table, (clusters, classes), 1)
    return table


def match(
    table: Int[np.ndarray, "n_clusters n_classes"],
) -> Int[np.ndarray, "n_clusters"]:
    """The class of each cluster in the one-to-one matching with the most agreement.

    Where there are more clusters than classes, the clusters left over get -1 and
    count as wrong; where there are fewer, some classes are never predicted.
    """
    matched = np.full(table.shape[0], -1)
    clusters, classes = linear_sum_assignment(table, maximize=True)
    matched[clusters] = classes
    return matched


def accuracy(
    clusters: Labels, classes: Labels, matched: Int[np.ndarray, "n_clusters"]
) -> float:
    """The share of examples whose cluster is matched to their class, in [0, 1]."""
    return float(np.mean(matched[clusters] == classes))


def nmi(clusters: Labels, classes: Labels) -> float:
    """Normalised mutual information (arithmetic mean of the entropies), [0, 1]."""
    return float(normalized_mutual_info_score(classes, clusters))


def ari(clusters: Labels, classes: Labels) -> float:
    """Adjusted Rand index: 0 for chance, 1 for agreement up to names."""
    return float(adjusted_rand_score(classes, clusters))


def purity(clusters: Labels, classes: Labels) -> float:
    """The share of examples in the most frequent class of their cluster, in (0, 1].

    Several clusters may share a class, unlike in `accuracy`. Splitting a cluster
    never lowers it, so compare equal numbers of clusters only.
    """
    sizes = (int(clusters.max()) + 1, int(classes.max()) + 1)
    table = contingency(clusters, classes, *sizes)
    return float(table.max(axis=1).sum() / table.sum())
