"""What Q reads in real images: the images of each category, and maps of all."""

from collections.abc import Mapping, Sequence
from html import escape

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image
from sklearn.decomposition import PCA

from infogan_jax.analysis import encode
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.report import embedded
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data import decoding
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec
from infogan_jax.run import code_names
from infogan_jax.run.code_names import Names

SUREST, LEAST_SURE = 9, 3
CELLS = 20
"""A map has this many thumbnails along each side."""

THUMBNAIL = 32
"""The side of a thumbnail in pixels."""

Images = UInt8[np.ndarray, "n height width channels"]
Points = Float[np.ndarray, "n 2"]


def html(model: TrainedModel, names: Names) -> str:
    """Returns the images of each category and the maps, of the images of `test`."""
    read = encode.posterior_arrays(
        latents.posterior(model.spec, jnp.asarray(model.test_outputs.outputs))
    )
    parts = [
        _categories(
            model.test.images,
            *_with_parent(model.spec, code, read, names),
            code_names.with_parent(names, code),
            model.test_description,
        )
        for code in model.spec.codes
        if code.is_categorical
    ]
    continuous = model.spec.continuous
    if len(continuous) > 1:
        parts.append(_map_of_codes(model.test.images, read, continuous[:2], names))
    if len(model.test.images) > 2 and model.test_outputs.features.shape[1] > 1:
        parts.append(_map_of_features(model.test.images, model.test_outputs.features))
    return "\n".join(parts)


def _with_parent(
    spec: LatentSpec, code: Code, read: Mapping[str, np.ndarray], names: Names
) -> tuple[Float[np.ndarray, "n k"], list[str]]:
    """Returns the probabilities of a code's categories in images, and their names.

    The categories of a code with a parent are pairs, such as `7, 1`: those within each
    category of the parent. Only pairs with the parent's most probable category have a
    probability above 0, that within it.
    """
    own = read[f"{code.name}/probabilities"]
    words = [code_names.shown_category(names, code, k) for k in range(code.size)]
    if not code.parent:
        return own, words
    shares, outer = _with_parent(spec, spec.code(code.parent), read, names)
    is_read = np.eye(shares.shape[1], dtype=own.dtype)[shares.argmax(axis=1)]
    pairs = (is_read[:, :, None] * own[:, None, :]).reshape(len(own), -1)
    return pairs, [f"{first}, {second}" for first in outer for second in words]


def surest_first(
    probabilities: Float[np.ndarray, "n k"], category: int
) -> Int[np.ndarray, "m"]:
    """Returns the images whose most probable category is this one, surest first."""
    [members] = np.nonzero(probabilities.argmax(axis=1) == category)
    return members[np.argsort(-probabilities[members, category], kind="stable")]


def _categories(
    images: Images,
    probabilities: np.ndarray,
    categories: Sequence[str],
    name: str,
    images_are: str,
) -> str:
    rows = []
    for category, called in enumerate(categories):
        members = surest_first(probabilities, category)
        surest, rest = members[:SUREST], members[SUREST:]
        cells = [f"<dt>{escape(called)} <small>{len(members)} images</small></dt>"]
        for kind, chosen in (("surest", surest), ("least sure", rest[-LEAST_SURE:])):
            if len(chosen):
                least = probabilities[chosen[-1], category]
                words = f"{kind}: at least {least:.2f}"
                alt = f"{len(chosen)} images of category {called} of {name}: {kind}"
                picture = embedded.image(
                    grid(images[chosen], len(chosen)), alt, side=max(images.shape[1:3])
                )
                cells.append(f"<dd>{picture}<small>{words}</small></dd>")
        rows.append(f"<div>{''.join(cells)}</div>")
    return (
        f"<h3>By the category of {escape(name)}</h3>\n"
        f"<p>Of {escape(images_are)}: the {SUREST} of which Q is surest, and the "
        f"{LEAST_SURE} of which it is least sure, and the probability that it gives. "
        "Good is: a row shows one kind of thing, and only the last are doubtful.</p>\n"
        f'<dl class="categories">\n{chr(10).join(rows)}\n</dl>'
    )


def _map_of_codes(
    images: Images,
    read: Mapping[str, np.ndarray],
    codes: Sequence[Code],
    names: Names,
) -> str:
    across, up = (code_names.shown(names, code) for code in codes)
    points = np.stack([read[f"{code.name}/mean"] for code in codes], axis=1)
    return _map(
        images,
        points,
        (across, up),
        "A map of two codes",
        f"Each image stands where Q reads it: {across} from left to right, {up} from "
        "bottom to top. Good is: what changes across is the same everywhere, and so is "
        "what changes upwards.",
    )


def _map_of_features(images: Images, features: Float[np.ndarray, "n features"]) -> str:
    points = PCA(2, random_state=0).fit_transform(features)
    return _map(
        images,
        points.astype(np.float32),
        ("first component", "second component"),
        "A map of what the networks see",
        "The first two principal components of the features that D and Q share. Good "
        "is: neighbours look alike. Groups here need not be the categories.",
    )


def _map(
    images: Images, points: Points, axes: tuple[str, str], title: str, text: str
) -> str:
    picture, low, high = map_picture(images, points)
    across, up = (escape(axis) for axis in axes)
    alt = f"{title}: {axes[0]} to the right, {axes[1]} upwards"
    return (
        f"<h3>{escape(title)}</h3>\n<p>{escape(text)}</p>\n"
        f'<figure class="map"><figcaption>{up} ↑ {low[1]:.2f} to {high[1]:.2f}'
        f"</figcaption>\n{embedded.image(picture, alt, side=embedded.LOSSY_FROM)}\n"
        f"<figcaption>{across} → {low[0]:.2f} to {high[0]:.2f}</figcaption></figure>"
    )


def map_picture(
    images: Images, points: Points
) -> tuple[
    UInt8[np.ndarray, "side side 4"],
    Float[np.ndarray, "2"],
    Float[np.ndarray, "2"],
]:
    """Draws thumbnails of images at their points, in a grid of cells.

    Of several images in a cell the one nearest to its centre is drawn. An empty cell is
    transparent. The map ends at the first and the 99th percentile of each axis.

    Returns:
      The picture as RGBA, and the lower left and the upper right end of the map.
    """
    low, high = np.percentile(points, [1, 99], axis=0).astype(np.float32)
    span = np.maximum(high - low, np.float32(1e-6))
    places = (points - low) / span * CELLS
    cells = np.floor(places).astype(int)
    inside = ((cells >= 0) & (cells < CELLS)).all(axis=1)
    distance = np.abs(places - cells - 0.5).max(axis=1)
    picture = np.zeros((CELLS * THUMBNAIL, CELLS * THUMBNAIL, 4), np.uint8)
    nearest_last = sorted(np.flatnonzero(inside), key=lambda each: -distance[each])
    chosen = {tuple(cells[each]): each for each in nearest_last}
    for (column, row), place in chosen.items():
        left, top = column * THUMBNAIL, (CELLS - 1 - row) * THUMBNAIL
        picture[top : top + THUMBNAIL - 1, left : left + THUMBNAIL - 1] = _thumbnail(
            images[place]
        )
    return picture, low, high


def _thumbnail(image: UInt8[np.ndarray, "height width channels"]) -> np.ndarray:
    side = (THUMBNAIL - 1, THUMBNAIL - 1)
    is_small = max(image.shape[:2]) < THUMBNAIL
    how = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    picture = decoding.from_pixels(image).convert("RGBA")
    return np.asarray(picture.resize(side, how))
