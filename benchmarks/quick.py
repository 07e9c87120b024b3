"""Whether the step has become slower since the last release: `make bench-quick`.

This checkout and another commit train the digits in turn, each by its own `train.py`,
with G's average as well. The other commit is the newest tag, or the one given. Each
pair of runs gives a ratio of the times of a step, and the median ratio must not be
above the limit. With the default number of pairs this takes about two minutes.

    python -m benchmarks.quick --commit=v0.1.0
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.__main__ import Parser, whole

ROOT = Path(__file__).parent.parent
BEFORE_TAGS = "10b8a4d"
"""The commit that stands in for a release as long as there is no tag."""

LIMIT = 1.10
STEPS, LOG_EVERY, LEFT_OUT = 300, 25, 2


def verdict(ratios: Sequence[float]) -> tuple[bool, str]:
    """Whether the step is fast enough, and the reason in a line.

    Args:
      ratios: for each pair of runs, the time of a step now over that of before.
    """
    median = statistics.median(ratios)
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    text = f"a step takes {median:.2f} ({spread}) of the time that it took before"
    return median <= LIMIT, f"{text}; at most {LIMIT:.2f} is allowed"


def release() -> str:
    """The newest tag that this commit comes after, or `BEFORE_TAGS`."""
    found = _git("describe", "--tags", "--abbrev=0")
    return found.stdout.decode().strip() or BEFORE_TAGS


def check_out(commit: str, place: Path) -> None:
    """Writes the files of a commit to a directory; nothing of git's is changed.

    Raises:
      ValueError: where there is no such commit here, as in a shallow clone.
    """
    archive = _git("archive", "--format=tar", commit)
    if archive.returncode:
        raise ValueError(
            f"git has no commit {commit!r} here; fetch it, or name another"
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(place, filter="data")


def _git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)


def milliseconds_a_step(checkout: Path, steps: int = STEPS) -> float:
    """Trains by the program of a checkout; the median over the lines of its record.

    Compiled programs are kept beside the checkout's runs, for the next call.

    Raises:
      RuntimeError: where it ends with an error; it has the last line of it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        fields = {
            "training.steps": steps,
            "training.log_every": LOG_EVERY,
            "training.picture_every": steps,
            "training.checkpoint_every": steps,
            "optimiser.average_decay": 0.99,
        }
        command = [
            sys.executable,
            str(checkout / "train.py"),
            f"--workdir={scratch}/run",
        ]
        command += [f"--config.{name}={value}" for name, value in fields.items()]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.splitlines() or ["no message"])[-1]
            raise RuntimeError(f"{command[1]}: {last}")
        lines = Path(scratch, "run", "stats.jsonl").read_text().splitlines()
    times = [json.loads(line)["step_time"] for line in lines[LEFT_OUT:]]
    return 1000 * statistics.median(times)


def compare(before: Path, pairs: int) -> list[float]:
    """The ratio of every pair; the order within a pair changes from pair to pair."""
    ratios = []
    with ThreadPoolExecutor() as pool:  # both compile, and are not timed
        list(pool.map(lambda place: milliseconds_a_step(place, 100), (ROOT, before)))
    for pair in range(pairs):
        order = (ROOT, before) if pair % 2 else (before, ROOT)
        taken = {checkout: milliseconds_a_step(checkout) for checkout in order}
        ratios.append(taken[ROOT] / taken[before])
        print(f"{taken[before]:8.2f} ms before {taken[ROOT]:8.2f} ms now", flush=True)
    return ratios


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares with another commit; returns 0 where the step is fast enough, else 1."""
    flags = Parser("benchmarks.quick", description=__doc__)
    flags.formatter_class = argparse.RawDescriptionHelpFormatter
    flags.add_argument("--commit", help="to compare with; the newest tag if missing")
    flags.add_argument("--pairs", type=whole(1, 100), default=4)
    options = flags.parse_args(arguments)
    commit = options.commit or release()
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch, "before")
        try:
            check_out(commit, before)
        except ValueError as error:
            flags.error(f"argument --commit: {error}")
        print(f"the digits' step now and at {commit}", flush=True)
        os.environ["XDG_CACHE_HOME"] = scratch
        is_fast, text = verdict(compare(before, options.pairs))
    print(text if is_fast else f"too slow: {text}")
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
