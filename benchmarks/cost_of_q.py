"""What Q costs: a step with codes against that of the same networks without any.

python -m benchmarks.cost_of_q --networks digits mnist
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence

from benchmarks import contestants
from benchmarks.__main__ import Parser, positive, whole
from benchmarks.contestants import Contestant, Timing, infogan_jax
from benchmarks.task import IMAGES, NETWORKS, Setting

INFOGAN, GAN = "with codes and Q", "without"


def table(timings: Mapping[str, Timing]) -> str:
    """Times of both, and the ratio of each round."""
    lines = [
        f"{name:<20}{timing.failure or f'{timing.median:>10.4g} ms a step'}"
        for name, timing in timings.items()
    ]
    pairs = zip(*(timings[name].rounds for name in (INFOGAN, GAN)), strict=False)
    ratios = [infogan / gan for infogan, gan in pairs]
    if ratios and not any(timing.failure for timing in timings.values()):
        lines.append(
            f"{'ratio':<20}{statistics.median(ratios):>10.3f}"
            f" ({min(ratios):.3f} to {max(ratios):.3f})"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Times both in turn for each network."""
    flags = Parser("benchmarks.cost_of_q", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    add = flags.add_argument
    add("--networks", nargs="+", choices=NETWORKS, default=["digits", "mnist"])
    add("--rounds", type=whole(1, 1000), default=5, help="of each")
    add("--seconds", type=positive, default=1.0, help="the least length of a round")
    add("--batch-size", type=whole(2, IMAGES), default=128)
    options = flags.parse_args(arguments)
    for network in options.networks:
        line: dict[str, Contestant] = {
            name: (infogan_jax, (Setting(network, options.batch_size, "float32", has),))
            for name, has in ((INFOGAN, True), (GAN, False))
        }
        print(f"\n{network}, {options.batch_size} images a batch")
        print(
            table(contestants.race(line, options.rounds, options.seconds)), flush=True
        )


if __name__ == "__main__":
    main()
