"""Files of pictures: how they become upright pixels in gray or colour.

EXIF rotation is applied, transparency is composited on black, 16 bits are scaled to
8, palettes and CMYK become RGB.
"""

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
GRAY = ("1", "L", "LA", "I", "I;16")
LARGEST = 64_000_000  # pixels: a small file can claim more than memory holds


def decode(file: Path | BytesIO) -> Image.Image:
    """A picture upright, on black, in mode L or RGB.

    Raises:
      Exception: of nearly any kind, by Pillow, where the file is broken.
    """
    with _opened(file) as picture:
        picture.load()
        with contextlib.suppress(Exception):  # a broken EXIF turns nothing
            ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith("I"):
            wide = np.asarray(picture).astype(np.uint32)
            return Image.fromarray(((wide + 128) // 257).astype(np.uint8))
        gray = picture.mode in GRAY
        if picture.has_transparency_data:
            black = Image.new("RGBA", picture.size, "black")
            picture = Image.alpha_composite(black, picture.convert("RGBA"))
        return picture.convert("L" if gray else "RGB")


def reason(error: Exception, file: Path | BytesIO) -> str:
    """Why a file cannot be decoded, without its name, which the caller knows."""
    name = str(file) if isinstance(file, Path) else file
    return str(error).replace(f" {name!r}", "") or type(error).__name__


def channels(paths: Iterable[Path]) -> int:
    """3 if any picture is in colour, else 1, by their headers."""
    for path in paths:
        with contextlib.suppress(Exception), _opened(path) as picture:
            if picture.palette:
                colours = np.frombuffer(bytes(picture.palette.palette), np.uint8)
                colours = colours.reshape(-1, len(picture.palette.rawmode or "RGB"))
                if np.ptp(colours[:, :3], axis=1).any():
                    return 3
            elif picture.mode not in GRAY:
                return 3
    return 1


@contextlib.contextmanager
def _opened(file: Path | BytesIO) -> Iterator[Image.Image]:
    """A picture of which only the header was read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on large or slightly irregular files
        with Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise ValueError(f"more than {LARGEST} pixels")
            yield picture
