"""The mutual-information bound of a continuous code under the best fixed sigma."""

import math

import numpy as np
from jaxtyping import Float


def refitted_normal_bound(
    values: Float[np.ndarray, "n"],
    means: Float[np.ndarray, "n"],
    entropy: float,
) -> float:
    """H(c) + E[log N(c; mean, sd)] in nats, sd fitted on one half, E on the other.

    For a Q with a fixed sd of 1 a uniform code can certify at most
    ln 2 - 0.919 = -0.226 nat, however well Q reads it. The sd of its errors on
    the first half of the samples gives the bound its due on the second half, and
    keeps it a bound.

    Args:
      values: the codes that were drawn.
      means: Q's means of them.
      entropy: H(c) of the code's prior, in nats.
    """
    errors = values - means
    fitted, held_out = np.array_split(errors.astype(np.float64), 2)
    sd = max(float(np.sqrt(np.mean(np.square(fitted)))), 1e-6)
    log_densities = -0.5 * np.square(held_out / sd) - math.log(sd)
    return entropy + float(np.mean(log_densities)) - 0.5 * math.log(2.0 * math.pi)
