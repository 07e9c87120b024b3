"""The sources of images by their names in a config."""

from dataclasses import replace
from importlib import import_module

from infogan_jax.data.dataset import Dataset, Request, fingerprints

SOURCES = (
    "digits",
    "folder",
    "gaussians",
    "heads",
    "npz",
    "seats",
    "sprites",
    "stacked",
    "tfds",
)
"""Each is a module of this folder with a function `load`, imported when it is used."""

SHAPES = {
    "digits": (8, 8, 1),
    "gaussians": (1, 2, 1),
    "heads": (32, 32, 1),
    "seats": (64, 64, 1),
    "sprites": (64, 64, 1),
}
"""The shape of the images of a source that has one alone."""


def load(request: Request) -> Dataset:
    """Loads the data set of a request from the source that it names.

    Raises:
      UserError: from the source, or if all images are equal.
      RunFailure: from the source.
    """
    from infogan_jax.data import report  # slow to import for --help

    source = import_module(f"infogan_jax.data.sources.{request.source}")
    dataset: Dataset = source.load(request)
    report.check_not_alike(dataset)
    train, test = (
        replace(split, prints=fingerprints(split))
        for split in (dataset.train, dataset.test)
    )
    return replace(dataset, train=train, test=test)
