"""A few labelled training images: which they are, and how a step gets at them.

The labels of all other training images stay unused by training.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from infogan_jax.data.dataset import Split, fingerprints, scramble
from infogan_jax.data.scaling import to_range
from infogan_jax.errors import UserError
from infogan_jax.model import distributions

FIELD = "config.labels.count"


class Labelled(NamedTuple):
    """Labelled images, which are few enough to be kept on the devices.

    Attributes:
      rows: their places among the training images, ascending.
      images: in bytes.
      classes: one-hot.
    """

    rows: Int[Array | np.ndarray, "*runs n"]
    images: UInt8[Array | np.ndarray, "*runs n height width channels"]
    classes: Float[Array | np.ndarray, "*runs n classes"]

    def record(self) -> dict[str, list[int]]:
        """Returns rows and labels for the run's record."""
        labels = np.asarray(self.classes).argmax(axis=-1)
        return {"rows": np.asarray(self.rows).tolist(), "labels": labels.tolist()}


class Batch(NamedTuple):
    """What a step gets where training uses labels.

    Attributes:
      images: this device's share of the real images, in bytes.
      labelled: all labelled images, the same on every device.
    """

    images: UInt8[Array, "batch *runs height width channels"]
    labelled: Labelled


BATCH_AXES: Any = Batch._make((1, 0))
"""Which axis of a batch counts the runs, where there are several."""


def number_of_classes(split: Split) -> int:
    """Returns the number of classes, the largest label + 1; 0 without labels."""
    return 0 if split.labels is None else int(split.labels.max()) + 1


def check_count(split: Split, count: int) -> None:
    """Checks that `count` images can be drawn, as many of each class.

    Raises:
      UserError: where they cannot, with the nearest number that can.
    """
    if split.labels is None:
        raise UserError(
            f"{FIELD} (={count}) needs labels, and the data has none; set it to 0, or "
            "give the data labels (--config.data.labels=True for a folder)."
        )
    sizes = np.bincount(split.labels)
    classes, least = len(sizes), int(sizes.min())
    if not least or classes < 2:
        empty = f"class {sizes.argmin()} has no training image"
        reason = "there is one class only" if classes < 2 else empty
        raise UserError(
            f"{FIELD} (={count}) must be as many labels of each class, but {reason}; "
            "set it to 0."
        )
    if count % classes or count > classes * least:
        each = min(max(round(count / classes), 1), least)
        raise UserError(
            f"{FIELD} (={count}) must be a multiple of the number of classes "
            f"(={classes}), and at most {classes * least}, because the smallest class "
            f"has {least} training images; try {classes * each}."
        )


def draw(split: Split, count: int, seed: int) -> Labelled:
    """Draws `count` training images, as many of each class.

    Which they are depends on the seed and on the pixels of the images, and not on their
    order. Of the same seed, a smaller count gives a part of a larger one.

    Args:
      split: with labels, for which `check_count` allows the count.
      count: over all classes.
      seed: of the run.
    """
    assert split.labels is not None
    salt = scramble(np.array([seed], np.uint64))
    ranks = scramble(fingerprints(split) ^ salt)
    classes = number_of_classes(split)
    drawn = []
    for label in range(classes):
        own = np.flatnonzero(split.labels == label)
        order = np.argsort(ranks[own], kind="stable")
        drawn.append(own[order[: count // classes]])
    rows = np.sort(np.concatenate(drawn)).astype(np.int32)
    one_hot = np.eye(classes, dtype=np.float32)[split.labels[rows]]
    return Labelled(rows, np.asarray(split.images[rows]), one_hot)


def pick(
    labelled: Labelled, range_: tuple[float, float], uniform: Float[Array, "batch"]
) -> tuple[Float[Array, "batch height width channels"], Float[Array, "batch classes"]]:
    """Draws a batch with replacement, an image for each number of U(-1, 1).

    Returns:
      Images in `range_`, and their classes, one-hot.
    """
    rows = distributions.category(uniform, len(labelled.classes))
    images, classes = jnp.asarray(labelled.images), jnp.asarray(labelled.classes)
    return to_range(images[rows], range_), classes[rows]
