"""The sliced Wasserstein distance of small patches: quality that needs no classifier.

Patches are compared at several scales (Karras et al. 2018, section 5): the finest scale
shows whether edges and noise are like those of real images, the coarsest whether shapes
and colours are.
"""

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import convolve1d

Images = UInt8[np.ndarray, "n height width channels"]
Patches = Float[np.ndarray, "patches pixels"]

SIDE = 7
"""Of a patch, in pixels."""

PATCHES_PER_IMAGE = 16
PROJECTIONS = 256
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16


def patch_distances(
    real: Images, generated: Images, seed: int = 0
) -> dict[tuple[int, int], float]:
    """Returns the sliced Wasserstein distance of patches, by the size of the images.

    Each level of a Laplacian pyramid holds what is finer than the next one, and the
    last one the rest. Every channel of the patches has mean 0 and standard deviation 1
    in its own set, so a distance is in standard deviations of a pixel. It is 0 for
    equal sets, and does not see differences of brightness or contrast as such.

    Args:
      real: as many images as `generated`.
      generated: images of the same size.
      seed: of the places of the patches and the directions of the projections.

    Returns:
      By (height, width), from fine to coarse; nothing where a patch does not fit.
    """
    found = {}
    for level, other in zip(_pyramid(real), _pyramid(generated), strict=True):
        found[level.shape[1:3]] = sliced_wasserstein(
            _patches(level, seed), _patches(other, seed), seed
        )
    return found


def sliced_wasserstein(first: Patches, second: Patches, seed: int = 0) -> float:
    """Returns the mean distance of the projections on random directions.

    In one dimension the Wasserstein distance of two sets of as many points is the mean
    distance of the points in their order.

    Args:
      first: [points, dimensions].
      second: as many points.
      seed: of the directions.
    """
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(first.shape[1], PROJECTIONS)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    ordered = [np.sort(points @ directions, axis=0) for points in (first, second)]
    return float(np.abs(ordered[0] - ordered[1]).mean(dtype=np.float64))


def _pyramid(images: Images) -> list[np.ndarray]:
    """Returns the levels whose images are at least as large as two patches."""
    levels, rest = [], images.astype(np.float32)
    if min(rest.shape[1:3]) < SIDE:
        return []
    while min(rest.shape[1:3]) // 2 >= 2 * SIDE:
        coarse = _blurred(rest)[:, ::2, ::2]
        spread = np.zeros_like(rest)
        spread[:, ::2, ::2] = coarse
        levels.append(rest - 4 * _blurred(spread))
        rest = coarse
    return [*levels, rest]


def _blurred(images: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        images = convolve1d(images, BINOMIAL, axis, mode="mirror")
    return images


def _patches(images: np.ndarray, seed: int) -> Patches:
    """Returns patches at random places, every channel normalised over all of them."""
    rng = np.random.default_rng(seed)
    count, height, width, channels = images.shape
    shape = (count, PATCHES_PER_IMAGE, 1)
    inside = np.arange(SIDE)
    rows = rng.integers(0, height - SIDE + 1, shape) + inside
    columns = rng.integers(0, width - SIDE + 1, shape) + inside
    number = np.arange(count)[:, None, None, None]
    patches = images[number, rows[..., :, None], columns[..., None, :]]
    patches = patches.reshape(-1, SIDE * SIDE, channels)
    centred = patches - patches.mean(axis=(0, 1))
    sd = centred.std(axis=(0, 1))
    scaled = centred / np.where(sd > 0, sd, 1.0)
    return scaled.reshape(len(patches), -1).astype(np.float32)
