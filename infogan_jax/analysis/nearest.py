"""The images that are most like a given one, by the trunk's features."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Nearest(NamedTuple):
    """The places of the nearest images, nearest first, and their distances.

    A distance is 1 - the cosine of the angle between features, 0 to 2.
    """

    places: Int[np.ndarray, "k"]
    distances: Float[np.ndarray, "k"]


def find_nearest(
    query: Float[np.ndarray, "features"],
    parts: Iterable[Float[np.ndarray, "n features"]],
    count: int,
) -> Nearest:
    """Returns the `count` nearest of all images, whose features come in parts.

    Of images at the same distance the first ones are taken.
    """
    unit = _normalised(query[None])[0]
    places, distances = np.zeros(0, int), np.zeros(0)
    first = 0
    for features in parts:
        found = 1.0 - _normalised(features) @ unit
        places = np.concatenate([places, first + np.arange(len(found))])
        distances = np.concatenate([distances, found])
        order = np.argsort(distances, kind="stable")[:count]
        places, distances = places[order], distances[order]
        first += len(found)
    return Nearest(places, distances)


def _normalised(features: np.ndarray) -> np.ndarray:
    features = features.astype(np.float64)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, 1e-12)
