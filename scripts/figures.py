"""Makes the pictures of the README from two finished and evaluated runs.

    python train.py --workdir=runs/digits
    python eval.py --workdir=runs/digits
    python train.py --workdir=runs/digits_baseline \
        --config.objective.info_to_generator=False
    python scripts/figures.py runs/digits runs/digits_baseline

The pictures go to docs/images.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def curves(run: Path, baseline: Path, code: str, path: Path) -> None:
    """L_I of the first code against the step, as in the paper's figure 1."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, workdir in (("InfoGAN", run), ("GAN with a Q that G ignores", baseline)):
        lines = map(json.loads, (workdir / "stats.jsonl").read_text().splitlines())
        points = np.array([(line["step"], line[f"mi_bound/{code}"]) for line in lines])
        axes.plot(points[:, 0], points[:, 1], label=name)
    axes.axhline(math.log(10), color="gray", linestyle=":", label="H(c) = ln 10")
    axes.set(xlabel="step", ylabel="L_I (nats)", ylim=(None, 2.5))
    axes.legend(loc="center right")
    figure.savefig(path, dpi=120)


def traversals(run: Path, codes: list[str], path: Path) -> None:
    """The traversals of some codes beside each other."""
    grids = [
        np.asarray(Image.open(run / "evaluation" / f"traversal_{code}.png"))
        for code in codes
    ]
    figure = Figure(figsize=(3 * len(codes), 3.3), layout="constrained")
    for axes, grid, code in zip(
        figure.subplots(1, len(codes)), grids, codes, strict=True
    ):
        axes.imshow(grid, cmap="gray", vmin=0, vmax=255)
        axes.set_title(code, fontsize=11)
        axes.axis("off")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Reads the two run directories from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("baseline", type=Path)
    parser.add_argument("--codes", nargs=3, help="three codes to show")
    arguments = parser.parse_args()
    found = sorted(arguments.run.glob("evaluation/traversal_*.png"))
    names = [path.stem.removeprefix("traversal_") for path in found]
    IMAGES.mkdir(parents=True, exist_ok=True)
    traversals(
        arguments.run, arguments.codes or names[:3], IMAGES / "digits_traversals.png"
    )
    curves(
        arguments.run, arguments.baseline, names[0], IMAGES / "digits_information.png"
    )


if __name__ == "__main__":
    main()
