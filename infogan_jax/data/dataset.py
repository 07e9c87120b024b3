"""What every source of images gives, and what a config can ask of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8


@dataclass(frozen=True)
class Request:
    """What a config asks of a source.

    Attributes:
      source: the name of the source, a key of `sources.SOURCES`.
      name: of a data set within the source, such as `mnist` for tfds.
      directory: where the data lies or is to be downloaded; "" is the default.
      crop: side of the central square that is cut out first, in pixels; 0 is the
        whole image.
      size: side of the square images, in pixels; 0 keeps the size.
      channels: 1 (gray), 3 (colour), or 0 for what the data has.
      labels: whether a folder's first level is the label.
      held_out: the share of images held out where a source has no test split.
    """

    source: str
    name: str = ""
    directory: str = ""
    crop: int = 0
    size: int = 0
    channels: int = 0
    labels: bool = False
    held_out: float = 0.1


@dataclass(frozen=True)
class Split:
    """Images of one split.

    Attributes:
      images: bytes, in memory or mapped from a file.
      labels: classes from 0 on, or None if the source has none. No part of
        training reads them.
      factors: the true generative factors, one column each, where they are known.
    """

    images: UInt8[np.ndarray, "n height width channels"]
    labels: Int[np.ndarray, "n"] | None = None
    factors: Int[np.ndarray, "n factors"] | None = None


@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
      train: what the networks learn from.
      test: held out; evaluation alone reads it.
      provenance: name, version, numbers and checksum, for the run's record.
      factor_names: of the columns of `Split.factors`.
    """

    train: Split
    test: Split
    provenance: Mapping[str, Any]
    factor_names: tuple[str, ...] = field(default=())

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels
