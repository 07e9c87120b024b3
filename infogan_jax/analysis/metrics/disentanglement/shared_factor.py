"""Groups of images that share the value of one factor and differ in the others.

They are drawn, with replacement, from images that are encoded already: no new image is
rendered. A value with few images brings groups with repeated images, so the table
should hold many images for every value.
"""

import numpy as np
from jaxtyping import Int

from infogan_jax.analysis.metrics.disentanglement.tables import Factor, Factors

Shared = Int[np.ndarray, "count"]


def draw_groups(
    factor: Factor, rng: np.random.Generator, groups: int, size: int
) -> Int[np.ndarray, "groups size"]:
    """Rows in groups that share a value, which is drawn as often as it occurs."""
    order = np.argsort(factor, kind="stable")
    _, starts, value, counts = np.unique(
        factor[order], return_index=True, return_inverse=True, return_counts=True
    )
    drawn = value[rng.integers(len(factor), size=(groups, 1))]
    return order[starts[drawn] + rng.integers(counts[drawn], size=(groups, size))]


def draw_factors(factors: Factors, rng: np.random.Generator, count: int) -> list[int]:
    """Returns how often each factor is the shared one in `count` uniform draws."""
    chance = np.full(factors.shape[1], 1.0 / factors.shape[1])
    return rng.multinomial(count, chance).tolist()
