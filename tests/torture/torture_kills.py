"""A run that is killed again and again ends as if nothing had happened.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from run_results import assert_same_run, lines_of

ROOT = Path(__file__).parents[2]
SHARE = float(os.environ.get("TORTURE", "1"))
SEED = int(os.environ.get("TORTURE_SEED", "0"))
KILLS = max(2, round(200 * SHARE))
STEPS = 400 + 30 * KILLS
LOG, PICTURE, CHECKPOINT = 5, 50, 10
FLAGS = (
    f"--config={ROOT}/configs/digits.py:smoke",
    "--config.networks.generator=fc 2x2x16 bn relu, upconv 8 s2 bn relu, "
    "upconv 1 s2 sigmoid",
    "--config.networks.trunk=conv 8 s2 lrelu, fc 32 bn lrelu",
    "--config.networks.recognition=fc 16 bn lrelu",
    "--config.optimiser.average_decay=0.9",
    f"--config.training.steps={STEPS}",
    "--config.training.steps_per_call=5",
    f"--config.training.log_every={LOG}",
    f"--config.training.picture_every={PICTURE}",
    f"--config.training.checkpoint_every={CHECKPOINT}",
)


def start(workdir):
    command = [sys.executable, str(ROOT / "train.py"), f"--workdir={workdir}", *FLAGS]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(workdir):
    process = start(workdir)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (0, ""), out[-500:]


def lines(workdir):
    path = workdir / "stats.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill(workdir, rng):
    """Kills a run at a random moment; whether it had begun to step, and was saving.

    One in five while it starts, the others within 0.3 s of a first new line.
    """
    before, process = lines(workdir), start(workdir)
    if rng.random() < 0.2:
        time.sleep(rng.uniform(0.0, 4.0))
    else:
        while lines(workdir) <= before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.3))
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode == -signal.SIGKILL, f"it ended before: {err}"
    is_saving = any(workdir.glob("checkpoints/*.orbax-checkpoint-tmp"))
    return lines(workdir) > before, is_saving


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that was never stopped, one that was killed, and when it was."""
    root, rng = tmp_path_factory.mktemp("kills"), random.Random(SEED)
    finish(root / "straight")
    kills = [kill(root / "killed", rng) for _ in range(KILLS)]
    finish(root / "killed")
    return root / "straight", root / "killed", kills


def test_the_final_state_and_every_line_are_those_of_a_run_never_killed(runs, capsys):
    straight, killed, kills = runs
    stepping, saving = (sum(each) for each in zip(*kills, strict=True))
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, {stepping} after new lines, {saving} amid a checkpoint"
        )
    assert stepping > 0, "the kills must hit a run that has begun"
    assert_same_run(killed, straight)


def test_the_record_has_every_log_step_once(runs):
    _, killed, _ = runs
    steps = [line["step"] for line in lines_of(killed)]
    assert steps == list(range(LOG, STEPS + 1, LOG))


def test_no_picture_is_missing_or_torn(runs):
    straight, killed, _ = runs
    made = {path.name: path.read_bytes() for path in (killed / "pictures").iterdir()}
    right = {path.name: path.read_bytes() for path in (straight / "pictures").iterdir()}
    assert made == right
    steps = {name.split("_")[-1] for name in made} - {"data.png"}
    assert len(steps) == STEPS // PICTURE
    for path in (killed / "pictures").iterdir():
        with Image.open(path) as picture:
            picture.load()


def test_nothing_half_written_is_left(runs):
    straight, killed, _ = runs
    for pattern in ("*.partial", ".*.partial", "*.orbax-checkpoint-tmp*"):
        assert not list(killed.rglob(pattern))
    names = [{p.name for p in (run / "checkpoints").iterdir()} for run in runs[:2]]
    assert names[0] == names[1] == {str(STEPS - n * CHECKPOINT) for n in range(3)}
