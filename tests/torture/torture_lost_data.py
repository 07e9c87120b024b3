"""Data that changes, vanishes or becomes unreadable amid a run, and kills beside a run.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import json
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
from PIL import Image
from programs import (
    CADENCE,
    NETWORKS,
    ROOT,
    SEED,
    ended,
    has_started,
    one_line,
    run,
    some,
    start,
    times,
    train,
)
from run_results import assert_same_run

COUNT = 80


def picture(path, seed, size=12):
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size), np.uint8)
    Image.fromarray(pixels).save(path)


def flags(folder, **fields):
    fields = {"data.batch_size": 32, **fields}
    return (
        f"--config={ROOT}/configs/folder.py:8x1-smoke",
        *NETWORKS,
        *CADENCE,
        f"--config.data.directory={folder}",
        *(f"--config.{name}={value}" for name, value in fields.items()),
    )


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "pictures"
    place.mkdir()
    for number in range(COUNT):
        picture(place / f"{number:03}.png", number)
    return place


def changed(folder):
    picture(folder / "005.png", 1000)
    picture(folder / "zzz.png", 1001)
    (folder / "006.png").unlink()
    return "2 are gone or edited (or have another label), and 2 are new"


def gone(folder):
    shutil.rmtree(folder)
    return "must be a folder"


def unreadable(folder):
    for path in folder.glob("*.png"):
        path.write_bytes(path.read_bytes()[:40])
    return "readable"


@pytest.mark.parametrize(
    "misfortune, stream",
    some(
        (changed, False),
        (gone, True),
        (unreadable, False),
        (changed, True),
        (gone, False),
        (unreadable, True),
        few=2,
    ),
)
def test_data_that_is_lost_amid_a_run_ends_the_next_call_and_nothing_else(
    folder, tmp_path, misfortune, stream
):
    """The run has its images; the next call misses them; and with them it goes on."""
    options = flags(folder, **{"data.stream": stream})
    copy, workdir = shutil.copytree(folder, tmp_path / "copy"), tmp_path / "run"
    process = start("train.py", f"--workdir={workdir}", *options)
    has_started(process, workdir, 3)
    told = misfortune(folder)
    status, out, err = ended(process)
    assert (status, err) == (0, ""), out
    before = {path: path.read_bytes() for path in workdir.rglob("*") if path.is_file()}
    more = (*options, "--config.training.steps=500")
    status, _, err = train(workdir, *more)
    assert status in (1, 2)
    assert told in one_line(err)
    after = {path: path.read_bytes() for path in workdir.rglob("*") if path.is_file()}
    assert after == before
    status, _, err = run("eval.py", f"--workdir={workdir}", "--quick")
    assert status in (1, 2)
    assert told in one_line(err, "eval.py")
    shutil.rmtree(folder, ignore_errors=True)
    elsewhere = ("--config.data.directory", str(copy))
    moved = [flag for flag in more if not flag.startswith(elsewhere[0])]
    moved.append("=".join(elsewhere))
    status, out, err = train(workdir, *moved)
    assert (status, err) == (0, ""), out
    assert "goes on from step 400" in out
    status, _, err = train(tmp_path / "straight", *moved)
    assert (status, err) == (0, "")
    assert_same_run(workdir, tmp_path / "straight")
    status, out, err = run("eval.py", f"--workdir={workdir}", "--quick")
    assert (status, err) == (0, ""), out


def test_what_is_changed_amid_a_run_is_accepted_where_that_is_asked_for(
    folder, tmp_path
):
    workdir, options = tmp_path / "run", flags(folder)
    assert train(workdir, *options)[0] == 0
    changed(folder)
    more = (*options, "--config.training.steps=500", "--accept_data")
    status, out, err = train(workdir, *more)
    assert (status, err) == (0, ""), out
    assert json.loads((workdir / "data.json").read_text())["train"] >= 70
    status, out, err = run("eval.py", f"--workdir={workdir}", "--quick")
    assert (status, err) == (0, ""), out


def test_a_kill_while_data_is_prepared_leaves_nothing_wrong(folder, tmp_path):
    rng = random.Random(SEED)
    for number in range(COUNT, COUNT + 300):
        picture(folder / f"{number:03}.png", number, size=400)
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for _ in range(times(10)):
        process = start(
            "train.py", f"--workdir={tmp_path}/run", *flags(folder), env=env
        )
        limit = time.monotonic() + rng.uniform(1, 12)
        while not any_prepared(folder, tmp_path) and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 1))
        process.kill()
        ended(process)
        if (tmp_path / "run" / "stats.jsonl").exists():
            break
    status, out, err = train(tmp_path / "run", *flags(folder), env=env)
    assert (status, err) == (0, ""), out
    other = shutil.copytree(folder, tmp_path / "copy" / "pictures")
    for prepared in other.glob("infogan_jax_prepared"):
        shutil.rmtree(prepared)
    env = env | {"XDG_CACHE_HOME": str(tmp_path / "another cache")}
    status, _, err = train(tmp_path / "straight", *flags(other), env=env)
    assert (status, err) == (0, "")
    assert_same_run(tmp_path / "run", tmp_path / "straight")
    digests = [
        json.loads((tmp_path / name / "data.json").read_text())["digest"]
        for name in ("run", "straight")
    ]
    assert digests[0] == digests[1]


def any_prepared(folder, root):
    """Whether anything is prepared, or was being prepared, beside the data or not."""
    places = (
        folder.glob("infogan_jax_prepared/*"),
        root.glob("cache/infogan_jax/prepared/*"),
    )
    return any(True for place in places for _ in place)


def test_a_kill_while_an_evaluation_writes_leaves_the_old_record_or_the_new(tmp_path):
    rng, workdir = random.Random(SEED), tmp_path / "run"
    assert train(workdir)[0] == 0
    command = ("eval.py", f"--workdir={workdir}", "--quick")
    assert run(*command)[0] == 0
    right = contents(workdir)
    for trial in range(times(6)):
        if trial % 2:
            shutil.rmtree(workdir / "evaluation")
            (workdir / "evaluation.json").unlink()
        process, before = start(*command), changes(workdir)
        while changes(workdir) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        ended(process)
        for name, content in contents(workdir).items():
            assert content == right[name], name
    status, _, err = run(*command)
    assert (status, err) == (0, "")
    assert contents(workdir) == right
    assert not list(workdir.rglob("*.partial"))


def contents(workdir):
    """The files of an evaluation; a part that was being written is hidden."""
    return {
        path.relative_to(workdir): path.read_bytes()
        for path in [workdir / "evaluation.json", *workdir.glob("evaluation/*")]
        if path.exists() and not path.name.startswith(".")
    }


def changes(workdir):
    """When something in the directories of an evaluation was written last."""
    paths = [workdir, *workdir.glob("evaluation*")]
    return max(path.stat().st_mtime_ns for path in paths)
