"""Times the train step and a plain PyTorch InfoGAN side by side."""

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import contestants, floor, report, startup, task
from benchmarks.contestants import Timing
from benchmarks.task import Setting

PRECISIONS = {
    "cpu": ("float32", "bfloat16"),
    "gpu": ("float32", "tf32", "bfloat16"),
}
BATCH_SIZES = {"cpu": (128,), "gpu": (128, 1024)}
PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "torch")


class Parser(argparse.ArgumentParser):
    """A parser that needs one line to say what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def whole(low: int, high: int) -> Any:
    """The type of a flag that is a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r} must be a whole number from {low} to {high}"
            )
        return value

    return parse


def positive(text: str) -> float:
    """The type of a flag that is a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a finite number above 0")
    return value


def parser() -> Parser:
    """The flags."""
    made = Parser("benchmarks", description=__doc__, epilog=contestants.__doc__)
    add = made.add_argument
    add("--networks", nargs="+", choices=task.NETWORKS, default=task.NETWORKS)
    add("--rounds", type=whole(1, 1000), default=7, help="of each contestant")
    add("--seconds", type=positive, default=2.5, help="the least length of a round")
    add("--batch-sizes", nargs="+", type=whole(2, task.IMAGES), help="128; GPU: + 1024")
    every = PRECISIONS["gpu"]
    add("--precisions", nargs="+", choices=every, help="all; tf32: on a GPU")
    forms = contestants.PYTORCH[1:]
    add("--without", nargs="+", choices=forms, default=(), help="forms of PyTorch")
    add("--at-once", action="store_true", help="compile all first: many cores, memory")
    add("--start-ups", type=whole(0, 100), default=3, help="cold and warm; 0: none")
    add("--output", type=Path, default=Path("runs/benchmark.json"), help="JSON")
    return made


def settings(options: argparse.Namespace, platform: str) -> Iterator[Setting]:
    """Every combination that was asked for, or that suits the platform.

    Raises:
      ValueError: for a precision that the platform does not have.
    """
    platform = "gpu" if platform == "gpu" else "cpu"
    precisions = options.precisions or PRECISIONS[platform]
    for precision in precisions:
        if precision not in PRECISIONS[platform]:
            raise ValueError(
                f"argument --precisions: {precision} needs a GPU, and JAX sees none; "
                "leave it out"
            )
    for network in options.networks:
        for batch_size in options.batch_sizes or BATCH_SIZES[platform]:
            for precision in precisions:
                yield Setting(network, batch_size, precision)


def race(
    settings: Sequence[Setting], platform: str, options: argparse.Namespace
) -> Iterator[tuple[Setting, dict[str, Timing]]]:
    """The timings of each setting, by contestant, from one race of all of them."""
    line = {
        (setting, name): contestant
        for setting in settings
        for name, contestant in contestants.line_up(setting, platform).items()
        if name not in options.without
    }
    rounds, seconds = options.rounds, options.seconds
    timings = contestants.race(line, rounds, seconds, options.at_once)
    for setting in settings:
        yield setting, {name: t for (of, name), t in timings.items() if of == setting}


def environment(machine: dict[str, Any]) -> dict[str, Any]:
    """What the numbers depend on."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    affinity = getattr(os, "sched_getaffinity", None)
    return machine | {
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "threads": len(affinity(0)) if affinity else os.cpu_count(),
        "python": platform.python_version(),
        "packages": packages,
    }


def introduction(results: dict[str, Any]) -> str:
    """The environment as text."""
    packages = ", ".join(f"{name} {at}" for name, at in results["packages"].items())
    where = "{processor}, {threads} threads; JAX on {device}; ".format(**results)
    return where + packages


def processor() -> str:
    """The name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":")[1].strip() for line in lines if line[:10] == "model name")
    return next(names, platform.processor())


def write(path: Path, results: dict[str, Any]) -> None:
    """Writes the results so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Times every setting, then the start-up; prints and writes as it goes."""
    flags = parser()
    options = flags.parse_args(arguments)
    machine = contestants.alone(contestants.machine)
    results: dict[str, Any] = environment(machine) | {
        "rounds": options.rounds,
        "seconds_per_round": options.seconds,
        "races": [],
    }
    try:
        chosen = list(settings(options, machine["platform"]))
        write(options.output, results)
    except ValueError as error:
        flags.error(str(error))
    except OSError as error:
        flags.error(f"argument --output: {options.output}: {error.strerror}")
    print(introduction(results) + "\n", flush=True)
    for group in [chosen] if options.at_once else [[setting] for setting in chosen]:
        for setting, timings in race(group, machine["platform"], options):
            algorithm = task.build(setting).algorithm
            operations = floor.operations(algorithm, setting.batch_size)
            results["races"].append(report.summarise(setting, operations, timings))
            write(options.output, results)
            print(report.table(results["races"][-1]) + "\n", flush=True)
    print(report.LEGEND + "\n", flush=True)
    if options.start_ups:
        results["start_up_s"] = startup.measure(options.start_ups)
        write(options.output, results)
        print(report.start_up(results["start_up_s"]))
    print(f"The numbers are in {options.output}.")


if __name__ == "__main__":
    main()
