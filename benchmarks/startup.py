"""How long `python train.py` takes to its first finished steps."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep

ROOT = Path(__file__).parent.parent
STEPS = 25
CADENCES = ("steps", "steps_per_call", "log_every", "picture_every", "checkpoint_every")


def measure(repeats: int) -> dict[str, list[float]]:
    """Seconds to the first line of stats.jsonl, digits, `repeats` times.

    Returns:
      `cold`, with an empty cache of compiled programs, and `warm`, with what the
      cold run has left there.
    """
    taken: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as scratch:
            environment = {**os.environ, "XDG_CACHE_HOME": scratch}
            environment.pop("JAX_COMPILATION_CACHE_DIR", None)
            for name, seconds in taken.items():
                workdir = Path(scratch, name)
                seconds.append(
                    first_line(_command(workdir), workdir / "stats.jsonl", environment)
                )
    return taken


def _command(workdir: Path) -> list[str]:
    program = [sys.executable, str(ROOT / "train.py"), f"--workdir={workdir}"]
    return program + [f"--config.training.{name}={STEPS}" for name in CADENCES]


def first_line(
    command: Sequence[str], path: Path, environment: Mapping[str, str]
) -> float:
    """Seconds from the start of `command` until it has written to `path`.

    Waits for the command's end, which is not counted.

    Raises:
      RuntimeError: where it ends without.
    """
    start, taken = perf_counter(), None
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            while taken is None and process.poll() is None:
                sleep(0.005)
                if path.exists() and path.stat().st_size:
                    taken = perf_counter() - start
            status = process.wait()
        finally:
            process.kill()
        errors.seek(0)
        last = (errors.read().splitlines() or ["no message"])[-1]
    if taken is None or status:
        raise RuntimeError(f"{command[1]} ended with status {status}: {last}")
    return taken
