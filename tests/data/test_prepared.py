"""Prepared splits: written once, and complete or not at all, by several processes."""

import hashlib
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from infogan_jax.data import prepared
from infogan_jax.errors import RunFailure, UserError

RECIPE = {"name": "noise", "size": 4}
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)

CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from infogan_jax.data import prepared

def examples():
    print("started", flush=True)
    for index in range(40):
        time.sleep(float(sys.argv[2]))
        yield prepared.Example(np.full((4, 4, 1), index, np.uint8), index)

split, record = prepared.prepare(Path(sys.argv[1]), {"name": "slow"}, 40, examples)
print(split.images[:, 0, 0, 0].tolist() == split.labels.tolist() == list(range(40)))
print(record["sha256"])
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "infogan_jax" / prepared.FOLDER


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def examples(labels=True):
    for index, image in enumerate(IMAGES):
        yield prepared.Example(
            image, index if labels else None, (index // 2, 5 - index)
        )


def fail_if_called():
    raise AssertionError("prepared again")


def prepare(root, make=examples, recipe=RECIPE, **notes):
    return prepared.prepare(root, recipe, len(IMAGES), make, **notes)


def entries(directory):
    return sorted(directory.iterdir())


def start_process(root, pause):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(root), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_prepared_split_has_the_images_labels_and_factors_of_its_examples(root):
    split, record = prepare(root)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(
        split.factors.T, [[0, 0, 1, 1, 2, 2], range(5, -1, -1)]
    )
    assert split.factors.dtype == split.labels.dtype == np.int32
    assert isinstance(split.images, np.memmap) and not split.images.flags.writeable
    assert record["shape"] == [6, 4, 5, 3]
    assert record["sha256"] == hashlib.sha256(IMAGES.tobytes()).hexdigest()


def test_a_split_is_prepared_once_and_keeps_its_notes(root):
    notes = {"unreadable": []}

    def noting():
        yield from examples(labels=False)
        notes["unreadable"].append("a.png")

    prepare(root, noting, notes=notes)
    split, record = prepare(root, fail_if_called)
    assert split.labels is None and len(split.factors) == 6
    assert record["notes"] == {"unreadable": ["a.png"]}


def test_another_recipe_is_prepared_separately(root):
    prepare(root)
    with pytest.raises(AssertionError, match="prepared again"):
        prepare(root, fail_if_called, {**RECIPE, "size": 5})


FILES = ["images.bin", "labels.npy", "factors.npy", "record.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_damaged_split_is_prepared_again(root, name, damage):
    prepare(root)
    (entry,) = entries(root / prepared.FOLDER)
    content = (entry / name).read_bytes()
    (entry / name).unlink()
    if damage != "gone":
        (entry / name).write_bytes(content[:-1] if damage == "cut" else b"")
    if name == "record.json" and damage == "cut":
        (entry / name).write_bytes(content[:-5])
    split, _ = prepare(root)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(split.factors[:, 0], np.arange(6) // 2)
    assert prepare(root, fail_if_called)[0].images.shape == IMAGES.shape
    assert entries(root / prepared.FOLDER) == [entry]


@pytest.mark.parametrize("name", ["labels.npy", "factors.npy"])
def test_a_split_with_too_few_labels_or_factors_is_prepared_again(root, name):
    prepare(root)
    (entry,) = entries(root / prepared.FOLDER)
    np.save(entry / name, np.load(entry / name)[:-1])
    split, _ = prepare(root)
    assert len(split.labels) == len(split.factors) == len(split.images)


def test_two_processes_that_prepare_the_same_split_both_load_it_complete(root):
    processes = [start_process(root, 0.01), start_process(root, 0.012)]
    outputs = [process.communicate(timeout=20)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [output[0] for output in outputs] == ["started", "started"]
    assert outputs[0][1] == outputs[1][1] == "True"
    assert outputs[0][2] == outputs[1][2]
    assert len(entries(root / prepared.FOLDER)) == 1


def test_the_directory_that_a_killed_process_leaves_is_not_used(root):
    process = start_process(root, 0.2)
    assert process.stdout.readline() == "started\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    (stray,) = entries(root / prepared.FOLDER)
    assert "." in stray.name
    prepared.prepare(root, {"name": "slow"}, 6, examples)
    assert len(entries(root / prepared.FOLDER)) == 2


def test_read_only_data_is_not_changed_and_the_cache_is_used(root, cache):
    root.chmod(0o555)
    prepare(root)
    assert list(root.iterdir()) == []
    assert len(entries(cache)) == 1
    prepare(root, fail_if_called)


def test_an_error_names_both_directories_if_neither_can_be_written(root, cache):
    (root / prepared.FOLDER).touch()
    cache.parent.parent.touch()
    with pytest.raises(RunFailure, match=r"neither in .* nor in .*XDG_CACHE_HOME"):
        prepare(root)


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_no_files(root):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(
            RunFailure, match="cannot hold the prepared images"
        ) as caught:
            prepare(root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "make space" in str(caught.value) and "\n" not in str(caught.value)
    assert entries(root / prepared.FOLDER) == []


def test_a_target_that_cannot_be_replaced_is_named(root):
    prepare(root)
    (entry,) = entries(root / prepared.FOLDER)
    for file in entry.iterdir():
        file.unlink()
    entry.rmdir()
    entry.touch()
    with pytest.raises(RunFailure, match=f"{entry.name} cannot be put in place"):
        prepare(root)


def test_a_split_without_examples_is_refused_and_leaves_no_files(root):
    with pytest.raises(UserError, match="noise has no image to prepare"):
        prepare(root, lambda: iter(()))
    assert entries(root / prepared.FOLDER) == []


def test_an_error_in_the_examples_leaves_no_files(root):
    def broken():
        yield prepared.Example(IMAGES[0])
        raise UserError("a mistake")

    with pytest.raises(UserError, match="a mistake"):
        prepare(root, broken)
    assert entries(root / prepared.FOLDER) == []


def test_images_without_labels_and_factors_are_prepared(root):
    split, record = prepare(root, lambda: map(prepared.Example, IMAGES))
    assert split.labels is None and split.factors is None
    assert (record["labels"], record["factors"]) == (False, False)
