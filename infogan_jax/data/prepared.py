"""Prepared splits: images cropped and resized once, then mapped from a file.

A prepared split is a directory whose name is the hash of its recipe. It lies beside
the data or, if that directory cannot be written, in the user's cache directory. It is
written under a temporary name and then renamed, so two processes that prepare the
same split cannot damage it: the process that finishes first wins. A process that is
killed leaves a directory `<key>.*`, which is never used. A split with a missing or
truncated file is prepared again.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from infogan_jax.data.dataset import Split
from infogan_jax.errors import RunFailure, UserError

FOLDER, IMAGES, RECORD = "infogan_jax_prepared", "images.bin", "record.json"
COLUMNS = ("labels", "factors")


class Example(NamedTuple):
    """One image of the final size, with its label and factors.

    Attributes:
      image: all images of a split have one shape.
      label: the class, or None in all examples of the split.
      factors: the generative factors, as many as in every example, or None in all.
      name: for error messages.
    """

    image: UInt8[np.ndarray, "height width channels"]
    label: int | None = None
    factors: tuple[int, ...] | None = None
    name: str = "one"


def prepare(
    data_directory: Path,
    recipe: Mapping[str, Any],
    total: int,
    examples: Callable[[], Iterable[Example]],
    notes: Mapping[str, Any] | None = None,
) -> tuple[Split, dict[str, Any]]:
    """Returns the split of a recipe, and prepares it first if that was never done.

    Args:
      data_directory: where the data lies and the prepared images are written.
      recipe: everything that the images depend on, as JSON.
      total: the largest possible number of examples, for the progress bar.
      examples: yields the examples, all of one shape; called only if needed.
      notes: JSON for the record, which `examples` may fill in while it runs.

    Returns:
      The split, and its record: recipe, notes, shape, whether there are labels and
      factors, and SHA-256.

    Raises:
      UserError: if there is no example, or the examples differ in shape.
      RunFailure: if no directory for the prepared images can be written.
    """
    text = json.dumps(recipe, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    parents = [data_directory / FOLDER, user_cache() / FOLDER]
    for parent in parents:
        if loaded := _load(parent / key):
            return loaded
    parent = _first_writable(parents)
    temporary, target = parent / f"{key}.{uuid.uuid4().hex[:12]}", parent / key
    try:
        temporary.mkdir()
        _write(temporary, {"recipe": recipe, "notes": notes}, total, examples())
        if _load(target) is None:
            shutil.rmtree(target, ignore_errors=True)  # damaged
        with contextlib.suppress(OSError):  # another process was faster
            os.rename(temporary, target)
    except OSError as error:
        raise RunFailure(
            f"{parent} cannot hold the prepared images ({error}); make space, or set "
            "config.data.directory to a copy of the data elsewhere."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if loaded := _load(target):
        return loaded
    raise RunFailure(f"{target} cannot be put in place; remove it and start again.")


def user_cache() -> Path:
    """Returns the user's cache directory of this package."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "infogan_jax"


def _first_writable(folders: list[Path]) -> Path:
    for folder in folders:
        with contextlib.suppress(OSError):
            if folder.parent.exists() and not folder.parent.stat().st_mode & 0o222:
                continue  # marked read-only, which does not stop root
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    raise RunFailure(
        f"prepared images can be kept neither in {' nor in '.join(map(str, folders))}; "
        "set XDG_CACHE_HOME to a directory that can be written."
    )


def _write(
    directory: Path, record: dict[str, Any], total: int, examples: Iterable[Example]
) -> None:
    title = record["recipe"].get("name", "images")
    digest, first, rows = hashlib.sha256(), None, []
    with open(directory / IMAGES, "wb") as file:
        bar = tqdm(examples, f"preparing {title}", total, unit="image", disable=None)
        for example in bar:
            first = first or example
            _check_same_shape(first, example)
            content = np.ascontiguousarray(example.image).tobytes()
            digest.update(content)
            file.write(content)
            rows.append((example.label, example.factors))
    if first is None:
        raise UserError(f"config.data.directory: {title} has no image to prepare.")
    for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        record = record | {name: None not in column}
        if record[name]:
            np.save(directory / f"{name}.npy", np.asarray(column, np.int32))
    shape = [len(rows), *first.image.shape]
    record = record | {"shape": shape, "sha256": digest.hexdigest()}
    (directory / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def _check_same_shape(one: Example, other: Example) -> None:
    if one.image.shape != other.image.shape:
        (height, width, _), (tall, wide, _) = one.image.shape, other.image.shape
        raise UserError(
            "config.data.size (=0) keeps the images' sizes, which must be equal, but "
            f"{one.name} is {height} x {width} and {other.name} is {tall} x {wide}; "
            f"set for example --config.data.size={min(height, width)}."
        )


def _load(directory: Path) -> tuple[Split, dict[str, Any]] | None:
    """Loads a prepared split and its record; None if it is missing or damaged."""
    try:
        record = json.loads((directory / RECORD).read_text())
        shape, images = tuple(record["shape"]), directory / IMAGES
        names = [name for name in COLUMNS if record.get(name)]
        columns = {name: np.load(directory / f"{name}.npy") for name in names}
        is_whole = images.stat().st_size == math.prod(shape)
        if not is_whole or any(len(each) != shape[0] for each in columns.values()):
            return None
        return Split(np.memmap(images, np.uint8, "r", shape=shape), **columns), record
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def fit(
    image: Image.Image, crop: int, size: int, channels: int, name: str = "one"
) -> UInt8[np.ndarray, "height width channels"]:
    """Crops a picture, converts its colour, and resizes it, in this order.

    Args:
      image: in mode L, RGB or RGBA.
      crop: side of the central square to cut out, in pixels. 0 is the largest square
        if `size` is given, so that nothing is distorted, else the whole image.
      size: side of the result in pixels, resized with antialiasing (Lanczos); 0 keeps
        the size.
      channels: 1 or 3; 0 keeps the channels.
      name: of the image, for the error message.

    Raises:
      UserError: if the image is smaller than the crop.
    """
    if crop > min(image.size):
        raise UserError(
            f"config.data.crop (={crop}) must be at most the shorter side of every "
            f"image, but {name} is {image.height} x {image.width}; lower it, or set "
            "--config.data.crop=0 for the whole image."
        )
    if crop := crop or (min(image.size) if size else 0):
        left, top = (image.width - crop) // 2, (image.height - crop) // 2
        image = image.crop((left, top, left + crop, top + crop))
    if channels:
        image = image.convert("L" if channels == 1 else "RGB")
    if size and image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(image, np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels
