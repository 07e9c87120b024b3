"""The types that all sources share: a request, a split and a data set."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64

from infogan_jax.errors import UserError

LINE, CIRCLE, CATEGORY = "line", "circle", "category"
"""The kinds of factor: ordered, ordered around a circle, or without an order."""


@dataclass(frozen=True)
class Request:
    """The part of a config that chooses a data set and the form of its images.

    Attributes:
      source: a key of `catalog.SOURCES`.
      name: the name of a data set within the source, such as `mnist` for tfds.
      directory: where the data is or will be downloaded to; "" is the default.
      crop: side of the central square that is cut out first, in pixels; 0 is the
        whole image.
      size: side of the square images, in pixels; 0 keeps the size.
      fit: what makes an image square for `size`: `crop`, `pad` or `squash`.
      channels: 1 (gray), 3 (colour), or 0 for the channels of the data.
      background: `black`, `white`, `gray` or `auto`, under transparency and in padding.
      range: two numbers, the values that become black and white; "" is what the data
        uses, of 8-bit images the whole range.
      labels: whether a folder gives labels, by its first level or by a CSV file.
      held_out: the share of images to hold out if the source has no test split.
      unreadable: the largest share of files that may be left out as unreadable.
      most_pixels: an image file of more pixels is left out as unreadable.
      cache: where prepared images are kept; "" is the user's cache directory.
      stream: whether the images are to be mapped from a file, not held in memory.
    """

    source: str
    name: str = ""
    directory: str = ""
    crop: int = 0
    size: int = 0
    fit: str = "crop"
    channels: int = 0
    background: str = "auto"
    range: str = ""
    labels: bool = False
    held_out: float = 0.1
    unreadable: float = 0.05
    most_pixels: int = 64_000_000
    cache: str = ""
    stream: bool = False

    def __post_init__(self) -> None:
        """Refuses a fit without a size, which it would be for."""
        if self.fit != "crop" and not self.size:
            raise UserError(
                f"config.data.fit (={self.fit!r}) makes images square for "
                "config.data.size, which is 0; set --config.data.size, or leave fit at "
                "'crop'."
            )

    @property
    def image_form(self) -> dict[str, Any]:
        """The fields on which the prepared images depend, for a recipe."""
        names = ("crop", "size", "fit", "channels", "background", "range")
        return {name: getattr(self, name) for name in names}

    def check(self, allowed: Mapping[str, tuple[Any, ...]], images: str) -> None:
        """Raises a UserError if a field does not have one of its allowed values.

        `allowed` has the default values first; `images` describes the source.
        """
        for name, values in allowed.items():
            if (value := getattr(self, name)) not in values:
                raise UserError(
                    f"config.data.{name} (={value!r}) must be one of "
                    f"{', '.join(map(repr, values))} for {images}; "
                    f"leave it at {values[0]!r}."
                )


@dataclass(frozen=True)
class Split:
    """The images of one split.

    Attributes:
      images: bytes, in memory or mapped from a file.
      labels: classes from 0 on, or None if the source has none. Training uses those
        that `config.labels.count` draws, and no others.
      factors: the true generative factors, one column each, if they are known. Equal
        numbers are equal values, or values of the same part of a continuous factor.
      names: the files of the images, as paths below their folder, if they have any.
      prints: a number that stands for the pixels of each image, as in `fingerprints`,
        if they were counted before.
      factor_values: the exact values of the factors, if `factors` does not say them.
      weights: of training images: each is drawn with a probability in proportion to
        its own, at least 0 and with a positive sum. None is every image equally often.
    """

    images: UInt8[np.ndarray, "n height width channels"]
    labels: Int[np.ndarray, "n"] | None = None
    factors: Int[np.ndarray, "n factors"] | None = None
    names: Sequence[str] | None = None
    prints: UInt64[np.ndarray, "n"] | None = None
    factor_values: Float[np.ndarray, "n factors"] | None = None
    weights: Float[np.ndarray, "n"] | None = None


@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
      train: the training split.
      test: the held-out split; only evaluation uses it.
      provenance: name, version, numbers of images and checksum, for the run's record;
        `classes`, the names of the labels, and `report`, what was done to the images,
        where they are known.
      factor_names: the names of the columns of `Split.factors`.
      factor_kinds: `LINE`, `CIRCLE` or `CATEGORY` for each of them, where it is known.
    """

    train: Split
    test: Split
    provenance: Mapping[str, Any]
    factor_names: tuple[str, ...] = ()
    factor_kinds: tuple[str, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (height, width, channels) of an image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    @property
    def digest(self) -> str:
        """The SHA-256 of all images, labels and factors of both splits, in their order.

        It does not depend on where the data lies, or on the names of the files.
        """
        return joint_digest(row_digests(self.train), row_digests(self.test))


def fingerprint(image: UInt8[np.ndarray, "height width channels"]) -> int:
    """Returns 64 bits of the BLAKE2b digest of the pixels of an image."""
    content = hashlib.blake2b(image.tobytes(), digest_size=8)
    return int.from_bytes(content.digest(), "little")


def fingerprints(split: Split) -> UInt64[np.ndarray, "n"]:
    """Returns the fingerprint of every image; equal images have equal ones."""
    if split.prints is not None:
        return split.prints
    return np.fromiter(map(fingerprint, split.images), np.uint64, len(split.images))


def row_digests(split: Split) -> UInt64[np.ndarray, "n"]:
    """Returns 64 bits for every image: of its pixels, its label and its factors."""
    digests = fingerprints(split)
    for known in (split.labels, split.factors):
        columns = () if known is None else np.reshape(known, (len(known), -1)).T
        for column in columns:
            digests = scramble(digests ^ column.astype(np.int64).view(np.uint64))
    return digests


def scramble(bits: UInt64[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """Mixes 64 bits one to one, by the last step of SplitMix64 (Steele 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def joint_digest(train: UInt64[np.ndarray, "n"], test: UInt64[np.ndarray, "m"]) -> str:
    """Returns one SHA-256, as 64 hexadecimal digits, of the digests of two splits."""
    content = b"".join(part.astype("<u8").tobytes() for part in (train, test))
    return hashlib.sha256(f"{len(train)} ".encode() + content).hexdigest()


def weights_digest(weights: Float[np.ndarray, "n"]) -> str:
    """Returns the SHA-256 of weights, as 64 hexadecimal digits."""
    return hashlib.sha256(weights.astype("<f8").tobytes()).hexdigest()


def parse_range(text: str) -> tuple[float, float] | None:
    """Reads two numbers, the lower first, from text such as "0 4095"; None from "".

    Raises:
      ValueError: for any other text.
    """
    if not text.strip():
        return None
    low, high = (float(part) for part in text.replace(",", " ").split())
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(text)
    return low, high
