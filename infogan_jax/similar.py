"""Finds the images that are most like a picture, to the eyes of a trained run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from infogan_jax import loading
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.nearest import find_nearest
from infogan_jax.encoding import PART, find_pictures, read_pictures
from infogan_jax.errors import UserError
from infogan_jax.loading import InfoGAN
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import described
from infogan_jax.run.files import write_png

MOST = 1000

Named = tuple[list[str], np.ndarray]
"""Names of images, and the images as bytes."""


def find_similar(
    workdir: Path, image: str, images: str | None, count: int, out: str
) -> str:
    """Finds the images nearest to a picture, and draws them in a row behind it.

    They are compared by the angle between the trunk's features, the layer from which D
    and Q decide, so that what the run has learnt counts and not single pixels.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      image: a picture.
      images: a folder of pictures to search; None takes the run's own data.
      count: how many to find.
      out: the PNG file of the picture with those found.

    Returns:
      A line for each, nearest first: distance (0 to 2) and name. Files that cannot be
      read are counted.

    Raises:
      UserError: where a picture cannot be read, or there is none to search.
    """
    if not 1 <= count <= MOST:
        raise UserError(f"--count (={count}) must be 1 to {MOST}; try 10.")
    if Path(out).suffix != ".png":
        raise UserError(f"--out (={out}) must be a file .png; name one.")
    processes.refuse_several()
    compilation.use_persistent_cache()
    paths = find_pictures(Path(images)) if images else {}
    model = loading.load(workdir)
    query = model.read(Path(image))
    names: list[str] = []
    pictures: list[np.ndarray] = []

    def features() -> Iterator[np.ndarray]:
        parts = _of_folder(model, paths) if images else _of_run(model)
        for called, part in parts:
            names.extend(called)
            pictures.append(part)
            if len(part):
                yield model.outputs(part).features

    features_of_query = model.outputs(query[None]).features[0]
    found = find_nearest(features_of_query, features(), count)
    if not names:
        raise UserError(f"--images: none of {len(paths)} pictures can be read.")
    every = np.concatenate(pictures)
    drawn = np.concatenate([query[None], every[found.places]])
    write_png(Path(out), grid(drawn, min(len(drawn), 11), smallest=64))
    lines = [
        f"  {distance:.4f}  {names[place]}"
        for place, distance in zip(found.places, found.distances, strict=True)
    ]
    left_out = len(paths) - len(names) if images else 0
    note = f"; {left_out} pictures cannot be read" if left_out else ""
    searched = f"nearest of {len(names)} images to {image}"
    return "\n".join([f"{searched}, drawn in {out}{note}", *lines])


def _of_folder(model: InfoGAN, paths: dict[str, Path]) -> Iterator[Named]:
    for start in range(0, len(paths), PART):
        names = list(paths)[start : start + PART]
        images, errors = read_pictures(model, [paths[name] for name in names])
        is_read = np.array([error == "" for error in errors])
        yield (
            [name for name, good in zip(names, is_read, strict=True) if good],
            images[is_read],
        )


def _of_run(model: InfoGAN) -> Iterator[Named]:
    dataset = described(model.workdir).dataset
    for name, split in {"train": dataset.train, "test": dataset.test}.items():
        for start in range(0, len(split.images), PART):
            rows = range(start, min(start + PART, len(split.images)))
            called = [f"{name} {row}" for row in rows]
            if split.names is not None:
                called = [split.names[row] for row in rows]
            yield called, np.asarray(split.images[start : start + PART])
