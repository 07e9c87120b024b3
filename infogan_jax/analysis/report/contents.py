"""What stands on the page of an evaluation: pictures first, the numbers last."""

from collections.abc import Mapping, Sequence
from html import escape

from infogan_jax.analysis.report import (
    curves,
    embedded,
    numbers,
    real_images,
    reconstruction,
    strips,
)
from infogan_jax.analysis.report.section import Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model import latents
from infogan_jax.model.latents import Code
from infogan_jax.run.code_names import Names
from infogan_jax.run.stats_file import Line


def contents(
    model: TrainedModel,
    stats: Sequence[Line],
    sections: Mapping[str, Section],
    names: Names,
    samples: bytes,
) -> dict[str, str]:
    """Returns the parts of the page as HTML, by heading; an empty one is left out.

    Args:
      model: the trained model, with real images.
      stats: the lines of the run's `stats.jsonl`.
      sections: what was measured.
      names: what codes and categories are called.
      samples: the content of the PNG file of samples.
    """
    return {
        "What each code changes": _strips(model, names, sections),
        "What Q reads in real images": real_images.html(model, names),
        "Real images, decoded from their codes": reconstruction.html(model),
        "Samples": _samples(samples),
        "Training": curves.html(stats),
        "Numbers": "\n".join(
            numbers.html(name, section) for name, section in sections.items()
        ),
    }


def _strips(model: TrainedModel, names: Names, sections: Mapping[str, Section]) -> str:
    if not model.spec.codes:
        return ""
    text = (
        f"Move a slider: only this code changes, and the {strips.ROWS} images keep "
        "their noise and their other codes. Good is: each slider changes one thing "
        "that you can name, the same one in all images. A code within another may "
        "change another thing in each category of it."
    )
    shown = (
        strips.html(strip, names, _note(strip.code, sections))
        for strip in strips.traverse(model)
    )
    return "\n".join([f"<p>{escape(text)}</p>", *shown])


def _note(code: Code, sections: Mapping[str, Section]) -> str:
    """Returns in words what of a code one sees, and what Q reads, where measured."""
    measured = {k: m for each in sections.values() for k, m in each.measures.items()}
    words = []
    if visible := measured.get(f"visible/{code.name}"):
        words.append(f"decides {visible.value:.0%} of what one sees")
    if bound := measured.get(f"mi_bound/{code.name}"):
        most = f" of {latents.entropy(code):.2f}" if code.is_categorical else ""
        within = f" within {code.parent}" if code.parent else ""
        words.append(f"L_I {bound.value:.2f}{most} nats{within}")
    return ", ".join(words)


def _samples(png: bytes) -> str:
    text = (
        "Images of codes and noise drawn from the prior. Good is: they look like the "
        "data, and no two are the same."
    )
    picture = embedded.image_of_bytes(png, "100 generated images")
    return f"<p>{text}</p>\n<figure>{picture}</figure>"
