"""The model card of an exported run: what it is, made from what, and how to use it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infogan_jax.model.latents import Code
from infogan_jax.run.code_names import shown_category
from infogan_jax.run.run_directory import EVALUATION_RECORD
from infogan_jax.trained.infogan import InfoGAN
from infogan_jax.version import __version__

PRIORS = {"uniform": "U(-1, 1)", "gaussian": "N(0, 1)"}

CARD = """\
---
library_name: infogan-jax
pipeline_tag: unconditional-image-generation
tags: [gan, infogan, jax, representation-learning]
license: other  # TO FILL IN: yours, as far as the licence of the data allows
---

# {title}

An InfoGAN (Chen et al. 2016) trained with infogan-jax {version} for {step} steps. Its
codes control what the generated images show, and its encoder reads them in images.

## Codes

| code | prior | name, and names of categories |
|---|---|---|
{codes}

The noise has {noise_size} variables of {noise_prior}. Images are {shape} (height,
width, channels), floats in [0, 1].

## Use

    import infogan_jax
    model = infogan_jax.load("this/folder")
    images = model.sample(100, seed=0)          # bytes, [100, {comma_shape}]
    codes = model.encode(images)
{programs}
## Data

{data}

TO FILL IN: the licence of the data, whom or what the images show, what was left out.

## Recipe

`config.json` has every field: networks, codes, optimisers, seed.

## Figures

{figures}

## Limits

TO FILL IN: what the model is for, and what it is not for. A category is what the model
has found, and need not be a class that a person would name.
"""

ONNX = """
`generator.onnx` and `encoder.onnx` need no JAX; the first axis is the batch:

    import numpy, onnxruntime
    generator = onnxruntime.InferenceSession("generator.onnx")
    [images] = generator.run(None, {{
{inputs}
    }})
"""

JAX = """
`generator.jax` and `encoder.jax` need JAX alone, not this project:

    import jax
    with open("generator.jax", "rb") as file:
        generator = jax.export.deserialize(bytearray(file.read()))
    [images] = generator.call({arguments})
"""


def write(model: InfoGAN, formats: Sequence[str]) -> str:
    """Returns the card as Markdown; what only the owner knows is left to fill in."""
    spec, config = model.spec, model.config
    kinds = [(code.name, code.is_categorical) for code in model.codes]
    inputs = [
        f'        "{name}": numpy.zeros(4, numpy.{"int32" if is_int else "float32"}),'
        for name, is_int in kinds
    ]
    noise = f"numpy.random.randn(4, {spec.noise_size})"
    if spec.noise_kind == "uniform":
        noise = f"numpy.random.uniform(-1, 1, (4, {spec.noise_size}))"
    inputs.append(f'        "noise": {noise}.astype("float32"),')
    arguments = ", ".join([*(name for name, _ in kinds), "noise"])
    programs = ONNX.format(inputs="\n".join(inputs)) if "onnx" in formats else ""
    programs += JAX.format(arguments=arguments) if "jax" in formats else ""
    shape = " x ".join(map(str, model.image_shape))
    return CARD.format(
        title=config["name"],
        version=__version__,
        step=model.step,
        codes="\n".join(_row(model, code) for code in model.codes) or "| none | | |",
        noise_size=spec.noise_size,
        noise_prior=PRIORS[spec.noise_kind],
        shape=shape,
        comma_shape=", ".join(map(str, model.image_shape)),
        programs=programs,
        data=_data(config["data"]),
        figures=_figures(model.workdir),
    )


def _row(model: InfoGAN, code: Code) -> str:
    prior = PRIORS.get(code.kind, f"{code.size} categories, equally likely")
    prior += f", within each category of `{code.parent}`" if code.parent else ""
    named = [
        f"{category}: {shown_category(model.names, code, category)}"
        for category in range(code.size)
        if f"{code.name}/{category}" in model.names
    ]
    words = "; ".join([name for name in [model.names.get(code.name)] if name] + named)
    return f"| `{code.name}` | {prior} | {_in_cell(words)} |"


def _data(data: Mapping[str, Any]) -> str:
    name = f" `{data['name']}`" if data["name"] else ""
    return f"Source: `{data['source']}`{name}, in batches of {data['batch_size']}."


def _figures(workdir: Path) -> str:
    """Returns the measures of the run's evaluation as a table."""
    try:
        metrics = json.loads((workdir / EVALUATION_RECORD).read_text())["metrics"]
        rows = [
            f"| {_in_cell(name)} | {each['value']:.4g} | {_in_cell(each['unit'])} | "
            f"{_in_cell(each['protocol'])} |"
            for name, each in metrics.items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "The run was not evaluated: `infogan eval` measures it."
    return "\n".join(
        ["| measure | value | unit | protocol |", "|---|---|---|---|", *rows]
    )


def _in_cell(text: str) -> str:
    """Returns a text as a cell of a table: one line without markup of its own."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(escaped.split())
