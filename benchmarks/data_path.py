"""What the way of the images to the step costs: `python -m benchmarks.data_path`.

Three runs of the same step take turns: one on the same batch again and again, one on
images that lie on the device, one on images that are gathered on the host and sent.
"""

import argparse
import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import contestants, task
from benchmarks.contestants import Contestant, Timing
from benchmarks.task import Repeat, Setting

CONSTANT, RESIDENT, STREAMED = "one batch", "on the device", "streamed"


def feeding(setting: Setting, way: str) -> Repeat:
    """The step, its images coming by one of the three ways."""
    from benchmarks.jax_step import Training

    exp = task.build(setting)
    exp = replace(exp, flat={**exp.flat, "data.stream": way == STREAMED})
    training = Training(exp)
    if way == CONSTANT:
        training.calls = itertools.repeat(next(training.calls))
    return Repeat(training.call, training.steps)


def line_up(setting: Setting) -> dict[str, Contestant]:
    """The three runs."""
    return {way: (feeding, (setting, way)) for way in (CONSTANT, RESIDENT, STREAMED)}


def ratios(timings: Mapping[str, Timing]) -> dict[str, float]:
    """The median over rounds of each run's time over that of `CONSTANT`."""
    base = timings[CONSTANT].rounds
    return {
        way: statistics.median(
            mine / its for mine, its in zip(timing.rounds, base, strict=True)
        )
        for way, timing in timings.items()
        if not timing.failure
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Times the three runs for each network, prints a table and writes JSON."""
    parser = argparse.ArgumentParser("benchmarks.data_path", description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=task.NETWORKS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--output", type=Path, default=Path("runs/data_path.json"))
    options = parser.parse_args(arguments)
    results = {}
    for network in options.networks or ("mnist", "svhn"):
        timings = contestants.race(
            line_up(Setting(network, 128)), options.rounds, options.seconds
        )
        found = ratios(timings)
        results[network] = {
            "ratios": found,
            "timings": {way: asdict(timing) for way, timing in timings.items()},
        }
        for way, timing in timings.items():
            ratio = f"{found[way]:.3f}" if way in found else timing.failure
            print(f"{network:8} {way:14} {timing.median:9.2f} ms a step  {ratio}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
