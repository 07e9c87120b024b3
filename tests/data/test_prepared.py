"""Prepared images: made once, whole or not at all, whoever else makes them."""

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
def beside(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def examples(labels=True):
    for index, image in enumerate(IMAGES):
        yield prepared.Example(
            image, index if labels else None, (index // 2, 5 - index)
        )


def never():
    raise AssertionError("prepared again")


def prepare(beside, make=examples, recipe=RECIPE, **notes):
    return prepared.prepare(beside, recipe, len(IMAGES), make, **notes)


def places(home):
    return sorted(home.iterdir())


def child(beside, pause):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(beside), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_prepared_split_holds_the_bytes_and_facts_of_its_examples(beside):
    split, record = prepare(beside)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(
        split.factors.T, [[0, 0, 1, 1, 2, 2], range(5, -1, -1)]
    )
    assert split.factors.dtype == split.labels.dtype == np.int32
    assert isinstance(split.images, np.memmap) and not split.images.flags.writeable
    assert record["shape"] == [6, 4, 5, 3]
    assert record["sha256"] == hashlib.sha256(IMAGES.tobytes()).hexdigest()


def test_the_second_time_nothing_is_prepared_and_the_notes_are_remembered(beside):
    notes = {"unreadable": []}

    def noting():
        yield from examples(labels=False)
        notes["unreadable"].append("a.png")

    prepare(beside, noting, notes=notes)
    split, record = prepare(beside, never)
    assert split.labels is None and len(split.factors) == 6
    assert record["notes"] == {"unreadable": ["a.png"]}


def test_another_recipe_is_another_split(beside):
    prepare(beside)
    with pytest.raises(AssertionError, match="prepared again"):
        prepare(beside, never, {**RECIPE, "size": 5})


FILES = ["images.bin", "labels.npy", "factors.npy", "record.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_split_that_is_not_whole_is_prepared_again(beside, name, damage):
    prepare(beside)
    (place,) = places(beside / prepared.FOLDER)
    content = (place / name).read_bytes()
    (place / name).unlink()
    if damage != "gone":
        (place / name).write_bytes(content[:-1] if damage == "cut" else b"")
    if name == "record.json" and damage == "cut":
        (place / name).write_bytes(content[:-5])
    split, _ = prepare(beside)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(split.factors[:, 0], np.arange(6) // 2)
    assert prepare(beside, never)[0].images.shape == IMAGES.shape
    assert places(beside / prepared.FOLDER) == [place]


@pytest.mark.parametrize("name", ["labels.npy", "factors.npy"])
def test_facts_of_another_number_of_images_are_prepared_again(beside, name):
    prepare(beside)
    (place,) = places(beside / prepared.FOLDER)
    np.save(place / name, np.load(place / name)[:-1])
    split, _ = prepare(beside)
    assert len(split.labels) == len(split.factors) == len(split.images)


def test_two_processes_that_prepare_the_same_split_both_get_it_whole(beside):
    children = [child(beside, 0.01), child(beside, 0.012)]
    outputs = [process.communicate(timeout=20)[0].split() for process in children]
    assert [process.returncode for process in children] == [0, 0]
    assert [output[0] for output in outputs] == ["started", "started"]
    assert outputs[0][1] == outputs[1][1] == "True"
    assert outputs[0][2] == outputs[1][2]
    assert len(places(beside / prepared.FOLDER)) == 1


def test_a_killed_process_leaves_a_stray_directory_that_nobody_reads(beside):
    process = child(beside, 0.2)
    assert process.stdout.readline() == "started\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    (stray,) = places(beside / prepared.FOLDER)
    assert "." in stray.name
    prepared.prepare(beside, {"name": "slow"}, 6, examples)
    assert len(places(beside / prepared.FOLDER)) == 2


def test_data_marked_read_only_is_left_alone_and_the_cache_is_used(beside, cache):
    beside.chmod(0o555)
    prepare(beside)
    assert list(beside.iterdir()) == []
    assert len(places(cache)) == 1
    prepare(beside, never)


def test_where_nothing_can_be_written_the_run_ends_with_both_places(beside, cache):
    (beside / prepared.FOLDER).touch()
    cache.parent.parent.touch()
    with pytest.raises(RunFailure, match=r"neither in .* nor in .*XDG_CACHE_HOME"):
        prepare(beside)


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_nothing(beside):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(
            RunFailure, match="cannot take the prepared images"
        ) as caught:
            prepare(beside)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "make space" in str(caught.value) and "\n" not in str(caught.value)
    assert places(beside / prepared.FOLDER) == []


def test_a_place_that_cannot_be_taken_is_named(beside):
    prepare(beside)
    (place,) = places(beside / prepared.FOLDER)
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    place.touch()
    with pytest.raises(RunFailure, match=f"{place.name} cannot be put in place"):
        prepare(beside)


def test_no_example_is_a_mistake_of_the_user_and_leaves_nothing(beside):
    with pytest.raises(UserError, match="noise has no image to prepare"):
        prepare(beside, lambda: iter(()))
    assert places(beside / prepared.FOLDER) == []


def test_an_error_among_the_examples_leaves_nothing(beside):
    def broken():
        yield prepared.Example(IMAGES[0])
        raise UserError("a mistake")

    with pytest.raises(UserError, match="a mistake"):
        prepare(beside, broken)
    assert places(beside / prepared.FOLDER) == []


def test_images_without_facts_are_a_split_without_them(beside):
    split, record = prepare(beside, lambda: map(prepared.Example, IMAGES))
    assert split.labels is None and split.factors is None
    assert (record["labels"], record["factors"]) == (False, False)
