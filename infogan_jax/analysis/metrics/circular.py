"""How codes go with a factor that turns around a circle, such as a rotation.

A rank correlation is blind to a code that goes once around: its two ends are the same
picture. These numbers compare directions instead. They are mean resultant lengths
(Mardia and Jupp, "Directional Statistics", 2000, section 2.3) in [0, 1], and 0 for
codes that say nothing, up to about one over the root of the number of images.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from infogan_jax.analysis.metrics.attributes import spearman

Angles = Float[np.ndarray, "n"]
"""In radians."""

STARTS = np.pi * np.arange(4) / 2
"""Where the four half circles of `half_circle` begin."""


def whole_circle(code: Float[np.ndarray, "n"], angles: Angles) -> float:
    """Returns how well a continuous code turns once around as the factor does.

    The ranks of the code are spread over a circle. The result is 1 if the factor is
    this angle, or its negative, up to a rotation.
    """
    if np.ptp(code) == 0:
        return 0.0
    return same_turn(2 * np.pi * (rankdata(code) - 0.5) / len(code), angles)


def plane(
    one: Float[np.ndarray, "n"], other: Float[np.ndarray, "n"], angles: Angles
) -> float:
    """Returns how well the direction of two codes in their plane follows the factor.

    The codes are centred, and scaled to the same standard deviation.
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    x, y = ((code - code.mean()) / code.std() for code in (one, other))
    return same_turn(np.arctan2(y, x), angles)


def categories(category: Int[np.ndarray, "n"], angles: Angles) -> float:
    """Returns how narrow the directions of a category's images are, over all images."""
    directions = np.exp(1j * angles)
    sums = [abs(directions[category == each].sum()) for each in np.unique(category)]
    return float(np.sum(sums) / len(angles))


def half_circle(code: Float[np.ndarray, "n"], angles: Angles) -> float:
    """Returns |Spearman| of a code and the factor on half a circle, the best of four.

    The four begin a quarter of a turn apart.
    """
    found = []
    for start in STARTS:
        beyond = np.mod(angles - start, 2 * np.pi)
        inside = beyond <= np.pi
        found.append(abs(spearman(code[inside], beyond[inside])))
    return max(found)


def same_turn(one: Angles, other: Angles) -> float:
    """Returns how well two angles turn alike: 1 if they differ by a constant.

    One may also be the negative of the other, and a constant.
    """
    turns = (np.mean(np.exp(1j * (other - sign * one))) for sign in (1, -1))
    return float(max(abs(turn) for turn in turns))
