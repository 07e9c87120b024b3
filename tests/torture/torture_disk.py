"""A disk that is full: one line, nothing lost, and on it goes with space.

On a small file system of memory, which only root may mount; without it the injected
errors of the ordinary tests have to do. Run by `make torture`.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from run_results import assert_same_run, checkpoint_steps, lines_of

ROOT = Path(__file__).parents[2]
FLAGS = (
    f"--config={ROOT}/configs/digits.py:smoke",
    "--config.networks.generator=fc 64 relu, fc 8x8x1 sigmoid",
    "--config.networks.trunk=fc 64 lrelu",
    "--config.networks.recognition=fc 16 lrelu",
    "--config.training.steps=400",
    "--config.training.steps_per_call=10",
    "--config.training.log_every=10",
    "--config.training.checkpoint_every=20",
)
SHARE = float(os.environ.get("TORTURE", "1"))
SMALL_KIB = tuple(range(300, 1300, 100 if SHARE >= 1 else 500))


@contextlib.contextmanager
def disk(path, kibibytes):
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system can be mounted by root alone")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def train(workdir):
    command = [sys.executable, str(ROOT / "train.py"), f"--workdir={workdir}", *FLAGS]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("straight") / "run"
    assert train(workdir).returncode == 0
    return workdir


@pytest.mark.parametrize("kibibytes", SMALL_KIB)
def test_a_full_disk_ends_a_run_in_one_line_and_it_goes_on_with_space(
    straight, tmp_path, kibibytes
):
    with disk(tmp_path / "disk", kibibytes) as small:
        done = train(small / "run")
        if done.returncode == 0:
            pytest.skip("there was space enough")
        assert done.returncode == 1
        said = [line for line in done.stderr.splitlines() if "train.py: " in line]
        [line] = said  # around it threads of orbax may speak
        assert "No space left on device" in line
        larger = ["mount", "-o", "remount,size=64m", str(small)]
        subprocess.run(larger, check=True)
        saved = [int(step) for step in checkpoint_steps_of(small / "run")]
        again = train(small / "run")
        assert (again.returncode, again.stderr) == (0, "")
        if saved:
            assert f"goes on from step {max(saved)}" in again.stdout
        assert_same_run(small / "run", straight)
        assert len(lines_of(small / "run")) == 40
        assert checkpoint_steps(small / "run") == [360, 380, 400]


def checkpoint_steps_of(workdir):
    directory = workdir / "checkpoints"
    names = [path.name for path in directory.iterdir()] if directory.is_dir() else []
    return [name for name in names if name.isdecimal()]
