"""All that is to be measured on a GPU, in one command of some ten minutes.

The parts come in the order of what they tell for their time, and each prints what it
has found at once, so that a command which is cut short leaves results:

    trace   the kernels of a step and their share, next to the floor and the whole step
    seeds   images/s of 1 to 64 seeds as one program
    steps   a step of 128 and 1,024 images against PyTorch eager, torch.compile and CUDA
            graphs, in float32 and bfloat16

    python -m benchmarks.gpu
    python -m benchmarks.gpu --smallest     # to see on a CPU that it runs
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from benchmarks import __main__ as bench
from benchmarks import contestants, floor, profile, seeds_at_once
from benchmarks.__main__ import Parser
from benchmarks.task import NETWORKS, Setting, build


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes:
      networks: of all parts.
      batch_sizes: images a step.
      precisions: of the steps.
      seeds: at once.
      rounds: of each contestant.
      seconds: the least length of a round.
    """

    networks: tuple[str, ...] = ("mnist", "svhn")
    batch_sizes: tuple[int, ...] = (128, 1024)
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    seeds: tuple[int, ...] = seeds_at_once.SEEDS
    rounds: int = 3
    seconds: float = 0.6


SMALLEST = Extent(("digits",), (8,), ("float32",), (1, 2), 1, 1e-3)


def trace_of(setting: Setting) -> str:
    """The kernels of a step, what they take together, the step, and the floor."""
    from benchmarks.jax_step import Training, product

    exp = build(setting)
    training, multiply = Training(exp), product(setting.precision)
    step_ms, product_ms = _milliseconds(training), _milliseconds(multiply)
    share = floor.operations(exp.algorithm, setting.batch_size)
    floor_ms = product_ms * share / floor.PRODUCT_OPERATIONS
    kernels = profile.kernels(profile.trace(training))
    ends = f"a step takes {step_ms:.3f} ms, its floor {floor_ms:.3f} ms"
    return f"{profile.kernel_table(kernels, training.steps)}\n{ends}"


def _milliseconds(repeat: contestants.Repeat) -> float:
    """Milliseconds a step of the fastest of three calls, after one that compiles."""
    taken = []
    for _ in range(4):
        start = perf_counter()
        repeat.call()
        taken.append(1000 * (perf_counter() - start) / repeat.steps)
    return min(taken[1:])


def trace(extent: Extent) -> None:
    """Traces a step of every network and batch size, in tf32 where there is such."""
    for network in extent.networks:
        for size in extent.batch_sizes:
            print(f"\n{network}, {size} images a batch, JAX's default precision")
            setting = Setting(network, size, "tf32")
            print(contestants.alone(trace_of, setting), flush=True)


def seeds(extent: Extent) -> None:
    """Times several seeds as one program."""
    for network in extent.networks:
        print()
        seeds_at_once.main(
            f"--network {network} --batch-size {extent.batch_sizes[0]} --at-once "
            f"--precision tf32 --rounds {extent.rounds} --seconds {extent.seconds} "
            f"--seeds {' '.join(map(str, extent.seeds))}".split()
        )


def steps(extent: Extent) -> None:
    """Times a step against PyTorch, one network after the other."""
    for network in extent.networks:
        print()
        bench.main(
            f"--networks {network} --at-once --start-ups 0 --rounds {extent.rounds} "
            f"--seconds {extent.seconds} --output runs/gpu_{network}.json "
            f"--batch-sizes {' '.join(map(str, extent.batch_sizes))} "
            f"--precisions {' '.join(extent.precisions)}".split()
        )


PARTS = {"trace": trace, "seeds": seeds, "steps": steps}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the parts that are asked for."""
    flags = Parser("benchmarks.gpu", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_argument("--smallest", action="store_true", help="one of each, on a CPU")
    flags.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    flags.add_argument("--networks", nargs="+", choices=NETWORKS)
    options = flags.parse_args(arguments)
    extent = SMALLEST if options.smallest else Extent()
    if options.networks:
        extent = replace(extent, networks=tuple(options.networks))
    for part in options.parts:
        PARTS[part](extent)


if __name__ == "__main__":
    main()
