"""What is held out where a source has no test split of its own, fixed for good."""

import numpy as np

from infogan_jax.data.dataset import Split


def order(total: int) -> list[int]:
    """The fixed random order of `total` examples, of which the first are held out."""
    return np.random.default_rng(0).permutation(total).tolist()


def count(total: int, share: float) -> int:
    """How many examples are held out.

    Args:
      total: at least 2, of which neither part gets all.
      share: of the total to hold out, rounded.
    """
    return min(max(round(share * total), 1), total - 1)


def hold_out(split: Split, share: float) -> tuple[Split, Split]:
    """Training and held-out images, as views of a split that is in random order.

    Args:
      split: at least two images.
      share: of the images to hold out, as in `count`.
    """
    cut = count(len(split.images), share)
    return _rows(split, slice(cut, None)), _rows(split, slice(cut))


def _rows(split: Split, rows: slice) -> Split:
    labels, factors = (
        None if each is None else each[rows] for each in (split.labels, split.factors)
    )
    return Split(split.images[rows], labels, factors)
