"""What the cores of a machine are best used for: one run on all, or one run on each.

A run on a part of the cores is pinned to them before JAX makes its threads. Where
several runs share the machine, each step of any of them counts.

    python -m benchmarks.threads --networks digits svhn
"""

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import get_context
from typing import Any

from benchmarks import contestants, report
from benchmarks.__main__ import Parser, positive, whole
from benchmarks.contestants import Contestant, infogan_jax
from benchmarks.task import NETWORKS, Repeat, Setting

Cores = tuple[int, ...]


def pinned(setting: Setting, cores: Cores) -> Repeat:
    """The project's step on some of the cores."""
    os.sched_setaffinity(0, cores)
    return infogan_jax(setting)


def side_by_side(setting: Setting, shares: tuple[Cores, ...]) -> Repeat:
    """Several runs at the same time, each on cores of its own; all steps count.

    The processes are a `Pool`, which ends with this process of its own accord.
    """
    spawn = get_context("spawn")
    runs = [(spawn.Pool(1), cores) for cores in shares]

    def all_at_once(what: Callable[..., Any], *arguments: Any) -> list[Any]:
        begun = [
            pool.apply_async(what, (*arguments, pinned, setting, cores))
            for pool, cores in runs
        ]
        return [each.get() for each in begun]

    steps = [steps for steps, _ in all_at_once(contestants.first_call)]
    one_call = partial(all_at_once, contestants.timed_round, 1e-9)
    return Repeat(one_call, sum(steps))


def line_up(setting: Setting, cores: Cores) -> dict[str, Contestant]:
    """One run on all cores, one on the first, and one on each."""
    count, each = len(cores), tuple((core,) for core in cores)
    return {
        f"1 run on {count} cores": (pinned, (setting, cores)),
        "1 run on 1 core": (pinned, (setting, cores[:1])),
        f"{count} runs, a core each": (side_by_side, (setting, each)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Times each network in the three ways."""
    flags = Parser("benchmarks.threads", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    flags.add_argument("--rounds", type=whole(1, 1000), default=5)
    flags.add_argument("--seconds", type=positive, default=2.0, help="a round's least")
    options = flags.parse_args(arguments)
    if not hasattr(os, "sched_getaffinity"):
        flags.error("pinning a run to a core needs Linux")
    cores = tuple(sorted(os.sched_getaffinity(0)))
    if len(cores) < 2:
        flags.error("this process may use one core; at least 2 are needed")
    for network in options.networks:
        setting = Setting(network, 128)
        timings = contestants.race(
            line_up(setting, cores), options.rounds, options.seconds
        )
        print(f"{network}, {setting.batch_size} images a batch")
        print(report.speed_table(timings, setting.batch_size) + "\n", flush=True)


if __name__ == "__main__":
    main()
