"""How far a code turns a rendered head beyond the values that G was trained on.

    python -m scripts.beyond runs/faces uniform_3

A continuous code lies in [-1, 1] in training, and the heads' azimuth in [-90, 90]
degrees. Generated heads of larger codes are compared with heads that are drawn at
azimuths up to 150 degrees. The azimuth of a generated head is the median of that of its
nearest drawn heads. The first lines say how well this works on drawn heads, also on
those beyond 90 degrees, and how far away the nearest heads are.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
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


def nearest(
    images: UInt8[np.ndarray, "n 32 32 1"], known: UInt8[np.ndarray, "m 32 32 1"]
) -> tuple[Int[np.ndarray, "n k"], Float[np.ndarray, "n"]]:
    """Returns the nearest known heads of each, and the distance from the first of them.

    The distance is the root of the mean squared difference, in grey levels of 255.
    """
    flat, far = (x.reshape(len(x), -1).astype(np.float32) for x in (images, known))
    squares = (flat**2).sum(1)[:, None] + (far**2).sum(1) - 2 * flat @ far.T
    order = np.argsort(squares, axis=1)[:, :NEAREST]
    least = np.take_along_axis(squares, order[:, :1], axis=1)[:, 0]
    return order, np.sqrt(np.maximum(least, 0) / flat.shape[1])


def main() -> None:
    """Prints the azimuth of generated heads against the code."""
    flags = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument("run", type=Path)
    flags.add_argument("code", help="the continuous code that is the azimuth")
    options = flags.parse_args()
    model = infogan_jax.load(options.run)
    generated = {
        value: model.sample(ROWS, f"{options.code}={value}", seed=0) for value in VALUES
    }
    known, true = drawn_heads(DRAWN)
    asked, known, of_asked, of_known = known[:500], known[500:], true[:500], true[500:]

    def azimuths(images: UInt8[np.ndarray, "n 32 32 1"]) -> tuple[np.ndarray, float]:
        order, distances = nearest(images, known)
        return np.median(of_known[order], axis=1), float(np.median(distances))

    found, distance = azimuths(asked)
    wrong, is_beyond = np.abs(found - of_asked), np.abs(of_asked) > 90
    print(f"drawn heads: wrong by {np.median(wrong):.0f} degrees at the median,")
    print(f"  beyond 90 degrees by {np.median(wrong[is_beyond]):.0f};")
    shown = np.mean(np.abs(found[is_beyond]) > 90)
    print(f"  {shown:.0%} of those beyond 90 degrees are found there")
    print(f"  the nearest head is {distance:.0f} grey levels away")
    print(f"{'code':>6}{'azimuth':>10}{'beyond 90':>12}{'grey levels':>13}")
    for value, images in generated.items():
        turned, distance = azimuths(images)
        share = np.mean(np.abs(turned) > 90)
        print(f"{value:>6}{np.median(turned):>10.0f}{share:>12.0%}{distance:>13.0f}")


if __name__ == "__main__":
    main()
