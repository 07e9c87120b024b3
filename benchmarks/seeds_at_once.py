"""How much several seeds gain as one program: images/s against their number.

The step of `infogan_jax.several.one_program` is timed for each number of seeds. The
floor is that of one seed times their number: large enough products would reach it.

    python -m benchmarks.seeds_at_once --network mnist --seeds 1 4 16 64
"""

import argparse
from collections.abc import Mapping, Sequence

from benchmarks import contestants, floor, report
from benchmarks.__main__ import PRECISIONS, Parser, positive, whole
from benchmarks.contestants import PRODUCT, Contestant, Timing
from benchmarks.task import IMAGES, NETWORKS, Repeat, Setting, build

SEEDS = (1, 2, 4, 8, 16, 32, 64)


def seeds_at_once(setting: Setting, count: int) -> Repeat:
    """The step of several seeds as one program; one call of it is one step of each."""
    from benchmarks import jax_step

    return jax_step.steps_of_seeds(setting, count)


def line_up(setting: Setting, counts: Sequence[int]) -> dict[str, Contestant]:
    """Each number of seeds, and the product that gives the floor."""
    line: dict[str, Contestant] = {
        str(count): (seeds_at_once, (setting, count)) for count in counts
    }
    return line | {PRODUCT: (contestants.matrix_product, (setting.precision,))}


def table(timings: Mapping[str, Timing], batch_size: int, operations: int) -> str:
    """Milliseconds, images/s, and times the floor, by the number of seeds."""
    share = operations / floor.PRODUCT_OPERATIONS
    product = timings[PRODUCT].rounds
    lines = [f"{'seeds':<8}{'ms/step':>10}{'images/s':>12}{'x floor':>9}{'compile':>9}"]
    for name, timing in timings.items():
        if name == PRODUCT:
            continue
        if timing.failure:
            lines.append(f"{name:<8}  failed: {timing.failure[:90]}")
            continue
        count, ms = int(name), timing.median
        at_floor = [count * share * each for each in product]
        times = report.median_ratio(timing.rounds, at_floor) or float("nan")
        compile_s = max(0.0, timing.first_call - timing.steps * ms / 1000)
        rate = 1000 * count * batch_size / ms
        lines.append(
            f"{name:<8}{ms:>10.4g}{rate:>12,.0f}{times:>9.2f}{compile_s:>9.1f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Times each number of seeds in turn and prints a table."""
    flags = Parser("benchmarks.seeds_at_once", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_argument("--network", choices=NETWORKS, default="digits")
    flags.add_argument("--seeds", nargs="+", type=whole(1, 10_000), default=SEEDS)
    flags.add_argument("--batch-size", type=whole(2, IMAGES), default=128)
    flags.add_argument("--precision", choices=PRECISIONS["gpu"], default="float32")
    flags.add_argument("--rounds", type=whole(1, 1000), default=3)
    flags.add_argument("--seconds", type=positive, default=1.0)
    flags.add_argument("--at-once", action="store_true", help="compile all first")
    options = flags.parse_args(arguments)
    setting = Setting(options.network, options.batch_size, options.precision)
    timings = contestants.race(
        line_up(setting, options.seeds),
        options.rounds,
        options.seconds,
        options.at_once,
    )
    work = floor.operations(build(setting).algorithm, setting.batch_size)
    print("{network}, {batch_size} images a seed, {precision}".format(**vars(setting)))
    print(table(timings, setting.batch_size, work), flush=True)


if __name__ == "__main__":
    main()
