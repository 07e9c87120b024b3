"""What measuring gives: numbers with unit and protocol, and tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Measure:
    """A number, its unit and how it was obtained."""

    value: float
    unit: str
    protocol: str


Measures = dict[str, Measure]


@dataclass(frozen=True)
class Table:
    """A table of numbers.

    Attributes:
      caption: what the numbers are.
      rows: the names of the rows.
      columns: the names of the columns.
      values: the numbers.
      shades: how much each cell is to stand out, in [0, 1].
    """

    caption: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "rows columns"] | Int[np.ndarray, "rows columns"]
    shades: Float[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Section:
    """What was found on one theme.

    Attributes:
      measures: by name.
      tables: by name.
      left_out: the reason, where there is nothing that could be measured.
    """

    measures: Mapping[str, Measure] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    left_out: str = ""
