"""Runs side by side: a core each, and one that fails or is stopped harms no other."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from infogan_jax.errors import UserError
from infogan_jax.machine import compilation
from infogan_jax.several import side_by_side
from infogan_jax.several.job import Job

STUB = """
import json, signal, sys, time
if "stubborn" in (config := json.load(sys.stdin)):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("step 1/8  fast", flush=True)
if config["seed"] == 6:
    sys.exit("job.py: loss/generator is nan")
end = time.monotonic() + config.get("seconds", 0)
while time.monotonic() < end:
    time.sleep(0.02)
"""


@pytest.fixture
def jobs(tiny_config, tmp_path):
    config = tiny_config.to_dict()
    return [
        Job(f"seed {seed}", {**config, "seed": seed}, tmp_path / f"seed_{seed}")
        for seed in (5, 6, 7)
    ]


@pytest.fixture
def stubs(monkeypatch):
    """Processes that only read their config and say a line, and end as they should."""
    monkeypatch.setattr(side_by_side, "COMMAND", (sys.executable, "-c", STUB))
    monkeypatch.setattr(side_by_side, "_checked", lambda *_: [])


def test_a_run_that_fails_is_named_and_the_others_go_on(jobs, stubs, capsys):
    assert side_by_side.run(jobs) == (0, {"seed 6": "loss/generator is nan"})
    lines = capsys.readouterr().out.splitlines()
    assert "seed 6 failed: loss/generator is nan" in lines
    assert len([line for line in lines if "nan" in line]) == 1
    for seed in (5, 6, 7):
        assert f"seed {seed}: step 1/8  fast" in lines


def test_lines_that_are_known_already_are_not_repeated(
    jobs, stubs, capsys, monkeypatch
):
    monkeypatch.setattr(side_by_side, "_checked", lambda *_: ["step 1/8  fast"])
    side_by_side.run(jobs)
    assert "fast" not in capsys.readouterr().out


def test_mistakes_are_found_before_a_process_starts(jobs, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    config = {**jobs[2].config, "data": {**jobs[2].config["data"], "batch_size": 1}}
    with pytest.raises(UserError, match="batch_size"):
        side_by_side.run([*jobs[:2], jobs[2]._replace(config=config)])
    assert not jobs[0].workdir.exists()


def test_a_signal_ends_all_and_no_further_run_starts(jobs, stubs, capsys):
    jobs = [jobs[place] for place in (0, 2, 0, 2, 0, 2)]
    jobs = [job._replace(config={**job.config, "seconds": 60}) for job in jobs]
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    before = time.monotonic()
    assert side_by_side.run(jobs) == (143, {})
    timer.join()
    assert time.monotonic() - before < 30
    started = [line for line in capsys.readouterr().out.splitlines() if "step" in line]
    assert len(started) <= len(compilation.available_cores())


def test_a_second_ctrl_c_ends_all_at_once(jobs, stubs):
    config = {**jobs[0].config, "seconds": 60, "stubborn": True}
    jobs = [jobs[0]._replace(config=config)]

    def press_twice():
        for _ in range(2):
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(1, press_twice)
    timer.start()
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        side_by_side.run(jobs)
    timer.join()
    assert time.monotonic() - before < 30
