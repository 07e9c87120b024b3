"""Decoding of image files to upright gray or RGB pictures.

The EXIF rotation is applied, transparency is composited on black, 16 bits are scaled
to 8 bits, and palettes and CMYK are converted to RGB.
"""

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
GRAY = ("1", "L", "LA", "I", "I;16")
LARGEST = 64_000_000  # pixels: a small file can claim more than the memory holds


def decode(file: Path | BytesIO) -> Image.Image:
    """Decodes an image file to a picture of mode L or RGB, upright and on black.

    Raises:
      Exception: of nearly any type, from Pillow, if the file is broken.
    """
    with _open(file) as picture:
        picture.load()
        with contextlib.suppress(Exception):  # broken EXIF data is ignored
            ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith("I"):
            pixels = np.asarray(picture).astype(np.uint32)
            return Image.fromarray(((pixels + 128) // 257).astype(np.uint8))
        gray = picture.mode in GRAY
        if picture.has_transparency_data:
            black = Image.new("RGBA", picture.size, "black")
            picture = Image.alpha_composite(black, picture.convert("RGBA"))
        return picture.convert("L" if gray else "RGB")


def size(file: BytesIO) -> tuple[int, int] | None:
    """Returns the width and height that a header claims; None if it is no picture.

    Nothing is decoded, so that the memory does not depend on the claim.
    """
    with contextlib.suppress(Exception):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=FORMATS) as picture:
                width, height = picture.size
        file.seek(0)
        return width, height
    return None


def from_pixels(pixels: UInt8[np.ndarray, "height width channels"]) -> Image.Image:
    """Returns pixels of 1, 3 or 4 channels as a picture of mode L, RGB or RGBA."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def reason(error: Exception, file: Path | BytesIO) -> str:
    """Returns why a file cannot be decoded, without the name of the file."""
    name = str(file) if isinstance(file, Path) else file
    return str(error).replace(f" {name!r}", "") or type(error).__name__


def channels(paths: Iterable[Path]) -> int:
    """Returns 3 if the header of any file has colour, else 1."""
    for path in paths:
        with contextlib.suppress(Exception), _open(path) as picture:
            if picture.palette:
                colours = np.frombuffer(bytes(picture.palette.palette), np.uint8)
                colours = colours.reshape(-1, len(picture.palette.rawmode or "RGB"))
                if np.ptp(colours[:, :3], axis=1).any():
                    return 3
            elif picture.mode not in GRAY:
                return 3
    return 1


@contextlib.contextmanager
def _open(file: Path | BytesIO) -> Iterator[Image.Image]:
    """Opens an image file and decodes only its header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large or slightly irregular files
        with Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise ValueError(f"more than {LARGEST} pixels")
            yield picture
