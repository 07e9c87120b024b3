"""From images to codes and back: what is left of a real image that G decodes."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax.analysis import encode
from infogan_jax.analysis.generate import generate, sample_latents
from infogan_jax.analysis.grids import grid
from infogan_jax.data import scaling
from infogan_jax.model.latents import Latents, LatentSpec, Posterior
from infogan_jax.model.networks import Networks, Variables

Images = UInt8[np.ndarray, "n height width channels"]

COLUMNS, SHOWN = 10, 50
"""Images in a row of a picture, and in all of it."""


def reconstruct(
    spec: LatentSpec,
    nets: Networks,
    sampling: tuple[Variables, Variables],
    posterior: Posterior,
    seed: int,
) -> Images:
    """Returns G's images of the codes that Q reads in real ones.

    Each code is what Q predicts: the most probable category, or the mean. The noise has
    no code; it is drawn from its prior.

    Args:
      spec: codes and noise.
      nets: the networks.
      sampling: parameters and statistics of G (`TrainState.sampling`).
      posterior: of the real images.
      seed: of the noise.
    """
    codes: Any = encode.predictions(posterior)
    count = len(next(iter(codes.values())))
    noise = sample_latents(spec, seed, count).noise
    decoded = generate(spec, nets, *sampling, Latents(codes, noise))
    return scaling.to_uint8(decoded, nets.output_range)


def lost_share(images: Images, reconstructed: Images) -> float:
    """Returns the squared error of all pixels over their variance among images.

    0 is a perfect reconstruction. 1 is what the mean image reaches, and an image of
    another kind may have up to 2 and more. The images must not be all the same.
    """
    real = images.astype(np.float64)
    error = np.mean((real - reconstructed.astype(np.float64)) ** 2)
    return float(error / np.mean(np.var(real, axis=0)))


def pairs(images: Images, reconstructed: Images) -> UInt8[np.ndarray, "h w channels"]:
    """Returns a grid: a row of real images, below it their reconstructions, and so on.

    It shows the first 50 images.
    """
    rows = [
        each[start : min(start + COLUMNS, SHOWN)]
        for start in range(0, min(len(images), SHOWN), COLUMNS)
        for each in (images, reconstructed)
    ]
    return np.concatenate([grid(row, COLUMNS) for row in rows])
