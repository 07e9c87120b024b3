"""The arrays of a NumPy archive: found by their names, checked, and put into splits."""

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from infogan_jax.data import decoding
from infogan_jax.errors import UserError

SPLITS = ("train", "test", "val")
LARGEST_LABEL = 65_535
BROKEN = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, struct.error)


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


def archive_error(path: Path | str, relation: str) -> UserError:
    """Returns an error that names the archive."""
    return UserError(f"config.data.directory (={str(path)!r}) {relation}.")


def read_archive(path: Path, is_mapped: bool) -> tuple[str, dict[str, np.ndarray]]:
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
        raise archive_error(path, relation) from error
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
        return archive_error(
            path,
            f"is a zip of {len(pictures)} pictures, such as {pictures[0]!r}; unzip it, "
            "and set --config.data.source=folder and --config.data.directory to where "
            "they are",
        )
    some = ", ".join(map(repr, names[:8])) or "none"
    more = f" and {len(names) - 8} others" if len(names) > 8 else ""
    return archive_error(
        path,
        "must have the array 'images', or 'train_images' and 'test_images', or "
        f"'x_train' and 'x_test', and has {some}{more}; rename the arrays",
    )


def find_parts(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Part]:
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
        raise archive_error(path, f"has the split {have} only; add 'train_images'")
    if len(parts) == 1 and len(images) < 2:
        raise archive_error(
            path, f"must have 2 images or more, not {len(images)}; add some"
        )
    shapes = {part.images.shape[1:] for part in parts.values()}
    if len(shapes) > 1:
        text = " and ".join(map(str, sorted(shapes)))
        raise archive_error(
            path, f"has splits of different shapes, {text}; make them equal"
        )
    types = {part.images.dtype for part in parts.values()}
    if len(types) > 1:
        text = " and ".join(sorted(map(str, types)))
        raise archive_error(
            path, f"has splits of different types, {text}; make them equal"
        )
    if len({part.labels is None for part in parts.values()}) > 1:
        raise archive_error(path, "has labels for one split only; add or remove them")
    return parts


def _has_splits(arrays: Mapping[str, np.ndarray]) -> bool:
    return any(key in arrays for split in SPLITS for key in IMAGES[split])


def _images(path: Path, key: str, images: np.ndarray) -> np.ndarray:
    if images.dtype.kind not in "uifb":
        raise archive_error(
            path, f"must have {key!r} as numbers, not {images.dtype}; save bytes"
        )
    full = images[..., None] if images.ndim == 3 else images
    if full.ndim == 4 and full.shape[-1] in (1, 3, 4) and 0 not in full.shape:
        return full
    hint = "reshape or transpose it"
    if images.ndim == 4 and images.shape[1] in (1, 3, 4):
        hint = f"save np.moveaxis({key}, 1, -1)"
    raise archive_error(
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
        raise archive_error(
            path,
            f"must have {key!r} as {count} whole numbers or texts, one for each image, "
            f"not {labels.dtype} of shape {list(labels.shape)}; {hint}",
        )
    if flat.dtype.kind == "S":
        return np.char.decode(flat, "utf-8", "replace")
    if flat.dtype.kind == "U":
        return flat
    if flat.min() < 0 or flat.max() > LARGEST_LABEL:
        raise archive_error(
            path,
            f"must have {key!r} from 0 to {LARGEST_LABEL}, not from {flat.min()} to "
            f"{flat.max()}; number the classes from 0 on, with "
            f"np.unique({key}, return_inverse=True)[1]",
        )
    return flat.astype(np.int32)
