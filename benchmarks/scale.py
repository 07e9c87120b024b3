"""How the step grows: over devices, with the batch, and, by a model, over TPU cores.

CPU devices are simulated and share the cores of this machine. With a perfect split two
of them take as long as one for the same batch. What they send to each other is counted
in the compiled program, which is the same on real devices but for how XLA joins
messages.

The model adds what it takes to agree to the time of one core's own batch:

    time = compute + 2 (n - 1) / n * bytes / bandwidth + all-reduces * hops * latency

The second term is a ring's; above one pod, a ring over pods comes on top. The third is
for starting each all-reduce, most of which carry the small statistics of batch norm:
there and back over both sides of a square torus. The figures are Google's for TPU v5e
(docs.cloud.google.com/tpu/docs/v5e): 197 TFLOP/s in bfloat16, 819 GB/s of memory, 400
GB/s over four ports in both directions, of which a ring uses two, so 100 GB/s each way;
pods of 256, with 6.4 Tbit/s from one to the others. The latencies are guesses.

The time of one core's batch is given, or the shortest that is possible: matrix products
at the peak, and Adam's arrays, read and written once, at the speed of the memory.

    python -m benchmarks.scale --network=mnist --compute-ms=2
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import contestants, floor, report
from benchmarks.__main__ import Parser, positive, whole
from benchmarks.contestants import Contestant, infogan_jax
from benchmarks.task import IMAGES, NETWORKS, Setting, build

DEVICES = (1, 2, 4)
CORES = (8, 64, 256, 512, 1024)
MEGA = 1e6
PEAK, MEMORY = 197e12, 819e9
RING, BETWEEN_PODS, POD = 100e9, 800e9, 256
ADAM_PASSES = 7
"""Parameters and both moments are read and written, the gradient is read."""


@dataclass(frozen=True)
class Model:
    """What a step is expected to take on many cores, each with a batch of its own.

    Attributes:
      batch_size: images a core.
      compute_ms: milliseconds of one core's batch.
      gradients: bytes.
      all_reduces: in a step.
      hop_us: latency of a message to a neighbour, microseconds.
      pod_us: latency of a message to another pod.
    """

    batch_size: int
    compute_ms: float
    gradients: int
    all_reduces: int
    hop_us: float
    pod_us: float

    def step_ms(self, cores: int) -> float:
        """Milliseconds of a step on `cores` cores."""
        inside, pods = min(cores, POD), math.ceil(cores / POD)
        hops = 2 * math.ceil(math.sqrt(inside)) if inside > 1 else 0
        waiting_us = hops * self.hop_us + (2 * self.pod_us if pods > 1 else 0)
        seconds = _ring(inside, self.gradients, RING)
        seconds += _ring(pods, self.gradients, BETWEEN_PODS)
        return self.compute_ms + 1e3 * seconds + self.all_reduces * waiting_us / 1e3

    def __str__(self) -> str:
        return (
            f"model: {self.compute_ms:.3g} ms for {self.batch_size} images a core, "
            f"{self.gradients / MEGA:.1f} MB of gradients, {self.all_reduces} "
            f"all-reduces at {self.hop_us:g} us a hop and {self.pod_us:g} us to a pod"
        )


def _ring(members: int, size: float, bytes_a_second: float) -> float:
    return 2 * (members - 1) / members * size / bytes_a_second


def shortest_ms(operations: int, gradients: int) -> float:
    """The least time of a step on one core: products at the peak, and Adam's memory."""
    return 1e3 * (operations / PEAK + ADAM_PASSES * gradients / MEMORY)


def communication_table(found: Mapping[tuple[int, int], Mapping[str, int]]) -> str:
    """Messages of a step by (devices, images on all of them), and planned memory."""
    names = "devices", "images", "each", "all-reduces", "MB", "ring MB", "work MB"
    lines = ["".join(f"{name:>12}" for name in names)]
    for (devices, images), facts in found.items():
        size = facts["bytes"] / MEGA
        sent = 2 * (devices - 1) / devices * size
        lines.append(
            f"{devices:>12}{images:>12}{images // devices:>12}"
            f"{facts['all_reduces']:>12}{size:>12.2f}{sent:>12.2f}"
            f"{facts['work'] / MEGA:>12.1f}"
        )
    return "\n".join(lines)


def checkpoint_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Checkpoints by network: size, and seconds to save and to restore."""
    names = "parameters", "MB", "held s", "written s", "restored s"
    lines = [f"{'':<14}" + "".join(f"{name:>12}" for name in names)]
    for network, facts in found.items():
        lines.append(
            f"{network:<14}{facts['parameters']:>12,.0f}{facts['bytes'] / MEGA:>12.1f}"
            f"{facts['held_s']:>12.2f}{facts['written_s']:>12.2f}"
            f"{facts['restored_s']:>12.2f}"
        )
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


def measure_time(options: argparse.Namespace) -> str:
    """The same batch over more and more simulated devices."""
    setting = Setting(options.network, options.batch_size)
    line: dict[str, Contestant] = {
        f"{count} devices": (infogan_jax, (setting, count)) for count in DEVICES
    }
    timings = contestants.race(line, options.rounds, options.seconds)
    return report.speed_table(timings, options.batch_size)


def measure_messages(options: argparse.Namespace) -> str:
    """Strong scaling, the same batch over all, and weak scaling, the same on each."""
    size = options.batch_size
    weak = [(count, count * size) for count in DEVICES]
    pairs = weak + [(count, size) for count in DEVICES[1:]]
    return communication_table(
        {
            (count, images): contestants.alone(
                contestants.communication, Setting(options.network, images), count
            )
            for count, images in pairs
        }
    )


def measure_memory(options: argparse.Namespace) -> str:
    """Memory against the batch, on one device."""
    return memory_table(
        {
            size: contestants.alone(contestants.memory, Setting(options.network, size))
            for size in options.memory_batch_sizes
        }
    )


def measure_checkpoints(options: argparse.Namespace) -> str:
    """A checkpoint of every network."""
    return checkpoint_table(
        {
            network: contestants.alone(contestants.checkpoint, Setting(network, 128))
            for network in NETWORKS
        }
    )


def apply_model(options: argparse.Namespace) -> str:
    """The model for the network, from what two simulated devices send."""
    setting = Setting(options.network, options.batch_size)
    work = floor.operations(build(setting).algorithm, options.batch_size)
    facts = contestants.alone(contestants.communication, setting, 2)
    model = Model(
        options.batch_size,
        options.compute_ms or shortest_ms(work, facts["bytes"]),
        facts["bytes"],
        facts["all_reduces"],
        options.hop_us,
        options.pod_us,
    )
    return model_table(model, options.cores)


MEASURE = {
    "time": measure_time,
    "messages": measure_messages,
    "memory": measure_memory,
    "checkpoints": measure_checkpoints,
    "model": apply_model,
}


def parser() -> Parser:
    """The flags."""
    made = Parser("benchmarks.scale", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    add, sizes = made.add_argument, (32, 128, 512, 1024)
    add("--network", choices=NETWORKS, default="digits")
    add("--parts", nargs="+", choices=MEASURE, default=list(MEASURE))
    add("--batch-size", type=whole(4, IMAGES), default=128, help="of the timed step")
    add("--memory-batch-sizes", nargs="+", type=whole(2, IMAGES), default=sizes)
    add("--rounds", type=whole(1, 1000), default=5)
    add("--seconds", type=positive, default=2.0, help="the least length of a round")
    add("--cores", nargs="+", type=whole(1, 10**6), default=CORES)
    add("--compute-ms", type=positive, help="of one core's batch; the least if missing")
    add("--hop-us", type=positive, default=1.0, help="to the neighbouring core")
    add("--pod-us", type=positive, default=50.0, help="to another pod")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table for each part."""
    flags = parser()
    options = flags.parse_args(arguments)
    if options.batch_size % max(DEVICES):
        flags.error(f"argument --batch-size: {options.batch_size} must divide by 4")
    print(f"{options.network}, {options.batch_size} images a batch")
    for part in options.parts:
        print(f"\n{part}\n{MEASURE[part](options)}", flush=True)


if __name__ == "__main__":
    main()
