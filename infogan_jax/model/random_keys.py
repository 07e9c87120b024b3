"""The random keys of a run: one root for each purpose, so that no two share a number.

`jax.random.split(key, n)[i]` and `jax.random.fold_in(key, i)` are the same key. What
splits a seed's key and what folds numbers into it would therefore draw the same random
numbers, unless each purpose has a root of its own.
"""

from typing import Literal, get_args

import jax
import numpy as np
from jaxtyping import Array, Key, UInt32

Purpose = Literal[
    "first_weights",
    "steps",
    "evaluation",
    "pictures",
    "classifier",
    "mixture",
    "contrast",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def root_key(
    seed: UInt32[Array | np.ndarray, ""] | int, purpose: Purpose
) -> Key[Array, ""]:
    """Returns the key from which all random numbers of one purpose are drawn.

    Args:
      seed: of the run, 0 to 2^32 - 1.
      purpose: one of `PURPOSES`.
    """
    return jax.random.fold_in(jax.random.key(seed), PURPOSES.index(purpose))
