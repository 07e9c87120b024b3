"""Three random digits as the three colours of an image: 1,000 modes.

The usual test of how many modes a GAN finds (Metz et al. 2017, section 3.3.1, with
MNIST). The digits are those of any gray data set with 10 labels: those in the package,
or one of TensorFlow Datasets, such as MNIST.
"""

import numpy as np

from infogan_jax.data.dataset import CATEGORY, Dataset, Request, Split
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError

CHANNELS = ("red", "green", "blue")
TRAIN, TEST = 20_000, 5_000
CLASSES = 10


def load(request: Request) -> Dataset:
    """Loads 20,000 training and 5,000 held-out images of three digits in three colours.

    The name in the request is that of the digits: "" for those in the package, or of
    tfds, such as `mnist`. The digits of a held-out image are held-out digits. The three
    digits of an image are its factors; which digits meet is fixed.

    Raises:
      UserError: if the digits have colours or no labels 0 to 9, or the request asks for
        gray images.
      RunFailure: where digits cannot be downloaded or prepared.
    """
    request.check({"channels": (0, 3)}, "stacked digits, which have three colours")
    base = _digits(request)
    generator = np.random.default_rng(0)
    train = _stack(base.train, TRAIN, generator)
    test = _stack(base.test, TEST, generator)
    about = base.provenance
    provenance = {
        "name": f"stacked_{about['name']}",
        "source": f"three channels of {about['name']}",
        "train": TRAIN,
        "test": TEST,
        "digits": {key: about[key] for key in ("sha256", "recipe") if key in about},
        "classes_of_a_channel": CLASSES,
    }
    return Dataset(train, test, provenance, CHANNELS, (CATEGORY,) * len(CHANNELS))


def _digits(request: Request) -> Dataset:
    if not request.name:
        form = Request("digits", crop=request.crop, size=request.size)
        return digits.load(form)
    from infogan_jax.data.sources import tfds  # slow to import

    fields = {**vars(request), "source": "tfds", "channels": 1, "stream": False}
    base = tfds.load(Request(**fields))
    for split in (base.train, base.test):
        found = () if split.labels is None else np.unique(split.labels)
        if not np.array_equal(found, np.arange(CLASSES)):
            raise UserError(
                f"config.data.name (={request.name!r}) must have the labels 0 to "
                f"{CLASSES - 1} for the source stacked; try 'mnist', or '' for the "
                "digits in the package."
            )
    return base


def _stack(split: Split, size: int, generator: np.random.Generator) -> Split:
    rows = generator.integers(len(split.images), size=(size, len(CHANNELS)))
    images = np.concatenate([split.images[each] for each in rows.T], axis=-1)
    return Split(images, factors=np.asarray(split.labels)[rows].astype(np.int32))
