"""What a person sees change in an image when one of G's inputs changes.

Q can read a code in a pattern of single pixels that no person notices. So images are
first averaged to a few pixels, in which such a pattern vanishes.
"""

import numpy as np
from jaxtyping import Float

SIZE = 8
"""The side, in pixels, to which images are averaged."""

Images = Float[np.ndarray, "n height width channels"]


def blur(
    images: Images, size: int = SIZE
) -> Float[np.ndarray, "n rows columns channels"]:
    """Averages images over areas; `size` is the side of the result, in pixels.

    A side that is not longer than `size` keeps its pixels.
    """
    rows, columns = (_area_weights(length, size) for length in images.shape[1:3])
    return np.einsum("ih,nhwc,jw->nijc", rows, images, columns, optimize=True)


def _area_weights(length: int, size: int) -> Float[np.ndarray, "size length"]:
    """Returns the share that each of `length` pixels has in each of `size` areas."""
    size = min(length, size)
    edges, pixels = np.arange(size + 1) * length / size, np.arange(length)
    ends = np.minimum(edges[1:, None], pixels + 1)
    overlap = ends - np.maximum(edges[:-1, None], pixels)
    return np.clip(overlap, 0, None) * size / length


def changed_share(images: Images, changed: Images) -> float:
    """Returns the share of the images' variance that a part of G's input decides.

    It is what a change of this part alone moves, all else fixed:
    E |x - x'|^2 / (2 Var x), the total effect of Sobol's analysis of variance. It is 0
    if images ignore the part, and 1 if they depend on nothing else. The shares of all
    parts add up to 1, or to more where the effect of one depends on another.

    Args:
      images: of inputs from the prior.
      changed: of the same inputs, but for this part, which is drawn anew.
    """
    both = np.concatenate([images, changed]).astype(np.float64)
    variance = np.sum(np.var(both, axis=0))
    if variance == 0.0:
        return 0.0
    squared = np.sum((images.astype(np.float64) - changed) ** 2)
    return float(squared / len(images) / (2.0 * variance))
