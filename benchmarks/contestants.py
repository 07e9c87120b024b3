"""Who is timed, each in a process of its own, and how: round by round, in turn.

Processes keep thread pools and memory apart. They live through all rounds, and
each round goes to every contestant once, so that a machine that gets slower or
faster does so for all of them.
"""

import math
import os
import statistics
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from time import perf_counter
from typing import Any, TypeVar

from benchmarks.task import Repeat, Setting

Contestant = tuple[Callable[..., Repeat], tuple[Any, ...]]
"""A function of a module, called in the contestant's process, and its arguments."""

Name = TypeVar("Name", bound=Hashable)

OURS, EAGER, COMPILED = "infogan-jax", "PyTorch eager", "torch.compile"
CHANNELS_FIRST = "PyTorch, channels first"
GRAPHS, PRODUCT = "torch.compile, CUDA graphs", "matrix product"
PYTORCH = (EAGER, CHANNELS_FIRST, COMPILED, GRAPHS)
TORCH_CACHE = "TORCHINDUCTOR_CACHE_DIR"
SHARING = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # leaves GPU memory to others


@dataclass
class Timing:
    """What one contestant took.

    Attributes:
      steps: in one call.
      first_call: seconds, with compilation.
      rounds: milliseconds a step, one number a round.
      failure: why it gave up, or "".
    """

    steps: int = 0
    first_call: float = 0.0
    rounds: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float:
        """Milliseconds a step; not a number where it failed."""
        return statistics.median(self.rounds) if self.rounds else math.nan


def line_up(setting: Setting, platform: str) -> dict[str, Contestant]:
    """The contestants of a setting; PyTorch runs where JAX does."""
    device = "cpu" if platform == "cpu" else "cuda"
    chosen: dict[str, Contestant] = {
        OURS: (infogan_jax, (setting,)),
        EAGER: (pytorch, (setting, device, "")),
        CHANNELS_FIRST: (pytorch, (setting, device, "", False)),
        COMPILED: (pytorch, (setting, device, "default")),
        GRAPHS: (pytorch, (setting, device, "reduce-overhead")),
        PRODUCT: (matrix_product, (setting.precision,)),
    }
    if platform == "cpu":
        del chosen[GRAPHS]
    return chosen


def infogan_jax(setting: Setting, devices: int = 1) -> Repeat:
    """The project's step."""
    from benchmarks import jax_step

    return jax_step.steps(setting, devices)


def pytorch(
    setting: Setting, device: str, mode: str, channels_last: bool = True
) -> Repeat:
    """The reference on `device`, through torch.compile in `mode` if there is one."""
    from benchmarks import torch_step

    return torch_step.steps(setting, device, mode, channels_last)


def machine() -> dict[str, Any]:
    """Where JAX runs."""
    from benchmarks import jax_step

    return jax_step.machine()


def memory(setting: Setting) -> dict[str, int]:
    """Bytes that training takes."""
    from benchmarks import jax_step

    return jax_step.memory(setting)


def communication(setting: Setting, devices: int) -> dict[str, int]:
    """What a step sends between devices."""
    from benchmarks import jax_step

    return jax_step.communication(setting, devices)


def checkpoint(setting: Setting) -> dict[str, float]:
    """What a checkpoint takes, on the disk and in time."""
    from benchmarks import jax_step

    return jax_step.checkpoint(setting)


def matrix_product(precision: str) -> Repeat:
    """The yardstick for the floor."""
    from benchmarks import jax_step

    return jax_step.product(precision)


def race(
    line: Mapping[Name, Contestant], rounds: int, seconds: float, at_once: bool = False
) -> dict[Name, Timing]:
    """Times all contestants in turn; one that fails is left out from then on.

    All compile afresh, unless TORCHINDUCTOR_CACHE_DIR and JAX_COMPILATION_CACHE_DIR
    name directories of compiled programs.

    Args:
      line: the contestants by name.
      rounds: how often each is timed.
      seconds: the least length of a round, which is one call or more.
      at_once: whether all compile at the same time, before the first round.
    """
    with ExitStack() as stack:
        cold = stack.enter_context(tempfile.TemporaryDirectory())
        cache = {TORCH_CACHE: os.environ.get(TORCH_CACHE, cold)}
        pools = {name: stack.enter_context(process(cache)) for name in line}
        timings = {name: Timing() for name in line}
        begun = {}
        for name, (make, arguments) in line.items():
            begun[name] = pools[name].submit(first_call, make, *arguments)
            if not at_once:
                wait([begun[name]])
        for name, timing in timings.items():
            with _left_out(timing):
                timing.steps, timing.first_call = begun[name].result()
        for _ in range(rounds):
            for name, (make, arguments) in line.items():
                timing, pool = timings[name], pools[name]
                if not timing.failure:
                    with _left_out(timing):
                        round_ = pool.submit(timed_round, seconds, make, *arguments)
                        timing.rounds.append(round_.result())
    return timings


@contextmanager
def _left_out(timing: Timing) -> Iterator[None]:
    """Notes why a contestant fails, whatever it raises."""
    try:
        yield
    except Exception as error:
        timing.failure = _first_line(error)


def process(environment: dict[str, str] | None = None) -> ProcessPoolExecutor:
    """A fresh process that does what is submitted to it, one thing at a time."""
    return ProcessPoolExecutor(
        1, get_context("spawn"), initializer=_prepare, initargs=(environment or {},)
    )


def _prepare(environment: dict[str, str]) -> None:
    os.environ.update(SHARING | environment)


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of `function`, from a process that ends with it."""
    with process() as pool:
        return pool.submit(function, *arguments).result()


@cache
def made(make: Callable[..., Repeat], *arguments: Any) -> Repeat:
    """What `make` gives, once in a process."""
    return make(*arguments)


def first_call(make: Callable[..., Repeat], *arguments: Any) -> tuple[int, float]:
    """The steps of a call, and the seconds of the first one."""
    repeat = made(make, *arguments)
    start = perf_counter()
    repeat.call()
    return repeat.steps, perf_counter() - start


def timed_round(seconds: float, make: Callable[..., Repeat], *arguments: Any) -> float:
    """Milliseconds a step, over as many calls as fill `seconds`."""
    repeat, calls, start = made(make, *arguments), 0, perf_counter()
    while True:
        repeat.call()
        calls += 1
        elapsed = perf_counter() - start
        if elapsed >= seconds:
            return 1000 * elapsed / (calls * repeat.steps)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
