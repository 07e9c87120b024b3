"""Makes pictures of the docs from finished and evaluated runs.

    python -m scripts.figures panels runs/digits docs/images/digits_traversals.png \
        traversal_categorical_0 traversal_uniform_0 traversal_uniform_1
    python -m scripts.figures information runs/digits runs/digits_baseline \
        docs/images/digits_information.png

    python -m scripts.figures scenes docs/images/heads_and_seats.png

The baseline is the same command with --config.objective.info_to_generator=False.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from infogan_jax.data.sources import heads, scenes, seats


def information(run: Path, baseline: Path, out: Path) -> None:
    """Draws L_I of the first code against the step, as in the paper's figure 1."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, workdir in (("InfoGAN", run), ("GAN with a Q that G ignores", baseline)):
        lines = [json.loads(text) for text in (workdir / "stats.jsonl").open()]
        code = min(key for key in lines[0] if key.startswith("mi_bound/"))
        points = np.array([(line["step"], line[code]) for line in lines])
        axes.plot(points[:, 0], points[:, 1], label=name)
    axes.axhline(math.log(10), color="gray", linestyle=":", label="H(c) = ln 10")
    axes.set(xlabel="step", ylabel="L_I (nats)", ylim=(None, 2.5))
    axes.legend(loc="center right")
    figure.savefig(out, dpi=120)


def panels(run: Path, out: Path, names: list[str]) -> None:
    """Puts pictures of an evaluation, such as `samples`, beside each other."""
    figure = Figure(figsize=(3 * len(names), 3.3), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
        picture = Image.open(run / "evaluation" / f"{name}.png")
        axes.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=255)
        axes.set_title(name.removeprefix("traversal_"), fontsize=11)
        axes.axis("off")
    figure.savefig(out, dpi=120)


def scene_sheet(out: Path) -> None:
    """Draws some heads and seats, and one of each that turns in the last row."""
    sheets = []
    for scene, columns, turn in (
        (heads.SCENE, 16, np.linspace(-90, 90, 16)),
        (seats.SCENE, 8, np.arange(8) * 45.0),
    ):
        indices = np.random.default_rng(0).permutation(scene.total)[: 3 * columns]
        given = scenes.describe(scene, indices)
        given += [given[1] | {"azimuth": azimuth} for azimuth in turn]
        drawn = np.stack([scenes.draw(scene, each)[..., 0] for each in given])
        rows = drawn.reshape(4, columns, scene.size, scene.size).swapaxes(1, 2)
        sheets.append(rows.reshape(4 * scene.size, columns * scene.size))
    Image.fromarray(np.concatenate(sheets)).save(out, optimize=True)


def main() -> None:
    """Reads what to draw from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("panels")
    one.add_argument("run", type=Path)
    one.add_argument("out", type=Path)
    one.add_argument(
        "names", nargs="+", help="pictures of the evaluation, without .png"
    )
    two = kinds.add_parser("information")
    for name in ("run", "baseline", "out"):
        two.add_argument(name, type=Path)
    three = kinds.add_parser("scenes")
    three.add_argument("out", type=Path)
    given = parser.parse_args()
    if given.kind == "panels":
        panels(given.run, given.out, given.names)
    elif given.kind == "scenes":
        scene_sheet(given.out)
    else:
        information(given.run, given.baseline, given.out)


if __name__ == "__main__":
    main()
