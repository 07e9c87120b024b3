"""The loaders of data sets, by the value of `config.data.source`."""

from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.sources import digits, folder, npz, sprites, tfds

SOURCES = {
    "digits": digits.load,
    "folder": folder.load,
    "npz": npz.load,
    "sprites": sprites.load,
    "tfds": tfds.load,
}


def load(request: Request) -> Dataset:
    """Loads the data set that a request describes."""
    return SOURCES[request.source](request)
