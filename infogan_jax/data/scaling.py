"""Scaling of images between bytes and the range of the generator."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8


def to_range(
    images: UInt8[Array | np.ndarray, "*batch height width channels"],
    output_range: tuple[float, float],
) -> Float[Array, "*batch height width channels"]:
    """Scales bytes to float32 in `output_range`, the range of generated images."""
    low, high = output_range
    return jnp.asarray(images, jnp.float32) * ((high - low) / 255.0) + low


def to_uint8(
    images: Float[np.ndarray, "*batch height width channels"],
    output_range: tuple[float, float],
) -> UInt8[np.ndarray, "*batch height width channels"]:
    """Inverts `to_range`: scales images to bytes, rounded and clipped to 0 to 255."""
    low, high = output_range
    scaled = (images - low) * (255.0 / (high - low))
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
