"""The sources by their names in a config."""

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
    """Loads what a config asks for from the source that it names."""
    return SOURCES[request.source](request)
