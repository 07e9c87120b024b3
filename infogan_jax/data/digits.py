"""The embedded data set: 1,797 handwritten digits of 8x8 pixels.

They are the test part of the UCI "Optical Recognition of Handwritten Digits"
(Alpaydin and Kaynak 1998, CC BY 4.0), which scikit-learn carries inside its
package: real data without a download.
"""

import hashlib

import numpy as np

from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.errors import UserError

TEST_SIZE = 360
ONLY = {"crop": (0, 8), "size": (0, 8), "channels": (0, 1)}
"""What may be asked of the images, which are as they are."""


def load(request: Request | None = None) -> Dataset:
    """1,437 training and 360 held-out images, uint8 [n, 8, 8, 1], with labels.

    The split is stratified and fixed for good, so that figures compare.

    Raises:
      UserError: where another shape is asked for.
    """
    _check(request or Request("digits"))
    import sklearn
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    images = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int32)
    train, test = train_test_split(
        np.arange(len(images)), test_size=TEST_SIZE, stratify=labels, random_state=0
    )
    return Dataset(
        Split(images[train], labels[train]),
        Split(images[test], labels[test]),
        {
            "name": "digits",
            "source": f"scikit-learn {sklearn.__version__}, load_digits",
            "train": len(train),
            "test": len(test),
            "sha256": {
                name: hashlib.sha256(
                    images[part].tobytes() + labels[part].tobytes()
                ).hexdigest()
                for name, part in (("train", train), ("test", test))
            },
        },
    )


def _check(request: Request) -> None:
    for field, allowed in ONLY.items():
        if (value := getattr(request, field)) not in allowed:
            raise UserError(
                f"config.data.{field} (={value}) must be one of "
                f"{', '.join(map(str, allowed))} for the digits, which are 8 x 8 and "
                "gray; other sources can be changed."
            )
