"""Loader of image arrays in a NumPy archive (.npz).

The archive has `images` ([n, height, width] or [n, height, width, channels]) and
perhaps `labels` ([n] or [n, 1]); a share of them is held out. Or it has its own splits:
`train_images`, `test_images`, `val_images` and their `..._labels`, in the singular as
well, or Keras's `x_train`, `y_train` and so on. Arrays of Python objects are never
loaded.

Bytes are read as they are, masks of 0 and 1 as black and white. Of other numbers, those
in [0, 1], [-1, 1] or [0, 255] are read as such, all others by what they use.
"""

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL
from jaxtyping import Int

from infogan_jax.data import decoding, layout, prepared
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.held_out import hold_out, order, stratified_order, take_rows
from infogan_jax.data.prepared import Block
from infogan_jax.data.survey import Task, survey_arrays
from infogan_jax.errors import UserError

SPLITS = ("train", "test", "val")
LARGEST_LABEL = 65_535
BROKEN = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, struct.error)
_PART = 4096  # images


def _keys(split: str, kind: str, letter: str) -> tuple[str, ...]:
    if not split:
        return (f"{kind}s", kind)
    words = (f"{split}_{kind}s", f"{split}_{kind}")
    return (*words, f"{letter}_{split}", f"{letter.upper()}_{split}")


IMAGES = {split: _keys(split, "image", "x") for split in ("", *SPLITS)}
LABELS = {split: _keys(split, "label", "y") for split in ("", *SPLITS)}
KNOWN = {key for keys in [*IMAGES.values(), *LABELS.values()] for key in keys}


class Part(NamedTuple):
    """The arrays of one split: images [n, height, width, channels], of any type."""

    images: np.ndarray
    labels: np.ndarray | None
    key: str


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
        raise _error(request.directory, "must be an existing .npz file; name one")
    digest, arrays = _read(path, request.stream)
    parts = _parts(path, arrays)
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


def _error(path: Path | str, relation: str) -> UserError:
    return UserError(f"config.data.directory (={str(path)!r}) {relation}.")


def _read(path: Path, is_mapped: bool) -> tuple[str, dict[str, np.ndarray]]:
    """Returns the SHA-256 of the file, and its arrays of images and labels."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive")
        with np.load(path, allow_pickle=False) as archive:
            names = sorted(archive)
            arrays = {
                key: (_map(path, key) if is_mapped else None) or _Array(archive[key])
                for key in names
                if key in KNOWN
            }
    except BROKEN as error:
        hint = "save plain arrays with np.savez(path, images=images, labels=labels)"
        relation = f"must be a whole .npz file without objects ({error}); {hint}"
        raise _error(path, relation) from error
    if not arrays.keys() & set(chain(*IMAGES.values())):
        raise _no_images(path, names)
    return digest, {key: each.values for key, each in arrays.items()}


class _Array(NamedTuple):
    values: np.ndarray


def _map(path: Path, key: str) -> _Array | None:
    """Maps an array that is stored without compression from the file."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{key}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        return None
    with open(path, "rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        file.seek(name + extra, os.SEEK_CUR)
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            return None
        is_first = version == (1, 0)
        read = (
            np.lib.format.read_array_header_1_0
            if is_first
            else np.lib.format.read_array_header_2_0
        )
        shape, is_fortran, dtype = read(file)
        if is_fortran or dtype.hasobject or 0 in shape:
            return None
        return _Array(np.memmap(path, dtype, "r", file.tell(), shape))


def _no_images(path: Path, names: Sequence[str]) -> UserError:
    pictures = [n for n in names if n.lower().endswith(decoding.SUFFIXES)]
    if pictures:
        return _error(
            path,
            f"is a zip of {len(pictures)} pictures, such as {pictures[0]!r}; unzip it, "
            "and set --config.data.source=folder and --config.data.directory to where "
            "they are",
        )
    some = ", ".join(map(repr, names[:8])) or "none"
    more = f" and {len(names) - 8} others" if len(names) > 8 else ""
    return _error(
        path,
        "must have the array 'images', or 'train_images' and 'test_images', or "
        f"'x_train' and 'x_test', and has {some}{more}; rename the arrays",
    )


def _parts(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Part]:
    """Returns the arrays of every split, or of "" alone."""
    parts = {}
    for name in SPLITS if _has_splits(arrays) else ("",):
        if key := next((key for key in IMAGES[name] if key in arrays), None):
            images = _images(path, key, arrays[key])
            label = next((key for key in LABELS[name] if key in arrays), None)
            labels = _labels(path, label, arrays[label], len(images)) if label else None
            parts[name] = Part(images, labels, key)
    if "" not in parts and "train" not in parts:
        have = " and ".join(parts)
        raise _error(path, f"has the split {have} only; add 'train_images'")
    if len(parts) == 1 and len(images) < 2:
        raise _error(path, f"must have 2 images or more, not {len(images)}; add some")
    shapes = {part.images.shape[1:] for part in parts.values()}
    if len(shapes) > 1:
        text = " and ".join(map(str, sorted(shapes)))
        raise _error(path, f"has splits of different shapes, {text}; make them equal")
    types = {part.images.dtype for part in parts.values()}
    if len(types) > 1:
        text = " and ".join(sorted(map(str, types)))
        raise _error(path, f"has splits of different types, {text}; make them equal")
    if len({part.labels is None for part in parts.values()}) > 1:
        raise _error(path, "has labels for one split only; add or remove them")
    return parts


def _has_splits(arrays: Mapping[str, np.ndarray]) -> bool:
    return any(key in arrays for split in SPLITS for key in IMAGES[split])


def _images(path: Path, key: str, images: np.ndarray) -> np.ndarray:
    if images.dtype.kind not in "uifb":
        raise _error(
            path, f"must have {key!r} as numbers, not {images.dtype}; save bytes"
        )
    full = images[..., None] if images.ndim == 3 else images
    if full.ndim == 4 and full.shape[-1] in (1, 3, 4) and 0 not in full.shape:
        return full
    hint = "reshape or transpose it"
    if images.ndim == 4 and images.shape[1] in (1, 3, 4):
        hint = f"save np.moveaxis({key}, 1, -1)"
    raise _error(
        path,
        f"must have {key!r} of shape [n, height, width] or [n, height, width, 1, 3 or "
        f"4], all above 0, not {list(images.shape)}; {hint}",
    )


def _labels(path: Path, key: str, labels: np.ndarray, count: int) -> np.ndarray:
    """Returns the labels [n], as whole numbers or texts."""
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.shape != (count,) or flat.dtype.kind not in "iuUSb":
        hint = "correct it or leave it out"
        if labels.ndim == 2 and len(labels) == count:
            hint = f"save np.argmax({key}, 1) if it is one-hot, or leave it out"
        elif flat.shape == (count,) and flat.dtype.kind == "f":
            hint = f"save {key}.astype(int), or leave it out"
        raise _error(
            path,
            f"must have {key!r} as {count} whole numbers or texts, one for each image, "
            f"not {labels.dtype} of shape {list(labels.shape)}; {hint}",
        )
    if flat.dtype.kind == "S":
        return np.char.decode(flat, "utf-8", "replace")
    if flat.dtype.kind == "U":
        return flat
    if flat.min() < 0 or flat.max() > LARGEST_LABEL:
        raise _error(
            path,
            f"must have {key!r} from 0 to {LARGEST_LABEL}, not from {flat.min()} to "
            f"{flat.max()}; number the classes from 0 on, with "
            f"np.unique({key}, return_inverse=True)[1]",
        )
    return flat.astype(np.int32)


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
            raise _error(
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
