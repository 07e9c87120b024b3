"""Whether a person sees what codes and noise change, beside what Q reads (L_I)."""

import jax

from infogan_jax.analysis import generate
from infogan_jax.analysis.metrics import visibility
from infogan_jax.analysis.report.section import Measure, Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model.latents import Latents

COUNT = 1000
"""Images of the prior, and as many with each part of G's input drawn anew."""


def measure(model: TrainedModel) -> Section:
    """Measures the visible share of every code, and of the noise."""
    drawn = generate.sample_latents(model.spec, model.seed, 2 * COUNT)
    first, second = (
        jax.tree.map(lambda leaf, part=part: leaf[part], drawn)
        for part in (slice(COUNT), slice(COUNT, None))
    )
    images = _seen(model, first)
    changed = {
        f"visible/{code.name}": _with_code(first, second, code.name)
        for code in model.spec.codes
    }
    if model.spec.noise_size:
        changed["visible/noise"] = first._replace(noise=second.noise)
    return Section(
        {
            name: Measure(
                visibility.changed_share(images, _seen(model, latents)),
                "share",
                f"E|x - x'|^2 / (2 Var x) over {COUNT} pairs of images that differ in "
                f"this part of G's input alone, averaged to {visibility.SIZE} x "
                f"{visibility.SIZE} pixels",
            )
            for name, latents in changed.items()
        }
    )


def _with_code(latents: Latents, other: Latents, name: str) -> Latents:
    return latents._replace(codes={**latents.codes, name: other.codes[name]})


def _seen(model: TrainedModel, latents: Latents) -> visibility.Images:
    nets, sampling = model.algorithm.nets, model.state.sampling
    images = generate.generate(model.spec, nets, *sampling, latents)
    return visibility.blur(images)
