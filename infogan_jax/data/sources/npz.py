"""Loader of image arrays in a NumPy archive (.npz).

The archive has `images` (uint8 [n, height, width] or [n, height, width, 1 or 3]) and
perhaps `labels` (whole numbers [n]); a share of them is held out. Or it has its own
splits: `train_images`, `test_images`, and perhaps `train_labels` and `test_labels`. The
singular (`image`, `train_label`) is accepted too. Arrays of Python objects are never
loaded.
"""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import PIL
from jaxtyping import Int, UInt8

from infogan_jax.data import decoding, prepared
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.held_out import hold_out, order, take_rows
from infogan_jax.errors import UserError

IMAGES = [f"{part}image{s}" for part in ("", "train_", "test_") for s in ("s", "")]
LABELS = [key.replace("image", "label") for key in IMAGES]
LARGEST_LABEL = 65_535
BROKEN = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)


def load(request: Request) -> Dataset:
    """Loads the file `request.directory`, as uint8 [n, height, width, channels].

    The images are unchanged, unless `crop`, `size` or `channels` ask for another form.
    If the archive has no splits, the share `request.held_out` of a fixed permutation
    of the images is held out, at least one image.

    Raises:
      UserError: if the file is missing or is not an archive, lacks the arrays, or the
        arrays are not uint8, do not have the shape of images, are too few, are smaller
        than `crop`, or do not fit their labels or each other.
      RunFailure: if another form is asked for and no directory for it can be written.
    """
    path = Path(os.path.expanduser(request.directory)).absolute()
    if not request.directory or not os.path.isfile(path):
        raise _error(request.directory, "must be an existing .npz file; name one")
    digest, arrays = _read(path)
    prefixes = [name for name in ("train_", "test_") if _key(arrays, f"{name}image")]
    splits = {name: _split(path, arrays, name) for name in prefixes or [""]}
    if len(prefixes) == 1:
        raise _error(path, f"has the split {prefixes[0]!r} only; add the other one")
    recipe = {"file": digest, "rules": 1, "pillow": PIL.__version__}
    recipe |= request.image_form
    for name, split in splits.items():
        if not _has_form(split.images.shape[1:], request):
            own_recipe = recipe | {"name": path.name, "split": name}
            total, examples = len(split.images), partial(_examples, split, request)
            splits[name], _ = prepared.prepare(path.parent, own_recipe, total, examples)
    if prefixes:
        train, test = splits["train_"], splits["test_"]
    else:
        train, test = hold_out(splits[""], request.held_out)
    if train.images.shape[1:] != test.images.shape[1:]:
        shapes = f"{train.images.shape[1:]} and {test.images.shape[1:]}"
        raise _error(path, f"has splits of different shapes, {shapes}; make them equal")
    counts = {"train": len(train.images), "test": len(test.images)}
    about = {"name": path.stem, "source": "npz", "file": str(path), "sha256": digest}
    return Dataset(train, test, about | counts | {"recipe": recipe})


def _error(path: Path | str, relation: str) -> UserError:
    return UserError(f"config.data.directory (={str(path)!r}) {relation}.")


def _read(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Returns the SHA-256 of the file, and its arrays of images and labels."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive")
        with np.load(path, allow_pickle=False) as archive:
            names = sorted(archive)
            arrays = {key: archive[key] for key in names if key in IMAGES + LABELS}
    except BROKEN as error:
        hint = "save plain arrays with np.savez(path, images=images, labels=labels)"
        relation = f"must be a whole .npz file without objects ({error}); {hint}"
        raise _error(path, relation) from error
    if not arrays.keys() & set(IMAGES):
        raise _error(
            path,
            "must have the array 'images', or 'train_images' and 'test_images', and "
            f"has {', '.join(map(repr, names)) or 'none'}; rename the arrays",
        )
    return digest, arrays


def _key(arrays: Mapping[str, np.ndarray], name: str) -> str:
    """Returns the plural of `name` if it is a key, else the singular, else ""."""
    return next((key for key in (f"{name}s", name) if key in arrays), "")


def _split(path: Path, arrays: Mapping[str, np.ndarray], prefix: str) -> Split:
    """Returns a split of the archive; a single split is put in random order."""
    key = _key(arrays, f"{prefix}image")
    images = _images(path, key, arrays[key])
    if not prefix and len(images) < 2:
        raise _error(path, f"must have 2 images or more, not {len(images)}; add some")
    key = _key(arrays, f"{prefix}label")
    split = Split(images, _labels(path, key, arrays[key], len(images)) if key else None)
    return split if prefix else take_rows(split, order(len(images)))


def _images(
    path: Path, key: str, images: np.ndarray
) -> UInt8[np.ndarray, "n height width channels"]:
    if images.dtype != np.uint8:
        hint = "save bytes from 0 to 255"
        if images.dtype.kind == "f" or images.dtype == bool:
            to_bytes = "np.round(255 * images).astype(np.uint8)"
            hint = f"multiply images in [0, 1] by 255 and save {to_bytes}"
        raise _error(path, f"must have {key!r} as uint8, not {images.dtype}; {hint}")
    full = images[..., None] if images.ndim == 3 else images
    if full.ndim != 4 or full.shape[-1] not in (1, 3) or 0 in full.shape:
        raise _error(
            path,
            f"must have {key!r} of shape [n, height, width] or [n, height, width, 1 or "
            f"3], all above 0, not {list(images.shape)}; reshape or transpose it",
        )
    return full


def _labels(
    path: Path, key: str, labels: np.ndarray, count: int
) -> Int[np.ndarray, "n"]:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise _error(
            path,
            f"must have {key!r} as {count} whole numbers, one for each image, not "
            f"{labels.dtype} of shape {list(labels.shape)}; correct it or leave it out",
        )
    if labels.min() < 0 or labels.max() > LARGEST_LABEL:
        raise _error(
            path,
            f"must have {key!r} from 0 to {LARGEST_LABEL}, not from {labels.min()} to "
            f"{labels.max()}; number the classes from 0 on",
        )
    return labels.astype(np.int32)


def _has_form(shape: tuple[int, ...], request: Request) -> bool:
    """Returns whether images of a shape already have the form of the request."""
    height, width, channels = shape
    crop, size = request.crop, request.size
    wanted = (crop or height, crop or width, request.channels or channels)
    return wanted == shape and (not size or size == height == width)


def _examples(split: Split, request: Request) -> Iterator[prepared.Example]:
    crop, size, channels = request.crop, request.size, request.channels
    for index, pixels in enumerate(split.images):
        image = prepared.fit(decoding.from_pixels(pixels), crop, size, channels)
        label = None if split.labels is None else int(split.labels[index])
        yield prepared.Example(image, label)
