"""The parts of a report: measures with unit and protocol, tables and sections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Measure:
    """A number, its unit and how it was measured."""

    value: float
    unit: str
    protocol: str


Measures = dict[str, Measure]


@dataclass(frozen=True)
class Table:
    """A table of numbers; `shades` are the colour strengths of its cells in [0, 1]."""

    caption: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "rows columns"] | Int[np.ndarray, "rows columns"]
    shades: Float[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Section:
    """The measures and tables of one section, by name.

    `left_out` is the reason why nothing could be measured, or empty.
    """

    measures: Mapping[str, Measure] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    left_out: str = ""
