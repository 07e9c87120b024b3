"""What a run shows and records while it trains, and how it is stopped."""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from infogan_jax import processes
from infogan_jax.errors import RunFailure
from infogan_jax.pictures import write_png
from infogan_jax.run_directory import STATS, write_bytes

PICTURES = "pictures"


class Report:
    """Progress bar, `stats.jsonl`, TensorBoard and pictures; a context manager.

    Where stderr is no terminal, a line on stdout stands in for the bar. Of several
    processes the first alone writes and shows anything.
    """

    def __init__(
        self, workdir: Path, first_step: int, steps: int, batch_size: int
    ) -> None:
        """Cuts the records back to `first_step` and goes on from there."""
        _cut(workdir / STATS, first_step)
        self._workdir = workdir
        self._steps = steps
        self._batch_size = batch_size
        is_first = processes.is_first()
        self._stats = open(workdir / STATS if is_first else os.devnull, "a")
        self._board = _board(workdir, first_step)
        self._bar = tqdm(
            total=steps,
            initial=first_step,
            unit="step",
            disable=None if is_first else True,
        )
        self._last = (time.perf_counter(), first_step)

    def __enter__(self) -> "Report":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()
        self._board.close()
        self._stats.close()

    def log(self, step: int, metrics: Mapping[str, jax.Array]) -> None:
        """Records the means over the call of the step that ended at `step`.

        They depend on the steps of that call alone, so that a run that was stopped
        and resumed records what an uninterrupted one would have.

        Raises:
          RunFailure: where a quantity is not finite.
        """
        host = jax.device_get(metrics)
        means = {name: float(np.mean(host[name])) for name in sorted(host)}
        for name, value in means.items():
            if not np.isfinite(value):
                raise RunFailure(
                    f"{name} is {value} within the steps before {step}; the last "
                    "checkpoint is intact. Try a smaller learning rate or lambda, or a "
                    "larger config.latents.sd_floor."
                )
        now, (then, last_step) = time.perf_counter(), self._last
        self._last = (now, step)
        seconds = (now - then) / (step - last_step)
        speed = {"images_per_second": self._batch_size / seconds, "step_time": seconds}
        self._write(step, speed | means)
        self._show(step, speed | means)

    def _write(self, step: int, values: Mapping[str, float]) -> None:
        line = {"step": step} | {name: round(v, 6) for name, v in values.items()}
        self._stats.write(json.dumps(line) + "\n")
        self._stats.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def _show(self, step: int, values: Mapping[str, float]) -> None:
        bounds = " ".join(
            f"{value:.2f}"
            for name, value in values.items()
            if name.startswith("mi_bound/")
        )
        text = (
            f"{values['images_per_second']:,.0f} images/s  "
            f"D {values['loss/discriminator']:.3f}  G {values['loss/generator']:.3f}"
            + (f"  L_I {bounds} nats" if bounds else "")
        )
        if self._bar.disable:
            say(f"step {step}/{self._steps}  {text}")
        else:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)

    def pictures(
        self, step: int, pictures: Mapping[str, UInt8[np.ndarray, "h w c"]]
    ) -> None:
        """Writes one PNG a picture, its step in the name, and shows it to the board."""
        for name, picture in pictures.items():
            write_png(self._workdir / PICTURES / f"{name}_{step:07d}.png", picture)
            self._board.add_image(name, picture, step, dataformats="HWC")

    def say(self, text: str) -> None:
        """One line for the reader, above the bar if there is one."""
        self._bar.write(text) if not self._bar.disable else say(text)


def say(text: str) -> None:
    """Prints one line at once; of several processes only the first does."""
    if processes.is_first():
        print(text, flush=True)


def _board(workdir: Path, first_step: int) -> Any:
    """A TensorBoard writer; tensorboardX would import torch if it could."""
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    from tensorboardX import SummaryWriter

    if hidden:
        del sys.modules["torch"]
    return SummaryWriter(
        str(workdir), purge_step=first_step + 1, write_to_disk=processes.is_first()
    )


def _cut(path: Path, last_step: int) -> None:
    """Drops the lines of a stats file that are newer than `last_step`, or torn."""
    if not path.exists() or not processes.is_first():
        return
    kept = []
    for line in path.read_bytes().splitlines():
        try:
            if json.loads(line)["step"] <= last_step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            break
    write_bytes(path, b"".join(line + b"\n" for line in kept))


class StopRequest:
    """Notes SIGINT and SIGTERM, so that a run can stop after a step and save.

    A context manager. A second SIGINT stops at once.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal == signal.SIGINT and number == signal.SIGINT:
            sys.stderr.write("\nstopped at once; the last checkpoint is intact.\n")
            os._exit(130)
        self.signal = number

    def is_agreed(self, is_due: bool) -> bool:
        """Whether the run stops here; the answer is the same in every process.

        Several processes ask each other only where `is_due`, because it makes them
        wait; there one signal to one process stops all.
        """
        if is_due or not jax.distributed.is_initialized():
            self.signal = processes.largest(self.signal or 0) or None
            return self.signal is not None
        return False

    @property
    def status(self) -> int:
        """The exit status of the program: 130 after SIGINT, else 0."""
        return 130 if self.signal == signal.SIGINT else 0
