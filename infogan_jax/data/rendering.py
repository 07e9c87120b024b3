"""The one rule that turns a picture, of any source, into the bytes the networks see.

The values are scaled to 0 to 255, transparency is composited on one gray level, the
picture is cropped, padded or squashed, its colour is converted, and it is resized, in
this order.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from infogan_jax.data import decoding
from infogan_jax.errors import UserError

Pixels = Shaped[np.ndarray, "height width channels"]
Source = Image.Image | np.ndarray
"""A picture as `decoding.load` gives it, or an array [height, width, 1, 3 or 4]."""

LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Rules:
    """How the pictures of a data set become bytes of one form.

    Attributes:
      crop: side of the central square that is cut out first, in pixels; 0: none.
      size: side of the square result, in pixels; 0 keeps the size.
      channels: 1 or 3; 0 keeps the channels.
      fit: what makes a picture square for `size`: `crop`, `pad` or `squash`.
      background: gray level from 0 to 255, under transparency and in a padding.
      byte_range: the values of 8-bit pictures that become 0 and 255.
      deep_range: the same for all other types of numbers.
    """

    crop: int = 0
    size: int = 0
    channels: int = 0
    fit: str = "crop"
    background: int = 0
    byte_range: tuple[float, float] = (0, 255)
    deep_range: tuple[float, float] = (0, 65_535)

    def record(self) -> dict[str, Any]:
        """Returns the rules as JSON, for `from_record`."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Rules":
        """Returns the rules of a record."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record.items()
        }
        return cls(**fields)


class Rendered(NamedTuple):
    """An image as the networks see it, and what was done to it.

    Attributes:
      pixels: bytes.
      done: by the name of the change, how much: `cropped` and `edges_lost` are the
        shares of area and of edges that were cut off, the others 1.
    """

    pixels: UInt8[np.ndarray, "height width channels"]
    done: dict[str, float]


def read_picture(
    file: Path | BytesIO, rules: Rules, size: tuple[int, int] = (0, 0)
) -> UInt8[np.ndarray, "height width channels"]:
    """Reads one more image file by the rules of a data set; raises as `decoding.load`.

    A picture of the size (width, height) that the images have already is neither
    cropped nor resized. One that is smaller than the crop is not cropped.
    """
    picture = decoding.load(file)
    if picture.size in (size, (rules.size, rules.size)):
        rules = replace(rules, crop=0, size=0)
    elif rules.crop > min(picture.size):
        rules = replace(rules, crop=0)
    return render(picture, rules).pixels


def render(source: Source, rules: Rules, name: str = "one") -> Rendered:
    """Returns a picture in the form of the rules.

    Raises:
      UserError: if it is smaller than the crop; the message names it by `name`.
      ValueError: if it has values that are not finite.
    """
    done: dict[str, float] = {}
    picture = _flat(_as_bytes(source, rules, done), rules.background, done)
    squared = _squared(picture, rules, name, done)
    if rules.channels:
        squared = squared.convert("L" if rules.channels == 1 else "RGB")
    size = (rules.size, rules.size)
    if rules.size and squared.size != size:
        if rules.fit == "pad":
            squared = _padded(squared, rules)
        if squared.size != size:
            squared = squared.resize(size, LANCZOS)
    pixels = np.asarray(squared, np.uint8)
    return Rendered(pixels[..., None] if pixels.ndim == 2 else pixels, done)


def to_bytes(
    values: Shaped[np.ndarray, "*shape"], used: tuple[float, float]
) -> UInt8[np.ndarray, "*shape"]:
    """Scales the range `used` to 0 to 255, rounded; values outside are clipped."""
    low, high = used
    scaled = (values.astype(np.float64) - low) * 255 / (high - low)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _as_bytes(source: Source, rules: Rules, done: dict[str, float]) -> Image.Image:
    """Returns the picture in mode L, LA, RGB or RGBA; alpha is never rescaled."""
    if isinstance(source, Image.Image):
        if source.mode not in ("I", "F") and rules.byte_range == (0, 255):
            return source
        values = np.asarray(source)
        values = values[..., None] if values.ndim == 2 else values
    else:
        values = source
    used = rules.byte_range if values.dtype in (np.uint8, bool) else rules.deep_range
    if values.dtype != np.uint8 or used != (0, 255):
        if not np.isfinite(values).all():
            raise ValueError("some of its pixels are NaN or infinite")
        colours = values.shape[-1] - 1 + values.shape[-1] % 2
        scaled = to_bytes(values, used)
        if values.dtype == np.uint8:
            scaled[..., colours:] = values[..., colours:]
        values, done["rescaled"] = scaled, 1
    return decoding.from_pixels(values)


def _flat(picture: Image.Image, background: int, done: dict[str, float]) -> Image.Image:
    """Composites transparency on a gray level; returns mode L or RGB."""
    if "A" not in picture.mode:
        return picture
    least, _ = picture.getchannel("A").getextrema()
    flat = decoding.composite(picture, background)
    if least == 255:
        return flat
    done["composited"] = 1
    if all(low == high for low, high in np.reshape(flat.getextrema(), (-1, 2))):
        done["hidden"] = 1
    return flat


def _squared(
    picture: Image.Image, rules: Rules, name: str, done: dict[str, float]
) -> Image.Image:
    """Cuts out a central square, if the rules say so."""
    width, height = picture.size
    shorter = min(width, height)
    if rules.crop > shorter:
        raise UserError(
            f"config.data.crop (={rules.crop}) must be at most the shorter side of "
            f"every image, but {name} is {height} x {width}; lower it, or set "
            "--config.data.crop=0 for the whole image."
        )
    whole = rules.fit == "crop" and rules.size
    side = rules.crop or (shorter if whole else 0)
    if rules.size and rules.size > (side or max(width, height)):
        done["enlarged"] = 1
    if not side or (side, side) == (width, height):
        if rules.size and width != height:
            done["padded" if rules.fit == "pad" else "squashed"] = 1
        return picture
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    done["cropped"] = round(1 - side * side / (width * height), 3)
    if not rules.crop:
        done["edges_lost"] = _edges_lost(picture, box)
    return picture.crop(box)


def _edges_lost(picture: Image.Image, box: tuple[int, int, int, int]) -> float:
    """Returns the share of the edges that lie outside of a box.

    Edges are differences of neighbours in a small copy, of 64 pixels or fewer a side.
    """
    small = (min(picture.width, 64), min(picture.height, 64))
    gray = picture.resize(small, Image.Resampling.BOX).convert("L")
    values = np.asarray(gray, np.float32)
    edges = np.zeros_like(values)
    edges[:, 1:] += np.abs(np.diff(values, axis=1))
    edges[1:] += np.abs(np.diff(values, axis=0))
    across, down = small[0] / picture.width, small[1] / picture.height
    left, top, right, bottom = box
    inside = edges[
        round(top * down) : round(bottom * down),
        round(left * across) : round(right * across),
    ]
    total = float(edges.sum())
    return round(1 - float(inside.sum()) / total, 3) if total else 0.0


def _padded(picture: Image.Image, rules: Rules) -> Image.Image:
    """Resizes the longer side to the size; the rest is the background."""
    scale = rules.size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    ground = Image.new("RGB", (rules.size, rules.size), (rules.background,) * 3)
    ground = ground.convert(picture.mode)
    place = ((rules.size - width) // 2, (rules.size - height) // 2)
    ground.paste(picture.resize((width, height), LANCZOS), place)
    return ground
