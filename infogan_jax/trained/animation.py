"""Animations of a trained run: one code moves, and a grid of images follows it."""

from pathlib import Path

import numpy as np
from PIL import Image

from infogan_jax.analysis.grids import grid
from infogan_jax.data.decoding import from_pixels
from infogan_jax.errors import UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.model.code_kinds import AngleKind
from infogan_jax.model.latents import Code
from infogan_jax.run.files import new_file
from infogan_jax.trained import loading
from infogan_jax.trained.infogan import InfoGAN, Pictures

FORMATS = ("gif", "webp")
STEPS = 24
ROWS, COLUMNS = 10, 5
SMALLEST = 64
"""Images of fewer pixels are enlarged, so that they can be seen from a distance."""

MILLISECONDS = {True: 600, False: 60}
"""How long an image of a categorical, or of a continuous code is shown."""


def animate(workdir: Path, out: str, codes: str = "", form: str = "gif") -> str:
    """Writes an animation of each code, `<code>.gif` or `.webp`, that repeats forever.

    Ten images follow one code. A continuous code goes from -2 to 2 and back, an angle
    once around, and a categorical one takes its categories in turn. GIF has 256
    colours; WebP is exact.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      out: the folder to write into; files of the same names are replaced.
      codes: names with commas between; "" is every continuous code.
      form: `gif` or `webp`.

    Returns:
      The files, one on each line.

    Raises:
      UserError: for a code or a form that is not there.
      RunFailure: where a file cannot be written.
    """
    if form not in FORMATS:
        raise UserError(f"--format (={form}) must be one of {', '.join(FORMATS)}.")
    processes.refuse_several()
    compilation.use_persistent_cache()
    model = loading.load(workdir)
    paths = []
    for code in _chosen(model, codes):
        path = Path(out) / f"{model.shown(code)}.{form}"
        images = frames(code, model.traverse(code, ROWS, STEPS))
        _write(path, images, form, MILLISECONDS[code.is_categorical])
        paths.append(path)
    return "\n".join(f"wrote {path}" for path in paths)


def _chosen(model: InfoGAN, codes: str) -> list[Code]:
    if names := [name.strip() for name in codes.split(",") if name.strip()]:
        return [model.code(name) for name in names]
    found = [code for code in model.codes if not code.is_categorical]
    if not found:
        known = ", ".join(map(model.shown, model.codes)) or "none"
        raise UserError(
            f"--workdir (={model.workdir}) is a run without a continuous code; name "
            f"one by --codes; its codes: {known}."
        )
    return found


def frames(code: Code, rows: Pictures | np.ndarray) -> list[Image.Image]:
    """Returns the images of an animation.

    Args:
      code: the code that moves.
      rows: the images [rows, steps, height, width, channels] of its values.
    """
    pictures = [
        grid(rows[:, step], COLUMNS, smallest=SMALLEST) for step in range(rows.shape[1])
    ]
    if isinstance(code.of_kind, AngleKind):
        pictures.pop()  # it is the first again
    elif not code.is_categorical:
        pictures += pictures[-2:0:-1]  # and back
    return list(map(from_pixels, pictures))


def _write(path: Path, images: list[Image.Image], form: str, duration: int) -> None:
    options = {"lossless": True} if form == "webp" else {"disposal": 1}
    with new_file(path) as partial:
        images[0].save(
            partial,
            form,
            save_all=True,
            append_images=images[1:],
            duration=duration,
            loop=0,
            **options,
        )
