"""Loader of image arrays in a NumPy archive (.npz).

The archive has `images` ([n, height, width] or [n, height, width, channels]) and
perhaps `labels` ([n] or [n, 1]); a share of them is held out. Or it has its own splits:
`train_images`, `test_images`, `val_images` and their `..._labels`, in the singular as
well, or Keras's `x_train`, `y_train` and so on. Arrays of Python objects are never
loaded.

Bytes are read as they are, masks of 0 and 1 as black and white. Of other numbers, those
in [0, 1], [-1, 1] or [0, 255] are read as such, all others by what they use.
"""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from jaxtyping import Int

from infogan_jax.data import layout, prepared
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.held_out import hold_out, order, stratified_order, take_rows
from infogan_jax.data.prepared import Block
from infogan_jax.data.sources.npz_arrays import (
    Part,
    archive_error,
    find_parts,
    read_archive,
)
from infogan_jax.data.survey import Task, survey_arrays

_PART = 4096  # images


def load(request: Request) -> Dataset:
    """Loads the file `request.directory`, as uint8 [n, height, width, channels].

    The split `test`, or else `val`, is held out; `val` beside `test` is left out.
    Without them the share `request.held_out` of a fixed permutation of the images is
    held out, of each class where there are labels, at least one image.

    Raises:
      UserError: if the file is missing or is not an archive, lacks the arrays, or the
        arrays are no finite numbers, do not have the shape of images, are too few, are
        smaller than `crop`, or do not fit their labels or each other.
      RunFailure: if another form is asked for and it cannot be written.
    """
    path = Path(os.path.expanduser(request.directory)).absolute()
    if not request.directory or not os.path.isfile(path):
        raise archive_error(
            request.directory, "must be an existing .npz file; name one"
        )
    digest, arrays = read_archive(path, request.stream)
    parts = find_parts(path, arrays)
    parts, classes = _number_classes(parts)
    left_out = {}
    if "val" in parts and "test" in parts:
        left_out["val, as there is test"] = {"count": len(parts.pop("val").images)}
    held = "test" if "test" in parts else "val"
    orders = {name: _order(part, name, held in parts) for name, part in parts.items()}
    recipe = {"name": path.name, "file": digest, "pillow": PIL.__version__}
    recipe |= request.image_form
    report: dict[str, Any] = {"skipped": left_out}
    if _is_ready(parts, request):
        splits = {
            name: take_rows(Split(part.images, part.labels), rows or slice(None))
            for (name, part), rows in zip(parts.items(), orders.values(), strict=True)
        }
    else:
        images = [part.images for part in parts.values()]
        for part in parts.values():
            _check_finite(path, part.key, part.images)
        blocks = {
            name: Block(len(part.images), partial(_tasks, part, orders[name]))
            for name, part in parts.items()
        }
        splits, record = prepared.prepare(
            request, recipe, blocks, partial(survey_arrays, images, request)
        )
        report |= record
    if held in splits:
        train, test = splits["train"], splits[held]
    else:
        train, test = hold_out(next(iter(splits.values())), request.held_out)
    about: dict[str, Any] = {
        "name": path.stem,
        "source": "npz",
        "file": str(path),
        "sha256": digest,
    }
    about |= {"train": len(train.images), "test": len(test.images), "recipe": recipe}
    about |= {"classes": classes} if classes else {}
    return Dataset(train, test, about | {"report": report})


def _number_classes(parts: dict[str, Part]) -> tuple[dict[str, Part], list[str]]:
    """Numbers labels that are texts by their order; returns their names as well."""
    texts = [p.labels for p in parts.values() if p.labels is not None]
    if not any(each.dtype.kind == "U" for each in texts):
        return parts, []
    classes = sorted({str(text) for each in texts for text in each}, key=layout.natural)
    numbers = {text: number for number, text in enumerate(classes)}
    return {
        name: part._replace(labels=_numbered(part.labels, numbers))
        for name, part in parts.items()
    }, classes


def _numbered(
    labels: np.ndarray | None, numbers: Mapping[str, int]
) -> Int[np.ndarray, "n"]:
    return np.array([numbers[str(text)] for text in np.asarray(labels)], np.int32)


def _order(part: Part, name: str, has_held_out: bool) -> list[int]:
    """Returns the order of images of which a share is held out; [] keeps theirs."""
    if has_held_out:
        return []
    if part.labels is None:
        return order(len(part.images))
    return stratified_order(part.labels.tolist())


def _is_ready(parts: Mapping[str, Part], request: Request) -> bool:
    """Returns whether arrays are bytes that already have the form of the request."""
    if request.stream or request.range:
        return False
    images = [part.images for part in parts.values()]
    if any(each.dtype != np.uint8 for each in images):
        return False
    height, width, channels = images[0].shape[1:]
    crop, size = request.crop, request.size
    wanted = (crop or height, crop or width, request.channels or channels)
    has_form = wanted == (height, width, channels) and (
        not size or size == height == width
    )
    return has_form and channels != 4 and any(_is_above_1(each) for each in images)


def _is_above_1(images: np.ndarray) -> bool:
    starts = range(0, len(images), _PART)
    return any(images[start : start + _PART].max() > 1 for start in starts)


def _check_finite(path: Path, key: str, images: np.ndarray) -> None:
    if images.dtype.kind != "f":
        return
    for start in range(0, len(images), _PART):
        part = images[start : start + _PART]
        finite = np.isfinite(part).all(axis=(1, 2, 3))
        if not finite.all():
            raise archive_error(
                path,
                f"must have finite numbers, but image {start + int(finite.argmin())} "
                f"of {key!r} has NaN or infinity; leave such images out, with "
                f"{key}[np.isfinite({key}).reshape(len({key}), -1).all(1)], or set "
                f"their pixels, with np.nan_to_num({key})",
            )


def _tasks(part: Part, rows: list[int], start: int) -> Iterator[Task]:
    for row in rows[start:] if rows else range(start, len(part.images)):
        label = None if part.labels is None else int(part.labels[row])
        yield Task("one", partial(_load, part.images, row), None, label)


def _load(images: np.ndarray, row: int) -> np.ndarray:
    return np.asarray(images[row])
