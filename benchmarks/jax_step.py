"""The project's step as training runs it, and a matrix product as a yardstick."""

import math
import re
import resource
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import task
from benchmarks.floor import PRODUCT_SIDE
from benchmarks.task import Repeat, Setting
from infogan_jax.experiment import Experiment
from infogan_jax.game.train_step import train_step
from infogan_jax.machine import parallel
from infogan_jax.run.checkpoints import Checkpoints
from infogan_jax.several.one_program import same_for_all, vmapped_step

ALL_REDUCE = re.compile(r"= (\S.*?) all-reduce\(")
ARRAY = re.compile(r"(?:pred|[a-z]+(?P<bits>\d+))\[(?P<shape>[\d,]*)\]")


class Training:
    """A run, or several as one program, a call of many steps at a time.

    Attributes:
      steps: the number of steps of a call.
      devices: how many share a batch.
      calls: what is drawn for each call, without end.
    """

    def __init__(self, exp: Experiment, devices: int = 1, seeds: int = 0) -> None:
        """Builds what `training.train` builds, on the first `devices` devices.

        With `seeds` it builds what `several.one_program` builds, with the same
        images for all of them.
        """
        self.steps, self.devices = exp.steps_per_call, devices
        self._mesh = parallel.make_mesh(exp.batch_size, _devices(devices))
        feed = exp.feed(0)
        self.calls = feed.calls(parallel.local_rows(self._mesh, exp.batch_size))
        self._data = parallel.replicate(self._mesh, feed.resident)
        state, step = exp.first_state(), partial(train_step, exp.algorithm)
        if seeds:
            state = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), state)
            step = partial(vmapped_step, same_for_all(exp.algorithm))
            self.calls = (np.stack([c] * seeds, axis=2) for c in self.calls)
        self._state = parallel.replicate(self._mesh, state)
        self._advance: Any = parallel.map_steps(step, feed.fetch, self._mesh)

    def call(self) -> None:
        """Takes the steps of one call and waits for them."""
        self._state, metrics = self._advance(*self._arguments())
        jax.block_until_ready((self._state, metrics))

    def compiled(self) -> Any:
        """The program of `call`, compiled, as JAX's `Compiled`."""
        return self._advance.lower(*self._arguments()).compile()

    def facts(self) -> dict[str, int]:
        """Bytes of `data`, `state`, `gradients` and the planned `work` of a call."""
        program, state = self.compiled(), self._state
        return {
            "data": self._data.nbytes,
            "state": _bytes(state),
            "gradients": _bytes(state.params),
            "work": program.memory_analysis().temp_size_in_bytes,
        }

    def agreements(self) -> list[int]:
        """Bytes of each all-reduce of a step: gradients, batch statistics, metrics."""
        return all_reduces(self.compiled().as_text())

    def _arguments(self) -> tuple[Any, ...]:
        drawn = parallel.split_batches(self._mesh, next(self.calls))
        return self._state, self._data, drawn


def _bytes(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def _devices(count: int) -> list[jax.Device]:
    found = jax.devices()
    if len(found) < count:
        raise ValueError(f"{count} devices are needed, {len(found)} are there")
    return found[:count]


def steps(setting: Setting, devices: int = 1) -> Repeat:
    """The train step, on one device or on several (CPU devices are simulated)."""
    if devices > 1:
        jax.config.update("jax_num_cpu_devices", devices)
    _multiply_in(setting.precision)
    training = Training(task.build(setting), devices)
    return Repeat(training.call, training.steps)


def steps_of_seeds(setting: Setting, seeds: int) -> Repeat:
    """The train step of several seeds as one program."""
    _multiply_in(setting.precision)
    training = Training(task.build(setting), seeds=seeds)
    return Repeat(training.call, training.steps)


def _multiply_in(precision: str) -> None:
    """Keeps a GPU from tf32, its default; a CPU is left as training finds it."""
    if precision == "float32" and jax.default_backend() != "cpu":
        jax.config.update("jax_default_matmul_precision", "highest")


def product(precision: str) -> Repeat:
    """One product of two large matrices a step, many a call where that is short."""
    _multiply_in(precision)
    shape = PRODUCT_SIDE, PRODUCT_SIDE
    dtype = jnp.bfloat16 if precision == "bfloat16" else jnp.float32
    left, right = (
        jax.random.normal(jax.random.key(seed), shape, dtype) for seed in (0, 1)
    )
    multiply = jax.jit(jnp.matmul)
    times = 1 if jax.devices()[0].platform == "cpu" else 50

    def call() -> None:
        for _ in range(times):
            result = multiply(left, right)
        jax.block_until_ready(result)

    return Repeat(call, times)


def memory(setting: Setting) -> dict[str, int]:
    """`Training.facts` and `peak`, the most bytes this process has had in memory."""
    training = Training(task.build(setting))
    facts = training.facts()
    training.call()
    unit = 1 if sys.platform == "darwin" else 1024
    return facts | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def all_reduces(text: str) -> list[int]:
    """Bytes of each all-reduce in a compiled program's text."""
    return [
        sum(_bytes_of(array) for array in ARRAY.finditer(found[1]))
        for found in ALL_REDUCE.finditer(text)
    ]


def _bytes_of(array: re.Match[str]) -> int:
    sides = [int(side) for side in array["shape"].split(",") if side]
    return int(array["bits"] or 8) // 8 * math.prod(sides)


def communication(setting: Setting, devices: int) -> dict[str, int]:
    """What a step sends on simulated devices, whatever machine this is.

    Returns:
      `all_reduces`, their number; `bytes` of all of them; and `work`, the bytes that
      are planned for one device.
    """
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", devices)
    training = Training(task.build(setting), devices)
    sizes, facts = training.agreements(), training.facts()
    return {"all_reduces": len(sizes), "bytes": sum(sizes), "work": facts["work"]}


def checkpoint(setting: Setting) -> dict[str, float]:
    """Parameters, bytes on the disk, and seconds to save and restore a first state.

    `held_s` is how long the steps wait for a save, `written_s` until it is on the disk.
    """
    exp = task.build(setting)
    state = exp.first_state()
    with tempfile.TemporaryDirectory() as place:
        start = perf_counter()
        with Checkpoints(Path(place)) as checkpoints:
            opened = perf_counter()
            checkpoints.save(state)
            held = perf_counter()
        written = perf_counter()
        size = sum(path.stat().st_size for path in Path(place).rglob("*"))
        with Checkpoints(Path(place), read_only=True) as checkpoints:
            again = perf_counter()
            jax.block_until_ready(checkpoints.restore_newest(state))
            restored = perf_counter()
    return {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params)),
        "bytes": size,
        "opened_s": opened - start,
        "held_s": held - opened,
        "written_s": written - opened,
        "restored_s": restored - again,
    }


def machine() -> dict[str, Any]:
    """Where JAX runs: `platform` and `device`."""
    device = jax.devices()[0]
    return {"platform": device.platform, "device": device.device_kind}
