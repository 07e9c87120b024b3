"""Trains and evaluates runs side by side on a CPU: a process and a core for each.

Two runs on a core each do more steps a second than one run on both cores, above all
those of small networks (docs/performance.md).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tqdm import tqdm

import infogan_jax
from infogan_jax import evaluation, experiment
from infogan_jax.data import report
from infogan_jax.data.sources import catalog
from infogan_jax.fields import DEFAULTS
from infogan_jax.machine import compilation
from infogan_jax.run import run_directory
from infogan_jax.run.progress import STEP_LINE, say
from infogan_jax.run.signals import StopRequest
from infogan_jax.several.job import Failures, Job
from infogan_jax.training import load_for

PACKAGE = Path(infogan_jax.__file__).parent
COMMAND = (sys.executable, "-m", "infogan_jax.commands.job")
ERROR = "job.py: "
"""What the line of an error begins with."""


def run(
    jobs: Sequence[Job], *, quick: bool = False, accept_data: bool = False
) -> tuple[int, Failures]:
    """Trains and evaluates all jobs, as many at a time as there are cores.

    Before the first process starts, all configs and directories are checked, and their
    data is read, so that it is prepared once. A job that fails later is named, and the
    others go on. A signal stops all of them, with their states saved.

    Args:
      jobs: what to run, in this order.
      quick: as in `evaluation.evaluate`.
      accept_data: as in `training.train`.

    Returns:
      The exit status, 0, or 128 and the number of the signal; and why a job failed, by
      its label.

    Raises:
      UserError: for a mistake in a config or a directory.
    """
    cores = compilation.available_cores()
    said = _checked(jobs, min(len(jobs), len(cores)), accept_data)
    jobs = [job for job in jobs if not _is_done(job, quick)]
    flags = [f"--quick={quick}", f"--accept_data={accept_data}"]
    free = SimpleQueue[int]()
    for core in cores:
        free.put(core)
    running: set[subprocess.Popen[str]] = set()
    failed: Failures = {}

    def work(job: Job) -> None:
        if stop.signal:
            return
        core = free.get()
        with _started(job, [*flags, f"--core={core}"]) as process:
            running.add(process)
            last = _follow(job, process, said)
        running.discard(process)
        free.put(core)
        if process.returncode and not stop.signal:
            failed[job.label] = last.removeprefix(ERROR)
            say(f"{job.label} failed: {failed[job.label]}")

    with StopRequest() as stop, ThreadPoolExecutor(len(cores)) as pool:
        left = {pool.submit(work, job) for job in jobs}
        try:
            while left and not stop.stops_here(is_due=True):
                done, left = wait(left, timeout=0.2)
                for future in done:
                    future.result()
            for process in list(running):
                process.send_signal(signal.SIGTERM)
            wait(left)
        finally:  # where an error or a second ctrl-C ends it
            for process in list(running):
                process.kill()
    return stop.status, failed


def _checked(jobs: Sequence[Job], at_once: int, accept_data: bool) -> list[str]:
    """Checks all jobs and reads their data; shows and returns the lines about it."""
    lines: list[str] = []
    read: set[str] = set()
    for job in jobs:
        load = partial(load_for, job.workdir, accept_data, catalog.load)
        exp = experiment.describe(job.config, load)
        known = run_directory.check(job.workdir, exp.config, DEFAULTS)
        experiment.check_memory(exp, at_once, with_images=False)
        key = json.dumps(exp.config["data"], sort_keys=True)
        if known is None and key not in read:
            read.add(key)
            lines += report.lines(exp.dataset)
            lines += filter(None, [experiment.check_memory(exp, at_once)])
    lines = list(dict.fromkeys(lines))
    for line in lines:
        say(line)
    return lines


def _is_done(job: Job, quick: bool) -> bool:
    steps = job.config["training"]["steps"]
    done = evaluation.is_done(job.workdir, steps, quick=quick)
    if done:
        say(f"{job.label} is complete: step {steps}")
    return done


def _started(job: Job, flags: Sequence[str]) -> subprocess.Popen[str]:
    """Starts the process of a job; ctrl-C reaches it through this process alone."""
    path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [*COMMAND, f"--workdir={job.workdir}", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,
        env={**os.environ, "NPROC": "1", "PYTHONPATH": os.pathsep.join(path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(job.config))
    process.stdin.close()
    return process


def _follow(job: Job, process: subprocess.Popen[str], said: Sequence[str]) -> str:
    """Shows what a process says, but for `said`, to its end; returns its last line."""
    assert process.stdout is not None
    steps, last = job.config["training"]["steps"], ""
    with tqdm(desc=job.label, total=steps, unit="step", disable=None) as bar:
        for line in filter(None, map(str.rstrip, process.stdout)):
            last = line
            if line not in said and not line.startswith(ERROR):
                _show(bar, job.label, line)
    return last


def _show(bar: "tqdm[Any]", label: str, line: str) -> None:
    step = STEP_LINE.fullmatch(line)
    if bar.disable:
        say(f"{label}: {line}")
    elif step:
        bar.set_postfix_str(step["text"], refresh=False)
        bar.update(int(step["step"]) - bar.n)
    else:
        bar.write(f"{label}: {line}")
