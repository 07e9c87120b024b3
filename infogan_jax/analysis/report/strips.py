"""Strips under a slider: what a code changes, in the page and as a GIF for slides."""

import io
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from infogan_jax.analysis import generate, traversals
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.report import embedded
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data import scaling
from infogan_jax.model.latents import Code
from infogan_jax.run.files import write_bytes

ROWS = 10
"""The number of images in a strip, each of other noise."""

STEPS = 17
"""The number of values of a continuous code, from -2 to 2."""

MILLISECONDS = 120
"""How long a GIF shows a value."""


@dataclass(frozen=True)
class Strip:
    """The images of a traversal, value by value.

    Attributes:
      code: the code that changes.
      values: its values in words.
      images: for each value the images of all base latents, as bytes.
    """

    code: Code
    values: tuple[str, ...]
    images: UInt8[np.ndarray, "values rows height width channels"]


def traverse(model: TrainedModel) -> list[Strip]:
    """Returns the strip of each code, on the base latents of the run's traversals."""
    base = traversals.base_latents(model.spec, model.seed, ROWS)
    nets, sampling = model.algorithm.nets, model.state.sampling
    strips = []
    for code in model.spec.codes:
        drawn, count = traversals.traverse(code, base, STEPS)
        images = generate.generate(model.spec, nets, *sampling, drawn)
        pixels = scaling.to_uint8(images, nets.output_range)
        rows = pixels.reshape(ROWS, count, *pixels.shape[1:])
        values = drawn.codes[code.name][:count].tolist()
        words = tuple(_in_words(code, value) for value in values)
        strips.append(Strip(code, words, rows.swapaxes(0, 1)))
    return strips


def _in_words(code: Code, value: float) -> str:
    if code.is_categorical:
        return f"category {value}"
    outside = code.kind == "uniform" and abs(value) > 1
    return f"{value:+.2f}{', beyond the prior' if outside else ''}"


def html(strip: Strip, name: str) -> str:
    """Returns a strip under its slider.

    Without its script the page shows the images of every value, one below the other.
    """
    joined = grid(np.concatenate(strip.images), ROWS)
    height = (joined.shape[0] - 1) // len(strip.values)  # of a row and one margin
    middle = 0 if strip.code.is_categorical else len(strip.values) // 2
    label, values = escape(name), escape(json.dumps(strip.values))
    alt = f"{ROWS} images for each value of {name}, from {strip.values[0]} downwards"
    picture = embedded.image(joined, alt, side=max(strip.images.shape[2:4]))
    return (
        f'<figure class="strip" data-values="{values}"\n'
        f'  data-share="{height / joined.shape[0]:.6f}">\n'
        f"<figcaption><label>{label} <input type=range min=0 "
        f'max="{len(strip.values) - 1}" value="{middle}" '
        f'aria-label="{label}"></label> '
        f"<output>{escape(strip.values[middle])}</output></figcaption>\n"
        f'<div style="--ratio: {joined.shape[1]} / {height + 1}">{picture}</div>\n'
        "</figure>"
    )


def write_gif(path: Path, strip: Strip) -> None:
    """Writes a strip as an endless GIF, from the first value to the last and back.

    The images of each value stand in two rows of five.
    """
    frames = [
        Image.fromarray(joined[..., 0] if joined.shape[-1] == 1 else joined)
        for joined in (grid(images, ROWS // 2, smallest=64) for images in strip.images)
    ]
    content = io.BytesIO()
    frames[0].save(
        content,
        format="GIF",
        save_all=True,
        append_images=frames[1:] + frames[-2:0:-1],
        duration=MILLISECONDS,
        loop=0,
    )
    write_bytes(path, content.getvalue())
