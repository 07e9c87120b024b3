"""Finds the images that are most like a picture, to the eyes of a trained run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.nearest import find_nearest
from infogan_jax.errors import UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import described
from infogan_jax.run.files import write_png
from infogan_jax.trained import loading
from infogan_jax.trained.encoding import PART, find_pictures, read_pictures
from infogan_jax.trained.infogan import InfoGAN

MOST = 1000


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
    search = _folder(model, paths) if images else _own_data(model)
    names: list[str] = []

    def features() -> Iterator[np.ndarray]:
        for called, part in search.parts:
            names.extend(called)
            yield model.outputs(part).features

    found = find_nearest(model.outputs(query[None]).features[0], features(), count)
    if not names:
        raise UserError(f"--images: none of {len(paths)} pictures can be read.")
    called = [names[place] for place in found.places]
    shown = [query, *map(search.look_up, found.places, called)]
    write_png(Path(out), grid(np.stack(shown), min(len(shown), 11), smallest=64))
    pairs = zip(found.distances, called, strict=True)
    lines = [f"  {distance:.4f}  {name}" for distance, name in pairs]
    left_out = len(paths) - len(names) if images else 0
    note = f"; {left_out} pictures cannot be read" if left_out else ""
    searched = f"nearest of {len(names)} images to {image}"
    return "\n".join([f"{searched}, drawn in {out}{note}", *lines])


class Search(NamedTuple):
    """The images to search, a part at a time, with their names.

    Attributes:
      parts: names of images, and the images as bytes.
      look_up: returns one image again, by its place in all of them and its name.
    """

    parts: Iterator[tuple[list[str], np.ndarray]]
    look_up: Callable[[Any, str], np.ndarray]


def _folder(model: InfoGAN, paths: dict[str, Path]) -> Search:
    def parts() -> Iterator[tuple[list[str], np.ndarray]]:
        for start in range(0, len(paths), PART):
            names = list(paths)[start : start + PART]
            images, errors = read_pictures(model, [paths[name] for name in names])
            rows = [row for row, error in enumerate(errors) if error == ""]
            yield [names[row] for row in rows], images[rows]

    return Search(parts(), lambda place, name: model.read(paths[name]))


def _own_data(model: InfoGAN) -> Search:
    dataset = described(model.workdir).dataset
    splits = {"train": dataset.train, "test": dataset.test}

    def parts() -> Iterator[tuple[list[str], np.ndarray]]:
        for name, split in splits.items():
            for start in range(0, len(split.images), PART):
                images = np.asarray(split.images[start : start + PART])
                rows = range(start, start + len(images))
                named = split.names
                yield [named[r] if named else f"{name} {r}" for r in rows], images

    def look_up(place: Any, name: str) -> np.ndarray:
        first = len(dataset.train.images)
        if place < first:
            return dataset.train.images[place]
        return dataset.test.images[place - first]

    return Search(parts(), look_up)
