"""What every source of images gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8


@dataclass(frozen=True)
class Split:
    """Images of one split.

    Attributes:
      images: bytes.
      labels: classes from 0 on, or None if the source has none. No part of
        training reads them.
    """

    images: UInt8[np.ndarray, "n height width channels"]
    labels: Int[np.ndarray, "n"] | None = None


@dataclass(frozen=True)
class Dataset:
    """A data set in memory.

    Attributes:
      train: what the networks learn from.
      test: held out; evaluation alone reads it.
      provenance: name, version, numbers and checksum, for the run's record.
    """

    train: Split
    test: Split
    provenance: dict[str, Any]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels
