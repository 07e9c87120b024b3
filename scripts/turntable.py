"""Whether an angle code follows objects that were photographed on a turntable.

    infogan encode --workdir=runs/coil20 --images=coil20 --out=codes.csv
    python -m scripts.turntable codes.csv angle_0

Each object has a folder, and the name of a picture ends in the degrees by which the
object was turned, such as `cup/045_degrees.png`. For each object it prints how well the
code goes once around while the object turns once, and how well it goes twice around. An
object that looks the same after half a turn has the second. The numbers are mean
resultant lengths, 0 to 1 (infogan_jax/analysis/metrics/circular.py).
"""

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Float

from infogan_jax.analysis.metrics.circular import same_turn

FOLLOWS = 0.8

Turns = Float[np.ndarray, "n 2"]
"""For each picture of an object the degrees of the turntable, and the code, radians."""


def read(path: Path, code: str) -> dict[str, Turns]:
    """Returns the turns of each object, by the name of its folder.

    Raises:
      ValueError: for a code that the file does not have, and for a name without
        degrees.
    """
    found = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        column = f"{code}/mean"
        if column not in (rows.fieldnames or ()):
            raise ValueError(f"{path} has no column {column!r}")
        for row in rows:
            place = PurePosixPath(row["name"])
            numbers = re.findall(r"\d+", place.stem)
            if not numbers:
                raise ValueError(f"{path}: {row['name']!r} has no degrees in its name")
            found[str(place.parent)].append((float(numbers[-1]), float(row[column])))
    return {name: np.array(turns) for name, turns in found.items()}


def once_and_twice(turns: Mapping[str, Turns]) -> dict[str, tuple[float, float]]:
    """Returns how well the code of each object goes around once, and twice."""
    return {
        name: tuple(same_turn(of[:, 1], k * np.deg2rad(of[:, 0])) for k in (1, 2))
        for name, of in turns.items()
    }


def main() -> None:
    """Prints a line for each object, and how many of them the code follows."""
    flags = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    flags.add_argument("codes", type=Path, help="the CSV file of infogan encode")
    flags.add_argument("code", help="the angle")
    options = flags.parse_args()
    found = once_and_twice(read(options.codes, options.code))
    print(f"{'object':<20}{'once':>8}{'twice':>8}")
    for name, (once, twice) in found.items():
        print(f"{name:<20}{once:>8.2f}{twice:>8.2f}")
    followed = sum(max(both) >= FOLLOWS for both in found.values())
    print(f"{followed} of {len(found)} objects with at least {FOLLOWS}")


if __name__ == "__main__":
    main()
