"""Arrays in a NumPy archive (.npz) as a data set.

The archive holds `images` (uint8 [n, height, width] or [n, height, width, 1 or 3]) and
perhaps `labels` (whole numbers [n]), of which a share is held out; or it holds its own
splits: `train_images`, `test_images`, and perhaps `train_labels`, `test_labels`. The
singular (`image`, `train_label`) will do as well. Nothing is ever unpickled.
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
from PIL import Image

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.held_out import hold_out, order
from infogan_jax.errors import UserError

IMAGES = [f"{part}image{s}" for part in ("", "train_", "test_") for s in ("s", "")]
LABELS = [key.replace("image", "label") for key in IMAGES]
LARGEST_LABEL = 65_535
BROKEN = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error)
TO_BYTES = "np.round(255 * images).astype(np.uint8)"


def load(request: Request) -> Dataset:
    """The arrays of the file `request.directory`, uint8 [n, height, width, channels].

    They are taken as they are, unless `crop`, `size` or `channels` ask for another
    shape. Without splits, a share `request.held_out` of a fixed permutation of the
    images is held out, at least one.

    Raises:
      UserError: where the file is missing or no archive, lacks the arrays, or they
        are not bytes, not images, too few, smaller than `crop`, or do not fit their
        labels or each other.
      RunFailure: where another shape is asked for and can be written nowhere.
    """
    path = Path(os.path.expanduser(request.directory)).absolute()
    if not request.directory or not os.path.isfile(path):
        raise _refusal(request.directory, "must be an existing .npz file; name one")
    digest, arrays = _read(path)
    splits = [name for name in ("train_", "test_") if _find(arrays, name, "image")]
    parts = {name: _part(path, arrays, name) for name in splits or [""]}
    if len(splits) == 1:
        raise _refusal(path, f"has the split {splits[0]!r} only; add the other one")
    recipe = {"file": digest, "rules": 1, "pillow": PIL.__version__}
    recipe |= {field: getattr(request, field) for field in ("crop", "size", "channels")}
    for name, part in parts.items():
        if not _as_asked(part.images.shape[1:], request):
            named = recipe | {"name": path.name, "split": name}
            make = partial(_examples, part, request)
            total = len(part.images)
            parts[name] = prepared.prepare(path.parent, named, total, make)[0]
    train, test = (
        (parts["train_"], parts["test_"])
        if splits
        else hold_out(parts[""], request.held_out)
    )
    if train.images.shape[1:] != test.images.shape[1:]:
        shapes = f"{train.images.shape[1:]} and {test.images.shape[1:]}"
        raise _refusal(
            path, f"has splits of different shapes, {shapes}; make them equal"
        )
    counts = {"train": len(train.images), "test": len(test.images)}
    about = {"name": path.stem, "source": "npz", "file": str(path), "sha256": digest}
    return Dataset(train, test, about | counts | {"recipe": recipe})


def _refusal(path: Path | str, relation: str) -> UserError:
    return UserError(f"config.data.directory (={str(path)!r}) {relation}.")


def _read(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """SHA-256 of the file, and its arrays of images and labels."""
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
        raise _refusal(path, relation) from error
    if not arrays.keys() & set(IMAGES):
        raise _refusal(
            path,
            "must have the array 'images', or 'train_images' and 'test_images', and "
            f"has {', '.join(map(repr, names)) or 'none'}; rename the arrays",
        )
    return digest, arrays


def _find(arrays: Mapping[str, np.ndarray], prefix: str, name: str) -> str | None:
    """The plural or singular key that is there, if any."""
    for key in (f"{prefix}{name}s", f"{prefix}{name}"):
        if key in arrays:
            return key
    return None


def _part(path: Path, arrays: Mapping[str, np.ndarray], prefix: str) -> Split:
    """One split of the archive, in random order if there is only this one."""
    key = _find(arrays, prefix, "image")
    assert key is not None
    images = _images(path, key, arrays[key])
    if not prefix and len(images) < 2:
        raise _refusal(path, f"must have 2 images or more, not {len(images)}; add some")
    known = _find(arrays, prefix, "label")
    labels = _labels(path, known, arrays[known], len(images)) if known else None
    if prefix:
        return Split(images, labels)
    chosen = order(len(images))
    return Split(images[chosen], None if labels is None else labels[chosen])


def _images(
    path: Path, key: str, images: np.ndarray
) -> UInt8[np.ndarray, "n height width channels"]:
    if images.dtype != np.uint8:
        hint = "save bytes from 0 to 255"
        if images.dtype.kind == "f" or images.dtype == bool:
            hint = f"multiply images in [0, 1] by 255 and save {TO_BYTES}"
        raise _refusal(path, f"must have {key!r} as uint8, not {images.dtype}; {hint}")
    full = images[..., None] if images.ndim == 3 else images
    if full.ndim != 4 or full.shape[-1] not in (1, 3) or 0 in full.shape:
        raise _refusal(
            path,
            f"must have {key!r} of shape [n, height, width] or [n, height, width, 1 or "
            f"3], all above 0, not {list(images.shape)}; reshape or transpose it",
        )
    return full


def _labels(
    path: Path, key: str, labels: np.ndarray, count: int
) -> Int[np.ndarray, "n"]:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise _refusal(
            path,
            f"must have {key!r} as {count} whole numbers, one for each image, not "
            f"{labels.dtype} of shape {list(labels.shape)}; mend it or leave it out",
        )
    if labels.min() < 0 or labels.max() > LARGEST_LABEL:
        raise _refusal(
            path,
            f"must have {key!r} from 0 to {LARGEST_LABEL}, not from {labels.min()} to "
            f"{labels.max()}; number the classes from 0 on",
        )
    return labels.astype(np.int32)


def _as_asked(shape: tuple[int, ...], request: Request) -> bool:
    """Whether nothing is left to cut, resize or colour."""
    height, width, channels = shape
    asked = request.crop or height, request.crop or width, request.channels or channels
    return asked == shape and (not request.size or request.size == height == width)


def _examples(part: Split, request: Request) -> Iterator[prepared.Example]:
    for index, pixels in enumerate(part.images):
        gray = pixels.shape[-1] == 1
        image = Image.fromarray(pixels[..., 0] if gray else pixels)
        fitted = prepared.fit(image, request.crop, request.size, request.channels)
        label = None if part.labels is None else int(part.labels[index])
        yield prepared.Example(fitted, label)
