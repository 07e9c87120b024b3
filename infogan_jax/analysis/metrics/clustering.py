"""Agreement of an unsupervised categorical code with labelled classes.

A cluster index is not a class: clusters are first matched to classes one to one, by
the Hungarian method on counts (Kuhn 1955).
"""

import numpy as np
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

Labels = Int[np.ndarray, "n"]


def contingency(
    clusters: Labels, classes: Labels, n_clusters: int, n_classes: int
) -> Int[np.ndarray, "n_clusters n_classes"]:
    """Returns the number of examples in each pair of cluster and class."""
    table = np.zeros((n_clusters, n_classes), np.int64)
    np.add.at(table, (clusters, classes), 1)
    return table


def match(
    table: Int[np.ndarray, "n_clusters n_classes"],
) -> Int[np.ndarray, "n_clusters"]:
    """Returns the class of each cluster in the one-to-one matching of most agreement.

    If there are more clusters than classes, the remaining clusters get -1 and count as
    wrong. If there are fewer, some classes are never predicted.
    """
    matched = np.full(table.shape[0], -1)
    clusters, classes = linear_sum_assignment(table, maximize=True)
    matched[clusters] = classes
    return matched


def accuracy(
    clusters: Labels, classes: Labels, matched: Int[np.ndarray, "n_clusters"]
) -> float:
    """Returns the share of examples whose cluster is matched to their class."""
    return float(np.mean(matched[clusters] == classes))


def nmi(clusters: Labels, classes: Labels) -> float:
    """Returns normalised mutual information (arithmetic mean of entropies), [0, 1]."""
    return float(normalized_mutual_info_score(classes, clusters))


def ari(clusters: Labels, classes: Labels) -> float:
    """Returns the adjusted Rand index: 0 for chance, 1 for equal partitions."""
    return float(adjusted_rand_score(classes, clusters))


def purity(clusters: Labels, classes: Labels) -> float:
    """Returns the share of examples in the majority class of their cluster, (0, 1].

    Several clusters may share a class, unlike in `accuracy`. Splitting a cluster
    never lowers the purity, so compare equal numbers of clusters only.
    """
    sizes = (int(clusters.max()) + 1, int(classes.max()) + 1)
    table = contingency(clusters, classes, *sizes)
    return float(table.max(axis=1).sum() / table.sum())
