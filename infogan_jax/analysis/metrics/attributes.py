"""What can be measured in an image without labels, and what a code has to do with it.

A continuous code that "is" the slant of a digit must go with the slant measured in
the pixels. The stroke attributes work on the mass of an image: how far each pixel
is from the background. So they do not depend on the sign of the contrast.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.stats import spearmanr

Attributes = dict[str, Float[np.ndarray, "n"]]
Correlations = dict[str, dict[str, float]]
"""By the name of the code, then by the name of the attribute."""

Gray = Float[np.ndarray, "n height width"]

FAINT = 0.1
ONE_BYTE = 1.0 / 255.0
WITHIN_A_PIXEL = 1.0 / 12.0
_PART = 1024


def measure(
    images: UInt8[np.ndarray, "n height width channels"]
    | Float[np.ndarray, "n height width channels"],
) -> Attributes:
    """The attributes of each image.

    Args:
      images: bytes, or floats in [0, 1].

    Returns:
      * `brightness`, `contrast`: mean and standard deviation of the gray values (the
        mean of the channels), in units of the full range.
      * `slant`, `width`, `height`, `thickness`: see `strokes`.
      * `light_from_right`, `light_from_below`: the mean of that half less the mean
        of the other, over the mean of both; in [-2, 2], 0 for a black image.
      * For three channels also `hue` and `saturation`, see `colours`.
    """
    parts = [_measure(images[at : at + _PART]) for at in range(0, len(images), _PART)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure(images: np.ndarray) -> Attributes:
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    pixels = images.astype(np.float64) / scale
    gray = pixels.mean(axis=-1)
    found = {"brightness": gray.mean(axis=(1, 2)), "contrast": gray.std(axis=(1, 2))}
    found |= strokes(gray)
    found["light_from_right"] = _gain(gray)
    found["light_from_below"] = _gain(gray.transpose(0, 2, 1))
    return found | (colours(pixels) if pixels.shape[-1] == 3 else {})


def strokes(gray: Gray) -> Attributes:
    """Slant, width, height and thickness of what stands out from the background.

    The mass of a pixel is its distance from the median of the image's border, as a
    share of the largest; less than a tenth counts as background. Moments of the
    mass see every pixel, so that no single one decides, as in a bounding box.

    Args:
      gray: images in [0, 1].

    Returns:
      * `slant`: the shear x = y tan(slant) in degrees that gives the mixed moment
        of the mass (Castro et al. 2019, Morpho-MNIST), y upward: positive leans to
        the right.
      * `width`, `height`: sides, in pixels, of the box evenly filled with mass that
        has the same second moments. For a slanted stroke the width includes the
        lean.
      * `thickness`: the short side, in pixels, of the bar with the same area and
        outline, both averaged over all thresholds: by the coarea formula these are
        the total mass and the total variation.

      All are 0 for an empty image.
    """
    mass = _mass(gray)
    area = mass.sum(axis=(1, 2))
    height, width = gray.shape[1:]
    y = (height - 1) / 2.0 - np.arange(height)
    x = np.arange(width) - (width - 1) / 2.0
    share = _ratio(mass, np.broadcast_to(area[:, None, None], mass.shape))
    by_row, by_column = share.sum(axis=2), share.sum(axis=1)
    mean_x, mean_y = by_column @ x, by_row @ y
    variance_x = by_column @ x**2 - mean_x**2
    variance_y = by_row @ y**2 - mean_y**2
    mixed = np.einsum("nyx,y,x->n", share, y, x) - mean_x * mean_y
    shear = mixed / np.maximum(variance_y, WITHIN_A_PIXEL)
    return {
        "slant": np.degrees(np.arctan(shear)),
        "width": _side(variance_x, area),
        "height": _side(variance_y, area),
        "thickness": _thickness(area, _outline(mass)),
    }


def _mass(gray: Gray) -> Gray:
    sides = [gray[:, 0], gray[:, -1], gray[:, 1:-1, 0], gray[:, 1:-1, -1]]
    background = np.median(np.concatenate(sides, axis=1), axis=1)
    distance = np.abs(gray - background[:, None, None])
    share = distance / np.maximum(distance.max(axis=(1, 2), keepdims=True), ONE_BYTE)
    return np.where(share < FAINT, 0.0, share)


def _side(variance: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The side w whose variance is w^2 / 12, that within the pixels included."""
    whole = np.maximum(variance, 0.0) + WITHIN_A_PIXEL
    return np.where(area > 0, np.sqrt(12.0 * whole), 0.0)


def _outline(mass: Gray) -> Float[np.ndarray, "n"]:
    """The total variation, in pixels, of the bilinear surface through the pixels.

    The slope is taken at four points of each cell between four pixels.
    """
    padded = np.pad(mass, ((0, 0), (1, 1), (1, 1)))
    along_x, along_y = np.diff(padded, axis=2), np.diff(padded, axis=1)
    top, bottom = along_x[:, :-1], along_x[:, 1:]
    left, right = along_y[:, :, :-1], along_y[:, :, 1:]
    slopes = [
        np.hypot(v * top + (1 - v) * bottom, u * left + (1 - u) * right)
        for u in (0.25, 0.75)
        for v in (0.25, 0.75)
    ]
    return sum(slope.sum(axis=(1, 2)) for slope in slopes) / len(slopes)


def _thickness(area: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """The smaller root w of w + l = outline / 2 and w l = area."""
    middle = outline / 4.0
    return middle - np.sqrt(np.maximum(middle**2 - area, 0.0))


def _gain(gray: Gray) -> Float[np.ndarray, "n"]:
    """How much brighter the right half is; a middle column belongs to neither."""
    half = gray.shape[2] // 2
    left = gray[:, :, :half].mean(axis=(1, 2))
    right = gray[:, :, -half:].mean(axis=(1, 2))
    return _ratio(right - left, (right + left) / 2.0)


def colours(pixels: Float[np.ndarray, "n height width 3"]) -> Attributes:
    """Hue of the mean colour, and the mean saturation.

    Returns:
      * `hue`: the angle in degrees of the mean colour on the colour circle, in
        (-180, 180]: red 0, green 120, blue -120. It jumps at cyan; a gray image
        has 0.
      * `saturation`: (max - min) / max over the channels (as in HSV), averaged over
        pixels, in [0, 1].
    """
    red, green, blue = pixels.mean(axis=(1, 2)).T
    hue = np.arctan2(np.sqrt(3.0) * (green - blue), 2.0 * red - green - blue)
    largest, smallest = pixels.max(axis=-1), pixels.min(axis=-1)
    saturation = _ratio(largest - smallest, largest).mean(axis=(1, 2))
    return {"hue": np.degrees(hue), "saturation": saturation}


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The quotient, 0 where both are 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def spearman(one: Float[np.ndarray, "n"], other: Float[np.ndarray, "n"]) -> float:
    """Spearman's rank correlation, in [-1, 1]; 0 where one of the two is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one, other).statistic)


def correlations(
    values: Mapping[str, Float[np.ndarray, "n"]],
    attributes: Attributes,
    within: Int[np.ndarray, "n"] | None = None,
) -> Correlations:
    """`spearman` of each continuous code with each attribute.

    It sees monotone relations of any form, and no others.

    Args:
      values: the codes.
      attributes: of the same images.
      within: a category of each image. Given one, the correlation is the mean of
        those within each category, weighted by its images: a one is narrow, whatever
        its code, and that no longer hides what the code does to a one. Where it does
        the opposite to half of the images, the mean is 0 all the same.
    """
    return {
        code: {
            name: _related(value, found, within) for name, found in attributes.items()
        }
        for code, value in values.items()
    }


def _related(value: np.ndarray, found: np.ndarray, within: np.ndarray | None) -> float:
    if within is None:
        return spearman(value, found)
    parts = [within == category for category in np.unique(within)]
    each = [spearman(value[part], found[part]) for part in parts]
    return float(np.average(each, weights=[part.sum() for part in parts]))


def explained_variances(
    categories: Mapping[str, Int[np.ndarray, "n"]], attributes: Attributes
) -> Correlations:
    """The share of an attribute's variance that each categorical code explains.

    Eta squared in [0, 1]: the variance of the categories' means over the whole.
    Independent of the categories' names. k random categories of n images explain
    (k - 1) / (n - 1); an attribute that is the same for all images gives 0.
    """
    return {
        code: {name: _eta_squared(found, named) for name, named in attributes.items()}
        for code, found in categories.items()
    }


def _eta_squared(
    categories: Int[np.ndarray, "n"], attribute: Float[np.ndarray, "n"]
) -> float:
    if np.ptp(attribute) == 0:
        return 0.0
    _, places = np.unique(categories, return_inverse=True)
    means = np.bincount(places, attribute) / np.bincount(places)
    return float(np.var(means[places]) / np.var(attribute))
