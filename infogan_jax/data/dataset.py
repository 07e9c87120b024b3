"""The types that all sources share: a request, a split and a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from infogan_jax.errors import UserError


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
      channels: 1 (gray), 3 (colour), or 0 for the channels of the data.
      labels: whether the first level of a folder gives the labels.
      held_out: the share of images to hold out if the source has no test split.
    """

    source: str
    name: str = ""
    directory: str = ""
    crop: int = 0
    size: int = 0
    channels: int = 0
    labels: bool = False
    held_out: float = 0.1

    @property
    def image_form(self) -> dict[str, int]:
        """The fields on which the prepared images depend, for a recipe."""
        return {"crop": self.crop, "size": self.size, "channels": self.channels}

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
      labels: classes from 0 on, or None if the source has none. Training never uses
        them.
      factors: the true generative factors, one column each, if they are known.
      names: the files of the images, as paths below their folder, if they have any.
    """

    images: UInt8[np.ndarray, "n height width channels"]
    labels: Int[np.ndarray, "n"] | None = None
    factors: Int[np.ndarray, "n factors"] | None = None
    names: Sequence[str] | None = None


@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
      train: the training split.
      test: the held-out split; only evaluation uses it.
      provenance: name, version, numbers of images and checksum, for the run's record.
      factor_names: the names of the columns of `Split.factors`.
    """

    train: Split
    test: Split
    provenance: Mapping[str, Any]
    factor_names: tuple[str, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (height, width, channels) of an image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels
