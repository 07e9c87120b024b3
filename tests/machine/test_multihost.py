"""Two processes of one device each, on one machine, against one process."""

import shutil
import signal
from functools import partial

import chex
import jax
import numpy as np
import pytest
from run_results import checkpoint_steps, state_of, stats_of
from two_processes import LIMIT, finish, start

from configs import digits
from infogan_jax import training
from infogan_jax.machine import parallel

FIELDS = {
    "data.source": "npz",
    "data.batch_size": 16,
    "latents.codes": "categorical(3)",
    "networks.generator": "fc 8x8x1 sigmoid",
    "networks.trunk": "fc 8 bn lrelu",
    "networks.recognition": "fc 8 lrelu",
    "networks.lrelu_slope": 1.0,  # no kink, where rounding would make a difference
    "objective.noise_sd": 0.0,
    "training.steps_per_call": 2,
    "training.log_every": 2,
    "training.picture_every": 8,
    "training.checkpoint_every": 4,
}

TRAIN = """
import os, sys
from infogan_jax import experiment
from infogan_jax.commands import program, train

is_due, (step, number) = experiment.Experiment.is_due, map(int, sys.argv.pop().split())

def is_due_after_a_signal(self, cadence, at):
    if (cadence, at) == ("log", step):
        os.kill(os.getpid(), number)
    return is_due(self, cadence, at)

experiment.Experiment.is_due = is_due_after_a_signal
program.run(train.define_flags, train.main)
"""
"""train.py, where a process sends itself a signal in the call that ends at a step."""


def fields(steps, data):
    return FIELDS | {"training.steps": steps, "data.directory": str(data)}


def together(workdir, steps, data, *own):
    """A run in two processes; `own` is when each sends itself which signal."""
    flags = [f"--config={digits.__file__}:smoke", f"--workdir={workdir}"]
    flags += [f"--config.{name}={value}" for name, value in fields(steps, data).items()]
    return finish(start(TRAIN, flags, own))


def alone(workdir, steps, data, devices):
    """The same run in this process, on a number of simulated devices."""
    config = digits.get_config("smoke")
    config.update_from_flattened_dict(fields(steps, data))
    mesh = partial(parallel.make_mesh, devices=jax.devices()[:devices])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", mesh)
        assert training.train(config.to_dict(), workdir) == 0
    return workdir


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npz"
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8), np.uint8)
    np.savez(path, images=images)
    return path


@pytest.fixture(scope="module")
def story(tmp_path_factory, data):
    """One run that begins on one device, goes on in two processes until one of them is
    told to stop, goes on until one is killed, is brought to its end by two, and is
    prolonged on one device.
    """
    root = tmp_path_factory.mktemp("story")
    run, told = alone(root / "run", 4, data, devices=1), {}
    for act, *own in (
        ("stopped", "0 0", f"8 {signal.SIGTERM:d}"),
        ("killed", "0 0", f"10 {signal.SIGKILL:d}"),
        ("finished", "0 0", "0 0"),
    ):
        told[act] = together(run, 12, data, *own), checkpoint_steps(run)
    shutil.copytree(run, root / "by two")
    return told | {"run": alone(run, 16, data, devices=1), "by two": root / "by two"}


def assert_same_to_tolerance(one, other):
    close = partial(chex.assert_trees_all_close, rtol=1e-3, atol=1e-4)
    close(state_of(one), state_of(other))
    close(stats_of(one), stats_of(other))


@pytest.mark.parametrize("devices", [1, 2])
def test_two_processes_and_their_misfortunes_change_nothing(
    story, tmp_path, data, devices
):
    assert_same_to_tolerance(story["run"], alone(tmp_path, 16, data, devices))


def test_a_run_may_go_on_with_another_number_of_devices(tmp_path, data):
    run = tmp_path / "run"
    for steps, devices in ((4, 1), (8, 2), (12, 1)):
        alone(run, steps, data, devices)
    assert_same_to_tolerance(run, alone(tmp_path / "straight", 12, data, devices=2))


def test_a_signal_to_one_process_stops_both_at_the_same_step(story):
    (first, second), saved = story["stopped"]
    assert (first.status, second.status) == (143, 143), (first.err, second.err)
    assert "goes on from step 4" in first.out[0]
    assert "stopped and saved at step 8" in first.out[-1]
    assert saved == [4, 8]


def test_a_lost_process_ends_the_other_with_one_line_that_says_what_to_do(story):
    (first, second), saved = story["killed"]
    assert (first.status, second.status) == (1, -signal.SIGKILL)
    assert first.later < LIMIT
    [line] = first.err
    assert "lost another process" in line
    assert "start all of them again: the run goes on from its last checkpoint" in line
    assert saved == [4, 8]


def test_both_go_on_from_the_last_checkpoint_and_only_the_first_speaks(story):
    (first, second), saved = story["finished"]
    assert (first.status, second.status) == (0, 0), (first.err, second.err)
    assert "goes on from step 8" in first.out[0]
    assert "done" in first.out[-1]
    assert first.err == second.err == second.out == []
    assert saved == [4, 8, 12]


def test_only_the_first_process_writes_and_both_take_part_in_checkpoints(story):
    by_second = {
        path.relative_to(story["by two"]).parts[0]
        for path in story["by two"].rglob("*")
        if path.is_file() and not path.stat().st_mode & 0o044
    }
    assert by_second <= {"checkpoints"}
