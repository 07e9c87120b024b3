"""Where the time of a step goes: one call, traced operation by operation.

XLA's profiler gives the time of every operation of the compiled program, and the
program's text the place in the source that it came from. Operations that contain
others, such as loops, are left out; what XLA has fused counts for its last part.

    python -m benchmarks.profile --network=mnist
"""

import argparse
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from benchmarks.__main__ import Parser, whole
from benchmarks.jax_step import Training
from benchmarks.task import IMAGES, NETWORKS, Setting, build

Origin = tuple[str, str]
"""The kind of an instruction, such as `dot`, and its path in the source."""

Event = tuple[str, float]
"""The name of what was run, and nanoseconds."""

GPU_PLANE = "/device:GPU"
CONTAINERS = {"while", "call", "conditional"}
PRODUCTS = {"dot", "convolution"}
INSTRUCTION = re.compile(
    r"^\s*(?:ROOT )?%?(?P<name>[\w.-]+) = .*? (?P<opcode>[a-z][\w-]*)\("
    r"(?:.*?op_name=\"(?P<path>[^\"]*)\")?",
    re.MULTILINE,
)
LAYER = re.compile(r"/(?:(trunk|head)/)?[^/]*/(fc|conv|upconv|norm)_(\d+)(?:/|$)")
RANDOM = re.compile(r"threefry|uniform|normal|random|fold_in|erf_inv|category")
DIRECT = re.compile(r"body/closed_call/[\w-]+$")


def origins(text: str) -> dict[str, Origin]:
    """Instructions by their names, from a compiled program's text."""
    return {
        found["name"]: (found["opcode"], found["path"] or "")
        for found in INSTRUCTION.finditer(text)
    }


def kind(origin: Origin) -> str:
    """What an instruction is for."""
    opcode, path = origin
    found = LAYER.search(path)
    if opcode in PRODUCTS or path.endswith(("dot_general", "conv_general_dilated")):
        return "matrix products"
    if found:
        return "batch norm" if found[2] == "norm" else "factors, overlap-add, biases"
    if "_apply/" in path:
        return "activations"
    if RANDOM.search(path):
        return "random numbers"
    return "optimisers, inputs" if DIRECT.search(path) else "losses and the rest"


def layer(origin: Origin) -> str:
    """The layer an instruction belongs to; G and Q have names in common."""
    found = LAYER.search(origin[1])
    if found is None:
        return "no layer"
    return f"{found[1] or 'G or Q'} {found[2]}_{found[3]}"


def is_backward(origin: Origin) -> bool:
    """Whether an instruction comes from the transposed program."""
    return "transpose(jvp" in origin[1]


def trace(training: Training) -> Any:
    """One call of the step, as JAX's `ProfileData`."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with tempfile.TemporaryDirectory() as directory:
        with jax.profiler.trace(directory, profiler_options=options):
            training.call()
        path = next(Path(directory).rglob("*.xplane.pb"))
        return jax.profiler.ProfileData.from_file(str(path))


def instructions(traced: Any) -> Iterator[Event]:
    """Instructions of the compiled program, for each time one was run."""
    for event in _events(traced.planes):
        name = dict(event.stats).get("hlo_op")
        if name is not None:
            yield str(name), event.duration_ns


def kernels(traced: Any) -> list[Event]:
    """What a GPU has run, each time; on a CPU the instructions."""
    planes = [plane for plane in traced.planes if plane.name.startswith(GPU_PLANE)]
    found = [(event.name, event.duration_ns) for event in _events(planes)]
    return found or [
        (name, nanoseconds)
        for name, nanoseconds in instructions(traced)
        if name.partition(".")[0] not in CONTAINERS
    ]


def _events(planes: Iterable[Any]) -> Iterator[Any]:
    return (event for plane in planes for line in plane.lines for event in line.events)


def kernel_table(events: Sequence[Event], steps: int, rows: int = 15) -> str:
    """The kernels that take the most time: calls and milliseconds a step, and shares.

    Args:
      events: names and nanoseconds.
      steps: that were traced.
      rows: the number of kernels shown.
    """
    spent: dict[str, float] = defaultdict(float)
    calls: dict[str, int] = defaultdict(int)
    for name, nanoseconds in events:
        spent[name] += nanoseconds
        calls[name] += 1
    total = sum(spent.values())
    lines = [f"{'kernel':<52}{'calls':>8}{'ms/step':>10}{'share':>8}"]
    for name in sorted(spent, key=lambda name: -spent[name])[:rows]:
        ms, each = spent[name] / 1e6 / steps, calls[name] / steps
        share = spent[name] / total
        lines.append(f"{name[:50]:<52}{each:>8.1f}{ms:>10.4f}{share:>8.1%}")
    ms, each = total / 1e6 / steps, len(events) / steps
    lines.append(f"{f'all {len(spent)}':<52}{each:>8.1f}{ms:>10.4f}{1:>8.1%}")
    return "\n".join(lines)


def table(
    title: str, events: Iterable[tuple[str, bool, float]], steps: int, rows: int = 10
) -> str:
    """Milliseconds a step and shares, by group and direction, the largest first.

    Args:
      title: of the groups.
      events: a group, whether it is backward, and nanoseconds.
      steps: that were traced.
      rows: the number of groups shown.
    """
    spent: dict[str, float] = defaultdict(float)
    backward: dict[str, float] = defaultdict(float)
    for group, is_back, nanoseconds in events:
        spent[group] += nanoseconds
        backward[group] += nanoseconds * is_back
    total = sum(spent.values())
    lines = [f"{title:<32}{'ms/step':>10}{'share':>8}{'forward':>10}{'backward':>10}"]
    for group in sorted(spent, key=lambda group: -spent[group])[:rows]:
        time, back = spent[group], backward[group]
        shares = time / total, (time - back) / total, back / total
        numbers = "{:>8.1%}{:>10.1%}{:>10.1%}".format(*shares)
        lines.append(f"{group:<32}{time / 1e6 / steps:>10.3f}{numbers}")
    lines.append(f"{'all':<32}{total / 1e6 / steps:>10.3f}{1:>8.1%}")
    return "\n".join(lines)


def report(training: Training) -> str:
    """Both tables of one call, after another that is not counted."""
    training.call()
    known: Mapping[str, Origin] = origins(training.compiled().as_text())
    leaves = [
        (known.get(name, ("", "")), nanoseconds)
        for name, nanoseconds in instructions(trace(training))
        if known.get(name, ("", ""))[0] not in CONTAINERS
    ]
    return "\n\n".join(
        table(
            title,
            [(group(origin), is_backward(origin), ns) for origin, ns in leaves],
            training.steps,
        )
        for title, group in (("kind", kind), ("layer", layer))
    )


def main() -> None:
    """Reads the flags, traces and prints."""
    flags = Parser("benchmarks.profile", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_argument("--network", choices=NETWORKS, default="digits")
    flags.add_argument("--batch-size", type=whole(2, IMAGES), default=128)
    options = flags.parse_args()
    setting = Setting(options.network, options.batch_size)
    print(f"{setting.network}, {setting.batch_size} images a batch")
    print(report(Training(build(setting))))


if __name__ == "__main__":
    main()
