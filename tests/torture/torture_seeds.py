"""Seeds side by side that are stopped, killed, or lose one of their processes."""

import json
import os
import signal
import time

import pytest
from programs import LONG, SEED, ended, has_started, run, start
from run_results import checkpoint_steps, lines_of

from infogan_jax.machine import compilation

FLAGS = (*LONG, "--seeds=2", "--quick", f"--config.seed={SEED}")
SEEDS = (SEED, SEED + 1)

pytestmark = pytest.mark.skipif(
    len(compilation.available_cores()) < 2, reason="seeds train in turn on one core"
)


def begin(workdir, lines):
    process = start("seeds.py", f"--workdir={workdir}", *FLAGS)
    for seed in SEEDS:
        has_started(process, workdir / f"seed_{seed}", lines)
    return process


def is_free(workdir):
    """Whether no process writes to a run."""
    numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    for number in numbers:
        try:
            with open(f"/proc/{number}/cmdline") as file:
                if str(workdir) in file.read():
                    return False
        except OSError:  # it has ended
            continue
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_all_seeds_and_the_same_command_goes_on(tmp_path, number):
    process = begin(tmp_path, 20)
    process.send_signal(number)
    status, out, err = ended(process, limit=120)
    assert (status, "Traceback" in out + err) == (128 + number, False), err
    assert is_free(tmp_path)
    saved = {}
    for seed in SEEDS:
        place = tmp_path / f"seed_{seed}"
        saved[seed] = checkpoint_steps(place)[-1]
        assert saved[seed] == lines_of(place)[-1]["step"], "nothing was lost"
    process = start("seeds.py", f"--workdir={tmp_path}", *FLAGS)
    for seed in SEEDS:
        lines = saved[seed] // 10 + 3
        has_started(process, tmp_path / f"seed_{seed}", lines)
    process.send_signal(signal.SIGTERM)
    status, out, _ = ended(process, limit=120)
    for seed in SEEDS:
        assert f"seed {seed}: " in out
        assert f"goes on from step {saved[seed]}" in out


def test_seeds_whose_parent_is_killed_save_and_end(tmp_path):
    process = begin(tmp_path, 5)
    process.kill()
    ended(process)
    limit = time.monotonic() + 60
    while not is_free(tmp_path):
        assert time.monotonic() < limit, "a process is left"
        time.sleep(0.2)
    for seed in SEEDS:
        place = tmp_path / f"seed_{seed}"
        assert checkpoint_steps(place)[-1] == lines_of(place)[-1]["step"]


def test_a_seed_that_is_killed_is_named_and_the_other_goes_on(tmp_path):
    flags = [flag for flag in FLAGS if "training.steps=" not in flag]
    short = (*flags, "--config.training.steps=2000", "--seeds=3")
    process = start("seeds.py", f"--workdir={tmp_path}", *short)
    place = tmp_path / f"seed_{SEED}"
    has_started(process, place, 5)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline") as file:
                command = file.read()
        except OSError:
            continue
        if str(place) in command and "commands.job" in command:
            os.kill(int(name), signal.SIGKILL)
    status, out, err = ended(process)
    assert status == 0, err
    summary = json.loads((tmp_path / "seeds.json").read_text())
    assert list(summary["failed"]) == [str(SEED)]
    assert summary["seeds"] == [SEED + 1, SEED + 2]
    status, _, err = run("seeds.py", f"--workdir={tmp_path}", *short)
    summary = json.loads((tmp_path / "seeds.json").read_text())
    assert (status, summary["failed"]) == (0, {})
