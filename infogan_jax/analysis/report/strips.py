"""Strips under a slider: what a code changes."""

import json
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import UInt8

from infogan_jax.analysis import generate, traversals
from infogan_jax.analysis.grids import grid
from infogan_jax.analysis.report import embedded
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data import scaling
from infogan_jax.model.latents import Code
from infogan_jax.run import code_names
from infogan_jax.run.code_names import Names

ROWS = 10
"""The number of images in a strip, each of other noise."""

STEPS = 17
"""The number of values of a continuous code."""


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
    nets, sampling = model.algorithm.nets, model.state.sampling
    strips = []
    for code in model.spec.codes:
        base = traversals.base_latents(model.spec, model.seed, ROWS, code)
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
        return str(value)
    outside = code.kind == "uniform" and abs(value) > 1
    return f"{value:+.2f}{', beyond the prior' if outside else ''}"


def html(strip: Strip, names: Names, note: str = "") -> str:
    """Returns a strip under its slider, with a note beside it.

    Without its script the page shows the images of every value, one below the other.
    """
    joined = grid(np.concatenate(strip.images), ROWS)
    height = (joined.shape[0] - 1) // len(strip.values)  # of a row and one margin
    code, name = strip.code, code_names.with_parent(names, strip.code)
    middle = 0 if code.is_categorical else len(strip.values) // 2
    words = [
        code_names.shown_category(names, code, place) if code.is_categorical else value
        for place, value in enumerate(strip.values)
    ]
    label, values = escape(name), escape(json.dumps(words))
    alt = f"{ROWS} images for each value of {name}, from {words[0]} downwards"
    picture = embedded.image(joined, alt, side=max(strip.images.shape[2:4]))
    return (
        f'<figure class="strip" data-values="{values}"\n'
        f'  data-share="{height / joined.shape[0]:.6f}">\n'
        f"<figcaption><label>{label} <input type=range min=0 "
        f'max="{len(strip.values) - 1}" value="{middle}" '
        f'aria-label="{label}"></label> '
        f"<output>{escape(words[middle])}</output>"
        f"<small>{escape(note)}</small></figcaption>\n"
        f'<div style="--ratio: {joined.shape[1]} / {height + 1}">{picture}</div>\n'
        "</figure>"
    )
