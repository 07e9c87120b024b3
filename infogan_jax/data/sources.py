"""The sources by their names in a config."""

from infogan_jax.data import digits
from infogan_jax.data.dataset import Dataset

SOURCES = {"digits": digits.load}


def load(name: str) -> Dataset:
    """Loads a data set by the name it has in `SOURCES`."""
    return SOURCES[name]()
