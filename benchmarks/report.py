"""Timings as numbers to keep and as a table to read."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.contestants import EAGER, OURS, PRODUCT, PYTORCH, Timing
from benchmarks.floor import PRODUCT_OPERATIONS
from benchmarks.task import Setting

HEADER = (
    f"{'':<28}{'ms/step':>10}{'range':>20}{'images/s':>11}"
    f"{'speed':>8}{'x floor':>9}{'compile':>9}"
)
LEGEND = """\
ms/step   median of the rounds; range: the fastest and the slowest round
speed     PyTorch eager = 1.00, more is faster: median of the rounds' ratios
x floor   times the floor, which is the step's matrix products at the speed of one
          product of two 4096 x 4096 matrices: median of the rounds' ratios
compile   seconds that the first call took longer than the others
of best   our time over that of the PyTorch form with the smallest median"""


def summarise(
    setting: Setting, operations: int, timings: Mapping[str, Timing]
) -> dict[str, Any]:
    """Medians and ratios of one race, for JSON.

    Args:
      setting: what was timed.
      operations: of a step's matrix products.
      timings: by contestant; the matrix product becomes the floor.
    """
    share = operations / PRODUCT_OPERATIONS
    floor = [share * ms for ms in timings[PRODUCT].rounds]
    eager = timings[EAGER].rounds
    others = [name for name in PYTORCH if name in timings and timings[name].rounds]
    best = min(others, key=lambda name: timings[name].median, default="")
    fastest = timings[best].rounds if best else []
    return {
        "network": setting.network,
        "batch_size": setting.batch_size,
        "precision": setting.precision,
        "gigaflop": operations / 1e9,
        "best": best,
        "of_best": median_ratio(timings[OURS].rounds, fastest),
        "floor": {"failure": timings[PRODUCT].failure} | _spread(floor),
        "contestants": {
            name: _entry(timing, setting.batch_size, eager, floor)
            for name, timing in timings.items()
            if name != PRODUCT
        },
    }


def _entry(
    timing: Timing, batch_size: int, eager: Sequence[float], floor: Sequence[float]
) -> dict[str, Any]:
    if timing.failure or not timing.rounds:
        return {"failure": timing.failure}
    spread = _spread(timing.rounds)
    usual = timing.steps * spread["ms"] / 1000
    return spread | {
        "images_per_second": 1000 * batch_size / spread["ms"],
        "speed": median_ratio(eager, timing.rounds),
        "times_floor": median_ratio(timing.rounds, floor),
        "first_call_s": timing.first_call,
        "compile_s": max(0.0, timing.first_call - usual),
    }


def _spread(rounds: Sequence[float]) -> dict[str, Any]:
    if not rounds:
        return {}
    return {
        "ms": statistics.median(rounds),
        "fastest_ms": min(rounds),
        "slowest_ms": max(rounds),
        "rounds_ms": list(rounds),
    }


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float | None:
    """The median over rounds of one contestant's time over another's."""
    ratios = [a / b for a, b in zip(over, under, strict=False)]
    return statistics.median(ratios) if ratios else None


def table(result: Mapping[str, Any]) -> str:
    """One race as text."""
    title = "{network}, {batch_size} images a batch, {precision}".format(**result)
    lines = [f"{title}: {result['gigaflop']:.3g} GFLOP a step", HEADER]
    lines += [_row(name, entry) for name, entry in result["contestants"].items()]
    floor = _row("floor", result["floor"])
    if "ms" in result["floor"]:
        rate = 1000 * result["gigaflop"] / result["floor"]["ms"]
        floor += f"   at {rate:,.0f} GFLOP/s"
    best = f"{'of best':<28}{_number(result['of_best'], 10)}   {result['best']}"
    return "\n".join([*lines, floor, best])


def speed_table(timings: Mapping[str, Timing], batch_size: int) -> str:
    """Time of a step, images/s, and how many times those of the first contestant."""
    first = next(iter(timings.values())).rounds
    lines = [f"{'':<24}{'ms/step':>10}{'images/s':>11}{'speed':>8}"]
    for name, timing in timings.items():
        if timing.failure:
            lines.append(f"{name:<24}  failed: {timing.failure}")
            continue
        speed = _number(median_ratio(first, timing.rounds), 8)
        rate = 1000 * batch_size / timing.median
        lines.append(f"{name:<24}{timing.median:>10.4g}{rate:>11,.0f}{speed}")
    return "\n".join(lines)


def _row(name: str, entry: Mapping[str, Any]) -> str:
    if "ms" not in entry:
        return f"{name:<28}  failed: {entry['failure'][:90]}"
    spread = f"{entry['fastest_ms']:.4g} to {entry['slowest_ms']:.4g}"
    row = f"{name:<28}{entry['ms']:>10.4g}{spread:>20}"
    if "images_per_second" in entry:
        row += f"{entry['images_per_second']:>11,.0f}"
        row += _number(entry["speed"], 8) + _number(entry["times_floor"], 9)
        row += f"{entry['compile_s']:>9.1f}"
    return row


def _number(value: float | None, width: int) -> str:
    return f"{'-' if value is None else format(value, '.2f'):>{width}}"


def start_up(taken: Mapping[str, Sequence[float]]) -> str:
    """The start-up times as one line."""
    parts = ", ".join(
        f"{statistics.median(seconds):.1f} s {name}" for name, seconds in taken.items()
    )
    return f"python train.py to its first 25 finished steps (digits): {parts}"
