"""The fixed choice of held-out examples for a source without a test split."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from infogan_jax.data.dataset import Split


def order(total: int) -> list[int]:
    """Returns the fixed permutation of `total` examples; the first are held out."""
    return np.random.default_rng(0).permutation(total).tolist()


def stratified_order(labels: Sequence[int]) -> list[int]:
    """Returns a fixed permutation whose first examples have every class in proportion.

    However many are held out, the number of a class among them is its share of them, to
    within one. A class of one example comes in the middle, and so is not held out.
    """
    places, totals = order(len(labels)), Counter(labels)
    seen: Counter[int] = Counter()
    ranks = {}
    for place in places:
        label = labels[place]
        ranks[place] = (seen[label] + 0.5) / totals[label]
        seen[label] += 1
    return sorted(places, key=lambda place: ranks[place])


def count(total: int, share: float) -> int:
    """Returns how many of `total` examples are held out, from 1 to `total - 1`.

    Args:
      total: at least 2.
      share: of the total to hold out; the number is rounded.
    """
    return min(max(round(share * total), 1), total - 1)


def hold_out(split: Split, share: float) -> tuple[Split, Split]:
    """Returns the training and the held-out split, as views of the images.

    Args:
      split: at least two images, which are already in random order.
      share: of the images to hold out, as in `count`.
    """
    held = count(len(split.images), share)
    return take_rows(split, slice(held, None)), take_rows(split, slice(held))


def take_rows(split: Split, rows: slice | list[int]) -> Split:
    """Returns some images of a split, with all that belongs to them."""
    columns = (split.labels, split.factors, split.prints, split.factor_values)
    labels, factors, prints, values, weights = (
        None if column is None else column[rows] for column in (*columns, split.weights)
    )
    names = split.names
    if names is not None:
        taken = range(len(names))[rows] if isinstance(rows, slice) else rows
        names = [names[row] for row in taken]
    images = split.images[rows]
    return Split(images, labels, factors, names, prints, values, weights)
