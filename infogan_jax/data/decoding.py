"""Decoding of image files to upright pictures, by Pillow.

The first frame is read, the EXIF rotation is applied, and palettes and CMYK become RGB.
`rendering.py` turns the picture into the bytes that the networks see.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps, features

SUFFIXES_OF = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
}
"""The suffixes of the formats that are read, by Pillow's name of the format."""

if features.check("jpg_2000"):
    SUFFIXES_OF["JPEG2000"] = (".jp2", ".j2k")
HEIF = find_spec("pillow_heif") is not None
if features.check("avif"):
    SUFFIXES_OF["AVIF"] = (".avif",)
if HEIF:
    SUFFIXES_OF["HEIF"] = (".heic", ".heif")

READERS = {suffix: "pip install pillow-heif" for suffix in (".heic", ".heif")}
"""What reads further formats, by their suffix."""

FORMATS = tuple(SUFFIXES_OF)
SUFFIXES = tuple(suffix for each in SUFFIXES_OF.values() for suffix in each)
GRAY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
LOSSY = ("JPEG", "MPO", "AVIF", "HEIF")
"""Formats of photographs, which are no masks of 0 and 1."""

LARGEST = 64_000_000  # pixels: a small file can claim more than the memory holds
_LARGE = 8_000_000  # pixels: of these, one is decoded at a time
_one_large = threading.Lock()


class TooLarge(ValueError):
    """An image of more pixels than are allowed."""

    def __init__(self, width: int, height: int, most: int) -> None:
        super().__init__(f"{width} x {height}, more than {most:,} pixels")
        self.pixels = width * height


class Look(NamedTuple):
    """What the header of an image file says.

    Attributes:
      kind: Pillow's name of the format, such as PNG.
      mode: Pillow's mode of the pixels, such as RGB.
      size: width and height, in pixels, as stored.
      has_colour: whether a pixel can have a colour; a palette of grays has none.
      has_alpha: whether pixels can be transparent.
      has_frames: whether more pictures follow the first.
      is_cut: whether Pillow reads only the upper 8 of 16 bits of each colour.
      is_turned: whether its EXIF data says that it is not stored upright.
    """

    kind: str
    mode: str
    size: tuple[int, int]
    has_colour: bool = False
    has_alpha: bool = False
    has_frames: bool = False
    is_cut: bool = False
    is_turned: bool = False


def look(file: Path | BytesIO, most_pixels: int = LARGEST) -> Look:
    """Reads the header of an image file; raises as `load` does."""
    with _open(file, most_pixels) as picture:
        frames = False
        with contextlib.suppress(Exception):  # broken frames after the first
            frames = bool(getattr(picture, "is_animated", False))
        turned = False
        with contextlib.suppress(Exception):  # broken EXIF data
            # without it, Pillow would decode a whole PNG file to look for it
            if picture.format != "PNG" or "exif" in picture.info:
                turned = picture.getexif().get(ExifTags.Base.Orientation) in range(2, 9)
        tiles = getattr(picture, "tile", None)
        raw = str(tiles[0][3]) if tiles else ""
        return Look(
            picture.format or "",
            picture.mode,
            picture.size,
            _has_colour(picture),
            picture.has_transparency_data,
            frames,
            ";16" in raw and not picture.mode.startswith("I"),
            turned,
        )


def load(file: Path | BytesIO, most_pixels: int = LARGEST) -> Image.Image:
    """Decodes an image file to an upright picture of mode L, LA, RGB, RGBA, I or F.

    Args:
      file: of one of `FORMATS`, told by its content and not by its name.
      most_pixels: an image of more pixels is not decoded.

    Raises:
      TooLarge: if the image has more pixels.
      Exception: of nearly any other type, from Pillow, if the file is broken.
    """
    with _open(file, most_pixels) as picture:
        is_large = picture.width * picture.height > _LARGE
        with _one_large if is_large else contextlib.nullcontext():
            picture.load()
            with contextlib.suppress(Exception):  # broken EXIF data is ignored
                ImageOps.exif_transpose(picture, in_place=True)
            return _plain(picture)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode[0] in "IF":
        return picture.convert("F" if picture.mode == "F" else "I")
    gray = picture.mode in GRAY
    if picture.has_transparency_data:
        full = picture.convert("RGBA")
        return full.convert("LA") if gray else full
    return picture.convert("L" if gray else "RGB")


def composite(picture: Image.Image, background: int) -> Image.Image:
    """Puts a picture of mode LA or RGBA on a gray level; returns mode L or RGB."""
    ground = Image.new("RGBA", picture.size, (background,) * 3 + (255,))
    flat = Image.alpha_composite(ground, picture.convert("RGBA"))
    return flat.convert("L" if picture.mode == "LA" else "RGB")


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
    """Returns pixels of 1, 2, 3 or 4 channels as a picture of mode L to RGBA."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def reason(error: Exception, file: Path | BytesIO) -> str:
    """Returns why a file cannot be decoded, without the name of the file."""
    name = str(file) if isinstance(file, Path) else file
    return str(error).replace(f" {name!r}", "") or type(error).__name__


def _has_colour(picture: Image.Image) -> bool:
    if not picture.palette:
        return picture.mode not in GRAY
    colours = np.frombuffer(bytes(picture.palette.palette), np.uint8)
    colours = colours.reshape(-1, len(picture.palette.rawmode or "RGB"))
    return bool(np.ptp(colours[:, :3], axis=1).any())


@contextlib.contextmanager
def _open(file: Path | BytesIO, most_pixels: int) -> Iterator[Image.Image]:
    """Opens an image file and decodes only its header."""
    if HEIF and "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()
    with _quiet, Image.open(file, formats=FORMATS) as picture:
        if picture.width * picture.height > most_pixels:
            raise TooLarge(*picture.size, most_pixels)
        yield picture


class _Quiet:
    """Ignores Pillow's warnings and lifts its own limit, while any thread decodes.

    What `warnings` offers may be used by one thread at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
                self._limit = Image.MAX_IMAGE_PIXELS
                Image.MAX_IMAGE_PIXELS = None

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                Image.MAX_IMAGE_PIXELS = self._limit
                self._caught.__exit__(None, None, None)


_quiet = _Quiet()
