"""Groups of images that share the value of one factor and differ in the others.

The groups are drawn with replacement from images that are already encoded; no new
image is rendered. If a value has few images, they are repeated within its groups, so
the table should have many images for every value.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int, Shaped

from infogan_jax.analysis.metrics.disentanglement.tables import Factor, Factors


def measure_groups(
    factors: Factors,
    rng: np.random.Generator,
    count: int,
    shape: tuple[int, ...],
    measure: Callable[[np.ndarray], np.ndarray],
) -> tuple[Shaped[np.ndarray, "count ..."], Int[np.ndarray, "count"]]:
    """Returns a measurement of each draw of images, and the factor that they share.

    Args:
      factors: the value of each factor of each image.
      rng: draws the shared factors, uniformly, and then the images.
      count: the number of draws.
      shape: the shape of a draw; the images along its last axis share a value of the
        factor.
      measure: maps the rows of the images of n draws, [n, *shape], to n measurements.
    """
    n_factors = factors.shape[1]
    draws = rng.multinomial(count, np.full(n_factors, 1.0 / n_factors))
    measured = [
        measure(draw_groups(factor, rng, (n, *shape)))
        for factor, n in zip(factors.T, draws.tolist(), strict=True)
    ]
    return np.concatenate(measured), np.repeat(np.arange(n_factors), draws)


def draw_groups(
    factor: Factor, rng: np.random.Generator, shape: tuple[int, ...]
) -> Int[np.ndarray, "*groups size"]:
    """Draws rows of images; those along the last axis of `shape` share a value.

    The values are drawn as often as they occur in `factor`.
    """
    order = np.argsort(factor, kind="stable")
    _, starts, value, counts = np.unique(
        factor[order], return_index=True, return_inverse=True, return_counts=True
    )
    drawn = value[rng.integers(len(factor), size=(*shape[:-1], 1))]
    return order[starts[drawn] + rng.integers(counts[drawn], size=shape)]
