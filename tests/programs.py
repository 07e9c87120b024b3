"""Programs as processes of their own: started, watched, and told how they ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARE = float(os.environ.get("TORTURE", "1"))
SEED = int(os.environ.get("TORTURE_SEED", "0"))

STEPS, LOG, CHECKPOINT = 400, 10, 20
NETWORKS = (
    "--config.networks.generator=fc 16 relu, fc 8x8x1 sigmoid",
    "--config.networks.trunk=fc 16 lrelu",
    "--config.networks.recognition=fc 8 lrelu",
)
CADENCE = (
    f"--config.training.steps={STEPS}",
    "--config.training.steps_per_call=10",
    f"--config.training.log_every={LOG}",
    "--config.training.picture_every=200",
    f"--config.training.checkpoint_every={CHECKPOINT}",
)
DIGITS = (f"--config={ROOT}/configs/digits.py:smoke", *NETWORKS, *CADENCE)
LONG = (*DIGITS, "--config.training.steps=40000")


def times(count):
    """How often something is done in this share of the long tests, once at least."""
    return max(1, round(count * SHARE))


def some(*every, few=1):
    """All cases in the whole of the long tests, and the first `few` in a part."""
    return every if SHARE >= 1 else every[:few]


def start(program, *flags, **options):
    """Starts train.py, eval.py or seeds.py."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command = [sys.executable, str(ROOT / program), *map(str, flags)]
    return subprocess.Popen(command, text=True, **options)


def ended(process, limit=600):
    """Status, standard output and error of a process, which is waited for."""
    out, err = process.communicate(timeout=limit)
    return process.returncode, out, err


def run(program, *flags, **options):
    """Runs a program to its end."""
    return ended(start(program, *flags, **options))


def train(workdir, *flags, **options):
    """Runs train.py to its end, on the digits unless another config is given."""
    return run("train.py", f"--workdir={workdir}", *(flags or DIGITS), **options)


def has_started(process, workdir, lines=1):
    """Waits until a run has written log lines."""
    path, limit = Path(workdir) / "stats.jsonl", time.monotonic() + 300
    while process.poll() is None and time.monotonic() < limit:
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"it ended before: {process.communicate()}")


def one_line(err, program="train.py"):
    """The line of the program on standard error, where others may speak as well."""
    [line] = [line for line in err.splitlines() if line.startswith(f"{program}: ")]
    assert "Traceback" not in err
    return line
