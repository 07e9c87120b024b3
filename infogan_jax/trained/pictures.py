"""Further pictures for a trained run, read as its own images were."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from infogan_jax.data import decoding, rendering
from infogan_jax.data.rendering import Rules
from infogan_jax.errors import UserError


def read_picture(
    file: Path | BytesIO, image_shape: tuple[int, int, int], rules: Rules
) -> UInt8[np.ndarray, "height width channels"]:
    """Reads a picture by the rules by which the run's own data was read.

    One that has the networks' size already is neither cropped nor resized; one that is
    smaller than the crop is not cropped.

    Args:
      file: the picture.
      image_shape: (height, width, channels) of the run's images.
      rules: of the run's data.

    Raises:
      UserError: where it cannot be decoded, or cannot be given the size.
    """
    name = file if isinstance(file, Path) else "the picture"
    height, width, channels = image_shape
    sized = replace(rules, size=height if height == width else 0, channels=channels)
    try:
        image = rendering.read_picture(file, sized, (width, height))
    except Exception as error:  # Pillow raises nearly anything on broken files
        reason = decoding.reason(error, file)
        raise UserError(f"{name} cannot be read ({reason}); remove it.") from error
    if image.shape != image_shape:
        raise UserError(
            f"{name} is {image.shape[0]} x {image.shape[1]}, but the networks read "
            f"{height} x {width}; resize it."
        )
    return image
