"""What a run shows and writes while it trains: numbers, pictures, warnings."""

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from infogan_jax.errors import Diverged, RunFailure
from infogan_jax.machine import processes
from infogan_jax.run.files import write_png
from infogan_jax.run.run_directory import PICTURES, STATS
from infogan_jax.run.stats_file import Line, StatsFile
from infogan_jax.run.tensorboard import TensorBoard
from infogan_jax.run.trackers import Trackers

Warnings = dict[str, str]
"""A sentence for each sign of trouble, by a name that stays while the sign lasts."""

STEP_LINE = re.compile(r"step (?P<step>\d+)/\d+  (?P<text>.*)")
"""The line that stands in for a progress bar where stderr is no terminal."""


class Progress:
    """Progress bar, `stats.jsonl`, TensorBoard and pictures; a context manager.

    Where stderr is no terminal, a line on stdout stands in for the bar. Of several
    processes the first alone writes and shows anything.
    """

    def __init__(
        self,
        workdir: Path,
        first_step: int,
        steps: int,
        batch_size: int,
        find_warnings: Callable[[Sequence[Line]], Warnings] = lambda lines: {},
        label: str = "",
        trackers: Trackers | None = None,
    ) -> None:
        """Drops what earlier calls wrote after `first_step`, and goes on from there.

        Args:
          workdir: of the run.
          first_step: the step that the run goes on from.
          steps: the step at which it is to end.
          batch_size: images a step.
          find_warnings: from all lines of the stats so far; each warning is shown once.
          label: in front of each line and bar, where there are several runs.
          trackers: what else is given every number and picture.
        """
        self._stats = StatsFile(workdir / STATS, first_step)
        self._workdir = workdir
        self._steps = steps
        self._batch_size = batch_size
        self._find_warnings = find_warnings
        self._prefix = f"{label}: " if label else ""
        self._shown = set(find_warnings(self._stats.lines))
        self._tensorboard = TensorBoard(workdir, first_step)
        self._trackers = trackers or Trackers([], say)
        self._bar = tqdm(
            desc=label or None,
            total=steps,
            initial=first_step,
            unit="step",
            disable=None if processes.is_first() else True,
        )
        self.restart_clock(first_step)
        self._measured_from: tuple[float, int] | None = None
        self._is_estimated = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: Any, value: BaseException | None, trace: Any) -> None:
        self._bar.close()
        self._stats.close()
        self._trackers.close()
        with contextlib.suppress(RunFailure) if value else contextlib.nullcontext():
            self._tensorboard.close()

    def check_place(self) -> None:
        """Raises a RunFailure where the run directory was moved, before more goes in.

        To be called before a checkpoint; `log` and `pictures` call it themselves.
        """
        self._stats.check_place()

    def restart_clock(self, step: int) -> None:
        """Leaves out of the next images/s what was done since the last step.

        To be called after `step` steps where something else took time: compiling,
        pictures, a checkpoint.
        """
        self._last = (time.perf_counter(), step)

    def estimate(self, step: int, metrics: Mapping[str, jax.Array]) -> None:
        """Says once how long the rest will take, where that is a minute or more.

        To be called after each call of the step. It waits for the steps of the first
        calls, until they have taken a second.
        """
        if self._is_estimated:
            return
        then, first_step = self._measured_from or self._last
        jax.block_until_ready(metrics)
        now = time.perf_counter()
        if now - then < 1.0:  # the first of them may have run while it was compiled
            self._measured_from = self._measured_from or (now, step)
            return
        self._is_estimated = True
        seconds = (now - then) / (step - first_step)
        left = (self._steps - step) * seconds
        if left >= 60:
            speed = f"{1 / seconds:.3g} steps/s"
            self.say(f"{self._prefix}about {duration(left)} at {speed} on this machine")

    def log(self, step: int, metrics: Mapping[str, jax.Array]) -> None:
        """Writes the means over the call of the step that ended at `step`.

        They depend on the steps of that call alone, so that a run that was stopped
        and resumed writes what an uninterrupted one would have.

        Raises:
          Diverged: where a metric is not finite.
          RunFailure: where it cannot be written.
        """
        host = jax.device_get(metrics)
        means = {name: float(np.mean(host[name])) for name in sorted(host)}
        for name, value in means.items():
            if not np.isfinite(value):
                raise Diverged(
                    f"{name} is {value} within the steps before {step}; the last "
                    "checkpoint is intact. Try a smaller learning rate or lambda, or a "
                    "larger config.latents.sd_floor."
                )
        then, last_step = self._last
        self.restart_clock(step)
        seconds = (self._last[0] - then) / (step - last_step)
        speed = {"images_per_second": self._batch_size / seconds, "step_time": seconds}
        self.check_place()
        self._stats.append(step, speed | means)
        self._tensorboard.scalars(step, speed | means)
        self._trackers.scalars(step, speed | means)
        self._show(step, speed | means)
        self._warn(self._find_warnings(self._stats.lines))

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
            say(f"{self._prefix}step {step}/{self._steps}  {text}")
        else:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(step - self._bar.n)

    def pictures(
        self,
        step: int,
        pictures: Mapping[str, UInt8[np.ndarray, "height width channels"]],
        warnings: Warnings | None = None,
    ) -> None:
        """Writes each picture as PNG with its step in the name, and to TensorBoard.

        `warnings` that the pictures give rise to are shown once.
        """
        self.check_place()
        for name, picture in pictures.items():
            write_png(self._workdir / PICTURES / f"{name}_{step:07d}.png", picture)
            self._tensorboard.image(step, name, picture)
            self._trackers.image(step, name, picture)
        self._warn(warnings or {})

    def _warn(self, warnings: Warnings) -> None:
        for name, warning in warnings.items():
            if name not in self._shown:
                self.say(f"{self._prefix}warning: {warning}.")
        self._shown |= warnings.keys()

    def say(self, text: str) -> None:
        """Shows one line, above the bar if there is one."""
        self._bar.write(text) if not self._bar.disable else say(text)


def duration(seconds: float) -> str:
    """Returns a time in words of two units at most, such as "3 h 20 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    days, rest = divmod(hours, 24)
    if days > 2:
        return f"{days} days {rest} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def say(text: str) -> None:
    """Prints one line at once; of several processes only the first does."""
    if processes.is_first():
        print(text, flush=True)
