"""Images made ready once: decoded, cropped, resized, and mapped from one file.

A prepared split is a directory named by its recipe, beside the data or, where that
cannot be written, in the user's cache directory. It is made under another name and
moved into place whole, so that two processes that prepare the same one cannot spoil
it: the first to finish wins. A killed one leaves a directory `<key>.*` that nobody
reads; a split of which a file is missing or cut short is prepared again.
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

FOLDER, RECORD = "infogan_jax_prepared", "record.json"
KNOWN = ("labels", "factors")

Shape = tuple[int, ...]


class Example(NamedTuple):
    """An image of the final size, and what is known about it.

    Attributes:
      image: of the shape of all others.
      label: its class, or None in every example.
      factors: its generative factors, as many as the others have, or None in every
        example.
      name: for messages.
    """

    image: UInt8[np.ndarray, "height width channels"]
    label: int | None = None
    factors: tuple[int, ...] | None = None
    name: str = "one"


def prepare(
    beside: Path,
    recipe: Mapping[str, Any],
    total: int,
    examples: Callable[[], Iterable[Example]],
    notes: Mapping[str, Any] | None = None,
) -> tuple[Split, dict[str, Any]]:
    """The split of a recipe: mapped if it was prepared before, else prepared now.

    Args:
      beside: the directory of the data, to keep the prepared images in.
      recipe: everything that the images depend on, as JSON.
      total: the number of examples at most, for the progress bar.
      examples: yields the examples, all of one shape; called only if needed.
      notes: what `examples` has found out when it ends, as JSON, for the record.

    Returns:
      The split, and its record: recipe, notes, shape, labels (or not), factors (or
      not) and SHA-256.

    Raises:
      UserError: where there is no example, or they differ in shape.
      RunFailure: where the prepared images can be written nowhere.
    """
    text = json.dumps(recipe, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    homes = [beside / FOLDER, user_cache() / FOLDER]
    for home in homes:
        if found := _read(home / key):
            return found
    home = _first_writable(homes)
    made, place = home / f"{key}.{uuid.uuid4().hex[:12]}", home / key
    try:
        made.mkdir()
        _write(made, {"recipe": recipe, "notes": notes}, total, examples())
        if _read(place) is None:
            shutil.rmtree(place, ignore_errors=True)  # damaged
        with contextlib.suppress(OSError):  # another process was faster
            os.rename(made, place)
    except OSError as error:
        raise RunFailure(
            f"{home} cannot take the prepared images ({error}); make space, or set "
            "config.data.directory to a copy of the data elsewhere."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    if found := _read(place):
        return found
    raise RunFailure(f"{place} cannot be put in place; remove it and start again.")


def user_cache() -> Path:
    """The directory for what can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "infogan_jax"


def _first_writable(homes: list[Path]) -> Path:
    for home in homes:
        with contextlib.suppress(OSError):
            if home.parent.exists() and not home.parent.stat().st_mode & 0o222:
                continue  # marked read-only, which would not stop root
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home):
                return home
    raise RunFailure(
        f"prepared images can be kept neither in {' nor in '.join(map(str, homes))}; "
        "set XDG_CACHE_HOME to a directory that can be written."
    )


def _write(
    made: Path, record: dict[str, Any], total: int, examples: Iterable[Example]
) -> None:
    title = record["recipe"].get("name", "images")
    digest, first, known = hashlib.sha256(), None, []
    with open(made / "images.bin", "wb") as file:
        for image, *facts, name in tqdm(
            examples, f"preparing {title}", total, unit="image", disable=None
        ):
            first = first or (name, image.shape)
            _check_equal(first, (name, image.shape))
            content = np.ascontiguousarray(image).tobytes()
            digest.update(content)
            file.write(content)
            known.append(facts)
    if first is None:
        raise UserError(f"config.data.directory: {title} has no image to prepare.")
    for key, column in zip(KNOWN, zip(*known, strict=True), strict=True):
        record = record | {key: None not in column}
        if record[key]:
            np.save(made / f"{key}.npy", np.asarray(column, np.int32))
    record = record | {"shape": [len(known), *first[1]], "sha256": digest.hexdigest()}
    (made / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def _check_equal(one: tuple[str, Shape], other: tuple[str, Shape]) -> None:
    if one[1] != other[1]:
        (height, width, _), (tall, wide, _) = one[1], other[1]
        raise UserError(
            "config.data.size (=0) keeps the images' sizes, which must be equal, but "
            f"{one[0]} is {height} x {width} and {other[0]} is {tall} x {wide}; set "
            f"for example --config.data.size={min(height, width)}."
        )


def _read(place: Path) -> tuple[Split, dict[str, Any]] | None:
    """A prepared split and its record; None if there is none or it is damaged."""
    try:
        record = json.loads((place / RECORD).read_text())
        shape, content = tuple(record["shape"]), place / "images.bin"
        facts = {key: np.load(place / f"{key}.npy") for key in KNOWN if record.get(key)}
        whole = content.stat().st_size == math.prod(shape)
        if not whole or any(len(each) != shape[0] for each in facts.values()):
            return None
        images = np.memmap(content, np.uint8, "r", shape=shape)
        return Split(images, **facts), record
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def fit(
    image: Image.Image, crop: int, size: int, channels: int, name: str = "one"
) -> UInt8[np.ndarray, "height width channels"]:
    """A picture cut, coloured and resized as a config asks.

    Args:
      image: in mode L or RGB.
      crop: side of the central square to cut out; 0 is the largest one if `size` is
        given, so that nothing is distorted, else the whole image.
      size: side of the result, resized with antialiasing (Lanczos); 0 keeps it.
      channels: 1 or 3; 0 keeps them.
      name: of the image, for the message.

    Raises:
      UserError: where the image is smaller than the square.
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
