"""What the codes of generated images are to be: one value, a range, or drawn.

`parse` reads `categorical_0=3, uniform_1=-2..2`; `fill` puts such values into latents.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from infogan_jax.errors import UserError
from infogan_jax.model.latents import Code, Latents
from infogan_jax.run.code_names import Names, find_category, find_code

_RANGE = re.compile(r"(?P<low>.+?)\s*\.\.\s*(?P<high>.+)")


@dataclass(frozen=True)
class Range:
    """The values of a code over a series of images; one value where the ends agree.

    A continuous code goes from `low` to `high` in even steps. A categorical code takes
    the categories from `low` to `high` in turn, from image to image.
    """

    low: float
    high: float

    def at(self, code: Code, images: Int[np.ndarray, "n"], count: int) -> np.ndarray:
        """Returns the values [n] of the images with these places in a series.

        Args:
          code: the code.
          images: their places, from 0 to `count` - 1.
          count: the length of the series.
        """
        if code.is_categorical:
            turns = images % (int(self.high) - int(self.low) + 1)
            return (turns + int(self.low)).astype(np.int32)
        share = images / max(count - 1, 1)
        return (self.low + (self.high - self.low) * share).astype(np.float32)


Ranges = Mapping[str, Range]
"""By the name of the code in the config; codes that are not in it are drawn."""


def parse(text: str, codes: Sequence[Code], names: Names) -> dict[str, Range]:
    """Reads `CODE=VALUE, CODE=LOW..HIGH, ...`; names of codes and categories will do.

    Raises:
      UserError: for what cannot be read, a code or category that is not there, and a
        value that is not finite.
    """
    ranges: dict[str, Range] = {}
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        name, equals, value = (word.strip() for word in part.partition("="))
        if not (name and equals and value):
            raise UserError(
                f"--codes: cannot read {part!r}; write CODE=VALUE or CODE=LOW..HIGH, "
                "for example 'categorical_0=3, uniform_1=-2..2'."
            )
        code = find_code(names, codes, name)
        if code.name in ranges:
            raise UserError(f"--codes: {name!r} is given twice; keep one of them.")
        ends = _RANGE.fullmatch(value)
        low, high = (ends["low"], ends["high"]) if ends else (value, value)
        ranges[code.name] = Range(
            _number(names, code, low.strip()), _number(names, code, high.strip())
        )
        if code.is_categorical and ranges[code.name].high < ranges[code.name].low:
            raise UserError(
                f"--codes: {part!r} goes down; write the smaller category first."
            )
    return ranges


def _number(names: Names, code: Code, text: str) -> float:
    if code.is_categorical:
        return find_category(names, code, text)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        end = math.sqrt(3.0) * code.prior_sd  # of a uniform prior
        raise UserError(
            f"--codes: the value of {code.name} (={text}) must be a finite number; "
            f"training has seen about {-end:.3g} to {end:.3g}."
        )
    return number


def fill(
    drawn: Latents,
    codes: Sequence[Code],
    ranges: Ranges,
    first: int,
    count: int,
) -> Latents:
    """Returns latents with the codes in `ranges` set; the others stay as drawn.

    Args:
      drawn: a part of a series of latents.
      codes: all codes.
      ranges: the values of some.
      first: the place in the series of the first of `drawn`.
      count: the length of the series.
    """
    images = np.arange(first, first + len(drawn.noise))
    chosen: dict[str, Any] = {
        code.name: ranges[code.name].at(code, images, count)
        for code in codes
        if code.name in ranges
    }
    return drawn._replace(codes={**drawn.codes, **chosen})
