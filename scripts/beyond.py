"""How far a code turns a rendered head beyond the values that G was trained on.

    python -m scripts.beyond runs/faces uniform_3

A continuous code lies in [-1, 1] in training, and the heads' azimuth in [-90, 90]
degrees. Generated heads of larger codes are compared with heads that are drawn at
azimuths up to 150 degrees. The azimuth of a generated head is the mean of that of its
nearest drawn heads. The first table says how well this works on drawn heads.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from tqdm import tqdm

import infogan_jax
from infogan_jax.data.sources import heads, scenes

WIDEST, DRAWN, NEAREST, ROWS = 150.0, 6000, 5, 200
VALUES = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


def drawn_heads(count: int) -> tuple[UInt8[np.ndarray, "n 32 32 1"], np.ndarray]:
    """Returns heads with azimuths up to `WIDEST` on both sides, and the azimuths."""
    azimuth, *others = heads.FACTORS
    wide = replace(
        heads.SCENE,
        factors=(azimuth._replace(low=-WIDEST, high=WIDEST), *others),
    )
    order = np.random.default_rng(0).permutation(wide.total)[:count]
    images = [
        scenes.draw(wide, given)
        for given in tqdm(scenes.describe(wide, order), desc="drawing heads")
    ]
    return np.stack(images), scenes.values(wide, order)[:, 0]


def azimuths(
    images: UInt8[np.ndarray, "n 32 32 1"],
    known: UInt8[np.ndarray, "m 32 32 1"],
    of_known: Float[np.ndarray, "m"],
) -> Float[np.ndarray, "n"]:
    """Returns the mean azimuth of the nearest known heads, in degrees."""
    flat, far = (x.reshape(len(x), -1).astype(np.float32) for x in (images, known))
    squares = (far**2).sum(1) - 2 * flat @ far.T
    nearest = np.argsort(squares, axis=1)[:, :NEAREST]
    return of_known[nearest].mean(axis=1)


def main() -> None:
    """Prints the azimuth of generated heads against the code."""
    flags = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument("run", type=Path)
    flags.add_argument("code", help="the continuous code that is the azimuth")
    options = flags.parse_args()
    known, true = drawn_heads(DRAWN)
    found = azimuths(known[:500], known[500:], true[500:])
    error = np.abs(found - true[:500])
    print(f"drawn heads: wrong by {np.median(error):.0f} degrees at the median")
    print(f"{'code':>6}{'median azimuth':>16}{'beyond 90 degrees':>20}")
    model = infogan_jax.load(options.run)
    for value in VALUES:
        images = model.sample(ROWS, f"{options.code}={value}", seed=0)
        turned = azimuths(images, known[500:], true[500:])
        share = np.mean(np.abs(turned) > 90)
        print(f"{value:>6}{np.median(turned):>16.0f}{share:>20.0%}")


if __name__ == "__main__":
    main()
