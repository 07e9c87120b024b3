"""Picture files: grids as PNG, and the figures of an evaluation."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from PIL import Image

from infogan_jax.run_directory import write_bytes


def write_png(path: Path, picture: UInt8[np.ndarray, "h w c"]) -> None:
    """Writes a picture of one or three channels as PNG, whole or not at all."""
    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(
        buffer, format="PNG"
    )
    write_bytes(path, buffer.getvalue())


def write_confusion(
    path: Path,
    table: Int[np.ndarray, "categories classes"],
    matched: Int[np.ndarray, "categories"],
    name: str,
) -> None:
    """Draws counts of category against class, categories ordered by their match."""
    from matplotlib.figure import Figure

    order = np.argsort(np.where(matched < 0, table.shape[1], matched), kind="stable")
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    shares = table / np.maximum(table.sum(axis=0, keepdims=True), 1)
    axes.imshow(shares[order], cmap="Blues", vmin=0, vmax=1)
    for row, category in enumerate(order):
        for column in range(table.shape[1]):
            if count := table[category, column]:
                tint = "white" if shares[category, column] > 0.5 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=tint)
    axes.set(
        xlabel="class of the held-out image",
        ylabel=f"category of {name}, by the class it is matched to",
        xticks=range(table.shape[1]),
        yticks=range(len(order)),
        yticklabels=[
            f"{category} → {matched[category] if matched[category] >= 0 else 'none'}"
            for category in order
        ],
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())
