"""The embedded data set: 1,797 handwritten digits of 8x8 pixels.

They are the test part of the UCI "Optical Recognition of Handwritten Digits"
(Alpaydin and Kaynak 1998, CC BY 4.0): real data without a download. `digits.npz` has
them as scikit-learn's `load_digits` has, 0 to 16 widened to 0 to 255, and split for
good; read from there, they do not cost the start of a run the import of scikit-learn.
"""

import hashlib
from pathlib import Path

import numpy as np

from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.errors import UserError

ONLY = {"crop": (0, 8), "size": (0, 8), "channels": (0, 1)}
"""What may be asked of the images, which are as they are."""


def load(request: Request | None = None) -> Dataset:
    """1,437 training and 360 held-out images, uint8 [n, 8, 8, 1], with labels.

    The split is stratified and fixed for good, so that figures compare.

    Raises:
      UserError: where another shape is asked for.
    """
    _check(request or Request("digits"))
    with np.load(Path(__file__).with_name("digits.npz")) as arrays:
        train, test = (
            Split(arrays[f"{part}_images"], arrays[f"{part}_labels"].astype(np.int32))
            for part in ("train", "test")
        )
    provenance = {
        "name": "digits",
        "source": "UCI Optical Recognition of Handwritten Digits, the test part",
        "train": len(train.images),
        "test": len(test.images),
        "sha256": {"train": _sha256(train), "test": _sha256(test)},
    }
    return Dataset(train, test, provenance)


def _sha256(split: Split) -> str:
    content = split.images.tobytes() + np.asarray(split.labels).tobytes()
    return hashlib.sha256(content).hexdigest()


def _check(request: Request) -> None:
    for field, allowed in ONLY.items():
        if (value := getattr(request, field)) not in allowed:
            raise UserError(
                f"config.data.{field} (={value}) must be one of "
                f"{', '.join(map(str, allowed))} for the digits, which are 8 x 8 and "
                "gray; other sources can be changed."
            )
