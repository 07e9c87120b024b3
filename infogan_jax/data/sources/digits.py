"""The built-in data set of 1,797 handwritten digits of 8x8 pixels.

It is the test part of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin
and Kaynak 1998, CC BY 4.0): real data without a download. `digits.npz` has the images
of scikit-learn's `load_digits` in a fixed split, with the gray values 0 to 16 scaled to
0 to 255. A run starts faster from this file than with an import of scikit-learn.
"""

import hashlib
from pathlib import Path

import numpy as np

from infogan_jax.data.dataset import Dataset, Request, Split

SUPPORTED = {"crop": (0, 8), "size": (0, 8), "channels": (0, 1)}


def load(request: Request | None = None) -> Dataset:
    """Loads 1,437 training and 360 held-out images, uint8 [n, 8, 8, 1], with labels.

    The split is stratified and fixed, so that results can be compared.

    Raises:
      UserError: if the request has another crop, size or number of channels.
    """
    request = request or Request("digits")
    request.check(SUPPORTED, "the digits, which are 8 x 8 and gray")
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
