"""Starts two processes of one device each on this machine, and tells how they ended."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LIMIT = 30
"""Seconds that one process may outlive the other."""


@dataclass(frozen=True)
class Ended:
    """How a process ended, and how many seconds after the first of the two."""

    status: int
    out: list[str]
    err: list[str]
    later: float


def start(program, flags, own):
    """Two processes, each with a last argument of its own.

    What the second writes can be read by its owner alone: so one can tell who wrote.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    env = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "JAX_PLATFORMS": "cpu",
        "JAX_COORDINATOR_ADDRESS": address,
        "JAX_NUM_PROCESSES": "2",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }
    return [
        subprocess.Popen(
            [sys.executable, "-c", program, *flags, own[index]],
            env=env | {"JAX_PROCESS_ID": str(index)},
            umask=(0o022, 0o077)[index],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in (0, 1)
    ]


def finish(pair):
    """Waits for both; kills what hangs, alone for two `LIMIT`s or together for ten."""
    ends, start_of_wait = {}, time.monotonic()
    while len(ends) < 2:
        time.sleep(0.05)
        for process in pair:
            if process.poll() is not None:
                ends.setdefault(process, time.monotonic())
        alone_since = min(ends.values(), default=start_of_wait + 8 * LIMIT)
        if time.monotonic() > alone_since + 2 * LIMIT:
            [process.kill() for process in pair]
    first, ended = min(ends.values()), []
    for process in pair:
        out, err = process.communicate()
        said = [line for line in out.splitlines() if not line.startswith("[Gloo]")]
        later = ends[process] - first
        ended.append(Ended(process.returncode, said, err.splitlines(), later))
    return ended
