"""How the step grows: over devices, with the batch, and, by a model, over TPU cores.

CPU devices are simulated and share the cores of this machine: with a perfect split
two of them take as long as one for the same batch. The model adds to the time of
one core's own batch, measured here or given, what it takes to agree:

    time = compute + 2 (n - 1) / n * bytes / bandwidth + all-reduces * latency

The second term is a ring's for the gradients; the third is for starting each
all-reduce, most of which carry the small statistics of batch norm. Bandwidth is that
of one link between TPU v3 chips, 656 Gbit/s (Jouppi et al. 2020, "A domain-specific
supercomputer for training deep neural networks"); the latency is a guess.

    python -m benchmarks.scale --network=mnist --compute-ms=1.5
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import contestants
from benchmarks.__main__ import Parser, positive, whole
from benchmarks.contestants import Timing, infogan_jax
from benchmarks.task import IMAGES, NETWORKS, Setting

DEVICES = {1: "1 device", 2: "2 devices"}
MEGA = 1e6


@dataclass(frozen=True)
class Model:
    """What a step is expected to take on many cores, each with a batch of its own.

    Attributes:
      batch_size: images a core.
      compute_ms: milliseconds of one core's batch.
      gradients: bytes.
      all_reduces: in a step.
      gigabytes_per_second: of a link.
      latency_us: of an all-reduce, microseconds.
    """

    batch_size: int
    compute_ms: float
    gradients: int
    all_reduces: int
    gigabytes_per_second: float
    latency_us: float

    def step_ms(self, cores: int) -> float:
        """Milliseconds of a step on `cores` cores."""
        if cores == 1:
            return self.compute_ms
        travelled = 2 * (cores - 1) / cores * self.gradients
        ring_ms = travelled / (MEGA * self.gigabytes_per_second)
        return self.compute_ms + ring_ms + self.all_reduces * self.latency_us / 1e3

    def __str__(self) -> str:
        return (
            f"model: {self.compute_ms:.4g} ms for {self.batch_size} images a core, "
            f"{self.gradients / MEGA:.1f} MB of gradients at "
            f"{self.gigabytes_per_second:g} GB/s, {self.all_reduces} all-reduces of "
            f"{self.latency_us:g} us"
        )


def devices_table(timings: Mapping[str, Timing], batch_size: int) -> str:
    """Time and cost per image by number of devices."""
    lines = [f"{'':<12}{'ms/step':>10}{'us/image':>10}{'images/s':>10}"]
    for name, timing in timings.items():
        if timing.failure:
            lines.append(f"{name:<12}  failed: {timing.failure}")
            continue
        ms = timing.median
        each = 1000 * ms / batch_size
        lines.append(f"{name:<12}{ms:>10.4g}{each:>10.4g}{1e6 / each:>10,.0f}")
    return "\n".join(lines)


def memory_table(found: Mapping[int, Mapping[str, int]]) -> str:
    """Megabytes by batch size."""
    names = ("data", "state", "gradients", "work", "peak")
    lines = [f"{'batch, MB':<12}" + "".join(f"{name:>11}" for name in names)]
    for batch_size, facts in found.items():
        numbers = "".join(f"{facts[name] / MEGA:>11.1f}" for name in names)
        lines.append(f"{batch_size:<12}{numbers}")
    return "\n".join(lines)


def model_table(model: Model, cores: Sequence[int]) -> str:
    """What the model expects of each number of cores."""
    header = f"{'cores':<12}{'ms/step':>10}{'images/s':>14}{'efficiency':>12}"
    lines = [str(model), header]
    for count in cores:
        ms = model.step_ms(count)
        rate, share = 1000 * count * model.batch_size / ms, model.compute_ms / ms
        lines.append(f"{count:<12}{ms:>10.4g}{rate:>14,.0f}{share:>12.1%}")
    return "\n".join(lines)


def parser() -> Parser:
    """The flags."""
    made = Parser("benchmarks.scale", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    add, sizes = made.add_argument, (32, 128, 512, 1024)
    add("--network", choices=NETWORKS, default="digits")
    add("--batch-size", type=whole(2, IMAGES), default=128, help="of the timed step")
    add("--memory-batch-sizes", nargs="+", type=whole(2, IMAGES), default=sizes)
    add("--rounds", type=whole(1, 1000), default=5)
    add("--seconds", type=positive, default=2.0, help="the least length of a round")
    add("--cores", nargs="+", type=whole(1, 10**6), default=(8, 256))
    add("--compute-ms", type=positive, help="of one core's batch; measured if missing")
    add("--gigabytes-per-second", type=positive, default=82.0, help="of a link")
    add("--latency-us", type=positive, default=10.0, help="of an all-reduce")
    return made


def main() -> None:
    """Measures devices and memory, then prints the model."""
    flags = parser()
    options = flags.parse_args()
    network, batch_size = options.network, options.batch_size
    if batch_size % max(DEVICES):
        flags.error(f"argument --batch-size: {batch_size} must be even")
    setting = Setting(network, batch_size)
    line: dict[str, contestants.Contestant] = {
        name: (infogan_jax, (setting, count)) for count, name in DEVICES.items()
    }
    timings = contestants.race(line, options.rounds, options.seconds)
    print(f"{network}, {batch_size} images a batch over all devices")
    print(devices_table(timings, batch_size) + "\n", flush=True)
    found = {
        size: contestants.alone(contestants.memory, Setting(network, size))
        for size in options.memory_batch_sizes
    }
    print(memory_table(found) + "\n", flush=True)
    model = Model(
        batch_size,
        options.compute_ms or timings[DEVICES[1]].median,
        next(iter(found.values()))["gradients"],
        contestants.alone(contestants.all_reduces, setting, max(DEVICES)),
        options.gigabytes_per_second,
        options.latency_us,
    )
    print(model_table(model, options.cores))


if __name__ == "__main__":
    main()
