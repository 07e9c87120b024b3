"""Pictures as HTML that needs no other file: their bytes stand in the page."""

import base64
import io
from html import escape

import numpy as np
from jaxtyping import UInt8

from infogan_jax.data.decoding import from_pixels

LOSSY_FROM = 64
"""Images with a longer side are embedded with loss: as PNG they would be megabytes."""

Picture = UInt8[np.ndarray, "height width channels"]
"""A gray, RGB or RGBA picture of bytes."""


def image(picture: Picture, alt: str, *, side: int = 0) -> str:
    """Returns an `<img>` with the picture inside, as PNG.

    Args:
      picture: of 1, 3 or 4 channels.
      alt: what the picture shows, in words.
      side: the longer side of the images of which it is made, in pixels; from 64 on,
        a picture in colour is embedded as WebP of quality 85.
    """
    pixels = from_pixels(picture)
    content = io.BytesIO()
    if side >= LOSSY_FROM:
        kind = "webp"
        pixels.save(content, format="WEBP", quality=85)
    else:
        kind = "png"
        pixels.save(content, format="PNG", optimize=True)
    return image_of_bytes(content.getvalue(), alt, kind)


def image_of_bytes(content: bytes, alt: str, kind: str = "png") -> str:
    """Returns an `<img>` with the bytes of an image file inside."""
    data = base64.b64encode(content).decode()
    return f'<img alt="{escape(alt)}" src="data:image/{kind};base64,{data}">'
