"""Faults around a run: signals, streams, limits, clocks, and two runs at once.

Each ends as docs/reliability.md promises, and the run goes on in the same bits. Run by
`make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from programs import (
    DIGITS,
    LONG,
    ROOT,
    SEED,
    ended,
    has_started,
    one_line,
    some,
    start,
    times,
    train,
)
from run_results import assert_same_run, checkpoint_steps, lines_of
from two_processes import start as start_two

NETWORK = [flag for flag in DIGITS if "networks" in flag]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run to which nothing happened."""
    workdir = tmp_path_factory.mktemp("straight") / "run"
    status, _, err = train(workdir)
    assert (status, err) == (0, "")
    return workdir


def goes_on_as_if_nothing_had_happened(workdir, straight):
    status, out, err = train(workdir)
    assert (status, err) == (0, ""), out
    assert_same_run(workdir, straight)


@pytest.mark.parametrize(
    "number, status",
    some((signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)),
)
def test_a_signal_at_any_moment_saves_and_the_run_goes_on(
    straight, tmp_path, number, status
):
    rng = random.Random(SEED)
    for trial in range(times(3)):
        workdir = tmp_path / str(trial)
        process = start("train.py", f"--workdir={workdir}", *DIGITS)
        has_started(process, workdir, rng.randrange(1, 20))
        process.send_signal(number)
        found, out, err = ended(process)
        if found == 0:
            assert "done." in out, "it had ended before"
        else:
            assert (found, "Traceback" in err) == (status, False)
            assert "stopped and saved at step" in out
        goes_on_as_if_nothing_had_happened(workdir, straight)


def test_a_reader_that_goes_away_saves_and_stops_the_run(straight, tmp_path):
    workdir = tmp_path / "run"
    process = start("train.py", f"--workdir={workdir}", *DIGITS)
    while "starts in" not in process.stdout.readline():
        assert process.poll() is None
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    assert (process.wait(300), err) == (141, "")
    assert checkpoint_steps(workdir)[-1] < 400
    goes_on_as_if_nothing_had_happened(workdir, straight)


@pytest.mark.parametrize("closed", some("0<&- 1>&- 2>&-", "1>&-", "2>&-", "0<&-"))
def test_streams_that_are_closed_from_the_start_are_no_hindrance(
    straight, tmp_path, closed
):
    command = [sys.executable, str(ROOT / "train.py"), f"--workdir={tmp_path}/run"]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command, *DIGITS]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert_same_run(tmp_path / "run", straight)


@pytest.mark.parametrize("handles", some(48, 24, 128, 64, 32, 16, few=2))
def test_with_few_file_handles_a_run_ends_well_or_in_one_line(
    straight, tmp_path, handles
):
    workdir = tmp_path / "run"
    command = [sys.executable, str(ROOT / "train.py"), f"--workdir={workdir}"]
    shell = ["sh", "-c", f'ulimit -n {handles}; exec "$@"', "sh", *command, *DIGITS]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=300)
    if done.returncode:
        assert handles < 128
        assert done.returncode in (1, 2), done.stderr
        assert "Too many open files" in one_line(done.stderr)
    goes_on_as_if_nothing_had_happened(workdir, straight)


@pytest.mark.parametrize("place", some("missing", "file"))
def test_a_run_needs_no_temporary_directory(straight, tmp_path, place):
    (tmp_path / "file").touch()
    env = os.environ | {"TMPDIR": str(tmp_path / place)}
    status, _, err = train(tmp_path / "run", *DIGITS, env=env, cwd=tmp_path)
    assert (status, err) == (0, "")
    assert_same_run(tmp_path / "run", straight)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "run"}


def test_of_several_starts_at_the_same_moment_one_trains(straight, tmp_path):
    for trial in range(times(3)):
        workdir = tmp_path / str(trial)
        pair = [start("train.py", f"--workdir={workdir}", *DIGITS) for _ in range(3)]
        ends = [ended(process) for process in pair]
        refused = [one_line(err) for status, _, err in ends if status == 2]
        for status, out, err in ends:
            assert status in (0, 2), err
            assert status or "done." in out or "is complete" in out
        assert all("in use by process" in line for line in refused)
        assert sum("done." in out for _, out, _ in ends) == 1
        assert_same_run(workdir, straight)


SET_BACK = """
import time
now, monotonic = time.time, {monotonic}
time.time = lambda: now() - {seconds}
"""


@pytest.mark.parametrize("seconds", some(3600, 40 * 365 * 86400, -86400))
def test_a_clock_that_is_set_changes_nothing(straight, tmp_path, seconds):
    """In a later call the clock is behind; files of the run are then of the future."""
    workdir = tmp_path / "run"
    process = start("train.py", f"--workdir={workdir}", *DIGITS)
    has_started(process, workdir, 5)
    process.send_signal(signal.SIGKILL)
    ended(process)
    for path in workdir.rglob("*"):
        os.utime(path, (time.time() + seconds, time.time() + seconds))
    patch = SET_BACK.format(seconds=seconds, monotonic="time.monotonic")
    (tmp_path / "sitecustomize.py").write_text(patch)
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    status, _, err = train(workdir, *DIGITS, env=env)
    assert (status, err) == (0, "")
    assert_same_run(workdir, straight)
    assert [line["step"] for line in lines_of(workdir)] == list(range(10, 401, 10))
    assert all(line["images_per_second"] > 0 for line in lines_of(workdir))


def test_a_run_whose_directory_is_moved_ends_and_goes_on_at_the_new_place(
    straight, tmp_path
):
    rng = random.Random(SEED)
    for trial in range(times(5)):
        old, new = tmp_path / f"{trial}", tmp_path / f"{trial} moved"
        process = start("train.py", f"--workdir={old}", *LONG)
        has_started(process, old, rng.randrange(1, 20))
        time.sleep(rng.uniform(0, 0.3))
        old.rename(new)
        status, _, err = ended(process)
        assert status == 1
        assert str(old) in one_line(err)
        begun = max(checkpoint_steps(new), default=0)
        if begun < 400:
            goes_on_as_if_nothing_had_happened_after(new, straight)


def goes_on_as_if_nothing_had_happened_after(workdir, straight):
    """As above, for a run that was to be longer."""
    config = workdir / "config.json"
    text = config.read_text().replace('"steps": 40000', '"steps": 400')
    config.write_text(text)
    goes_on_as_if_nothing_had_happened(workdir, straight)


def test_a_run_whose_directory_is_removed_ends_in_one_line(tmp_path):
    workdir = tmp_path / "run"
    process = start("train.py", f"--workdir={workdir}", *LONG)
    has_started(process, workdir, 3)
    shutil.rmtree(workdir, ignore_errors=True)
    status, _, err = ended(process)
    assert status == 1
    assert str(workdir) in one_line(err)


PROGRAM = """
from infogan_jax.commands import program, train
import sys
sys.argv.pop()
program.run(train.define_flags, train.main)
"""


def test_where_one_of_two_processes_is_stopped_the_other_ends_and_both_go_on(tmp_path):
    """SIGSTOP: it holds its connections and says nothing any more."""
    workdir = tmp_path / "run"
    flags = [f"--workdir={workdir}", *LONG]
    pair = start_two(PROGRAM, flags, ("", ""))
    try:
        has_started(pair[0], workdir, 5)
        pair[1].send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        _, _, err = ended(pair[0], limit=90)
    finally:
        [process.kill() for process in pair]
        pair[1].communicate()
    assert pair[0].returncode not in (0, -signal.SIGKILL), err
    assert time.monotonic() - begin < 60
    saved = max(checkpoint_steps(workdir))
    pair = start_two(PROGRAM, flags, ("", ""))
    has_started(pair[0], workdir, len(lines_of(workdir)) + 3)
    [process.send_signal(signal.SIGTERM) for process in pair]
    ends = [ended(process) for process in pair]
    assert [status for status, _, _ in ends] == [143, 143]
    assert f"goes on from step {saved}" in ends[0][1]
    steps = [line["step"] for line in lines_of(workdir)]
    assert steps == list(range(10, steps[-1] + 1, 10))
    assert np.isfinite(lines_of(workdir)[-1]["loss/generator"])
