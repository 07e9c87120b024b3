"""Prepared images: written once, and complete or not at all, by several processes."""

import errno
import fcntl
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from infogan_jax.data import prepared, threads
from infogan_jax.data.dataset import Request, fingerprint
from infogan_jax.data.prepared import Block
from infogan_jax.data.rendering import Rules
from infogan_jax.data.survey import Task
from infogan_jax.errors import RunFailure, UserError

RECIPE = {"name": "noise", "size": 4}
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)
FACTS = {"rules": Rules().record()}

CHILD = """
import signal, sys, time
import numpy as np
from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.rendering import Rules
from infogan_jax.data.survey import Task

signal.signal(signal.SIGINT, signal.default_int_handler)  # off in a job behind `&`

def load(index):
    time.sleep(5 if index == 170 and sys.argv[2] != "0" else 0)
    sys.stdout.write(f"{index}\\n")
    sys.stdout.flush()
    return np.full((4, 4, 1), index % 256, np.uint8)

def tasks(start):
    for index in range(start, 300):
        yield Task(f"{index}.png", lambda index=index: load(index), None, index)

splits, record = prepared.prepare(
    Request("npz", cache=sys.argv[1]),
    {"name": "slow"},
    {"": prepared.Block(300, tasks)},
    lambda: {"rules": Rules().record()},
)
split = splits[""]
assert split.images[:, 0, 0, 0].tolist() == [n % 256 for n in range(300)]
assert split.labels.tolist() == list(range(300))
assert split.names == [f"{n}.png" for n in range(300)]
print(record["splits"][""]["sha256"])
"""


@pytest.fixture
def request_(tmp_path):
    return Request("npz", cache=str(tmp_path / "prepared"))


@pytest.fixture
def cache(request_):
    return prepared.place(request_)


def block(images=IMAGES, labels=True, names=False):
    def tasks(start):
        for index, image in list(enumerate(images))[start:]:
            label = index if labels else None
            factors = (index // 2, 5 - index) if labels else None
            name = f"{index}.png" if names else "one"
            yield Task(name, lambda image=image: image, None, label, factors)

    return Block(len(images), tasks)


def fail_if_called(*_):
    raise AssertionError("prepared again")


NEVER = Block(6, fail_if_called)


def prepare(request_, block=block(), recipe=RECIPE, find_facts=lambda: FACTS, **more):  # noqa: B008
    splits, record = prepared.prepare(request_, recipe, {"": block}, find_facts, **more)
    return splits[""], record


def entries(directory):
    return sorted(directory.iterdir())


def start_process(cache, pause):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(cache), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_prepared_images_have_their_labels_and_factors(request_):
    split, record = prepare(request_)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(
        split.factors.T, [[0, 0, 1, 1, 2, 2], range(5, -1, -1)]
    )
    assert split.factors.dtype == split.labels.dtype == np.int32
    assert isinstance(split.images, np.memmap) and not split.images.flags.writeable
    assert split.prints.tolist() == [fingerprint(image) for image in IMAGES]
    assert record["shape"] == [6, 4, 5, 3] and split.names is None
    digest = hashlib.sha256(IMAGES.tobytes()).hexdigest()
    assert record["splits"] == {"": {"count": 6, "sha256": digest}}


def test_splits_are_prepared_together_and_keep_apart(request_):
    blocks = {"train": block(IMAGES[:4]), "test": block(IMAGES[4:])}
    splits, record = prepared.prepare(request_, RECIPE, blocks, lambda: FACTS)
    np.testing.assert_array_equal(splits["train"].images, IMAGES[:4])
    np.testing.assert_array_equal(splits["test"].images, IMAGES[4:])
    assert splits["test"].labels.tolist() == [0, 1]
    digest = hashlib.sha256(IMAGES[4:].tobytes()).hexdigest()
    assert record["splits"]["test"] == {"count": 2, "sha256": digest}


def test_images_are_prepared_once_and_keep_facts_names_and_what_was_unreadable(
    request_,
):
    def broken():
        raise ValueError("no image")

    def tasks(start):
        yield from block(names=True).tasks(start)
        yield Task("broken.png", broken)

    first, _ = prepare(request_, Block(7, tasks), find_facts=lambda: FACTS | {"a": 1})
    split, record = prepare(request_, NEVER, find_facts=fail_if_called)
    assert record["unreadable"] == ["broken.png: no image"] and record["a"] == 1
    assert split.names == first.names == [f"{n}.png" for n in range(6)]


def test_another_recipe_is_prepared_separately(request_):
    prepare(request_)
    with pytest.raises(AssertionError, match="prepared again"):
        prepare(request_, NEVER, {**RECIPE, "size": 5})


FILES = ["images.bin", "labels.npy", "factors.npy", "prints.npy", "record.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_damaged_images_are_prepared_again(request_, cache, name, damage):
    prepare(request_)
    (entry,) = entries(cache)
    content = (entry / name).read_bytes()
    (entry / name).unlink()
    if damage != "gone":
        (entry / name).write_bytes(content[:-1] if damage == "cut" else b"")
    if name == "record.json" and damage == "cut":
        (entry / name).write_bytes(content[:-5])
    split, _ = prepare(request_)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    np.testing.assert_array_equal(split.factors[:, 0], np.arange(6) // 2)
    assert prepare(request_, NEVER)[0].images.shape == IMAGES.shape
    assert entries(cache) == [entry]


@pytest.mark.parametrize("name", ["labels.npy", "factors.npy", "prints.npy"])
def test_too_few_labels_or_factors_are_prepared_again(request_, cache, name):
    prepare(request_)
    (entry,) = entries(cache)
    np.save(entry / name, np.load(entry / name)[:-1])
    split, _ = prepare(request_)
    assert len(split.labels) == len(split.factors) == len(split.images)


def test_a_process_waits_for_another_that_prepares_the_same(cache, tmp_path):
    first = start_process(cache, 0).communicate(timeout=120)[0].split()
    (entry,) = entries(cache)
    entry.rename(tmp_path / "aside")
    with open(cache / f"{entry.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = start_process(cache, 0)
        said = second.stderr.readline()
        assert said == "waiting for another process that prepares slow\n"
        (tmp_path / "aside").rename(entry)
    assert second.communicate(timeout=120)[0].split() == first[-1:], (
        "it decoded nothing"
    )
    assert second.returncode == 0 and entries(cache) == [entry]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_process_is_gone_on_with(cache, number):
    process = start_process(cache, "slow at one image")
    while int(process.stdout.readline()) < 150:
        pass
    process.send_signal(number)
    process.communicate(timeout=60)
    assert {path.suffix for path in entries(cache)} <= {".partial", ".lock"}
    again = start_process(cache, 0)
    decoded = again.communicate(timeout=120)[0].split()
    assert again.returncode == 0 and len(decoded) < 260, "it began at the first image"
    expected = hashlib.sha256(
        b"".join(bytes([n % 256]) * 16 for n in range(300))
    ).hexdigest()
    assert decoded[-1] == expected
    assert [path.suffix for path in entries(cache)] == [""]


@pytest.mark.parametrize("end", [b'["x", [4, 5', b"\xff\n", b"[]\n", b"null\n"])
@pytest.mark.parametrize("cut", [0, 1, 61])
def test_torn_rows_and_images_are_written_again(request_, cache, monkeypatch, end, cut):
    """The files of a process that was killed at its fourth image."""
    monkeypatch.setattr(threads, "map_in_order", map)

    def stop(start):
        yield from list(block().tasks(0))[:4]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(request_, Block(6, stop))
    (partial,) = entries(cache)
    with open(partial / "rows.jsonl", "ab") as rows:
        rows.write(end)
    os.truncate(partial / "images.bin", 4 * 60 - cut)
    begun = []

    def tasks(start):
        begun.append(start)
        yield from block().tasks(start)

    split, _ = prepare(request_, Block(6, tasks), find_facts=fail_if_called)
    np.testing.assert_array_equal(split.images, IMAGES)
    np.testing.assert_array_equal(split.labels, np.arange(6))
    assert begun == [{0: 4, 1: 3, 61: 2}[cut]]


def test_dead_parts_are_removed_after_a_week(request_, cache):
    cache.mkdir()
    for name, age in (("old", 8), ("young", 6), ("empty", 8)):
        (cache / f"{name}.partial").mkdir()
        then = time.time() - age * 24 * 3600
        if name != "empty":
            (cache / f"{name}.partial" / "images.bin").touch()
            os.utime(cache / f"{name}.partial" / "images.bin", (then, then))
        os.utime(cache / f"{name}.partial", (then, then))
    prepare(request_)
    assert [path.name for path in entries(cache) if path.suffix] == ["young.partial"]


def test_data_is_not_written_to_but_the_user_s_cache_or_what_was_chosen(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert prepared.place(Request("folder", directory="/data")) == (
        tmp_path / "cache" / "infogan_jax" / "prepared"
    )
    chosen = Request("folder", cache=str(tmp_path / "chosen"))
    _, record = prepare(chosen)
    assert record["place"] == str(entries(tmp_path / "chosen")[0])


def test_a_cache_that_cannot_be_written_is_named_and_the_way_out_leads_out(
    request_, tmp_path
):
    (tmp_path / "prepared").touch()
    with pytest.raises(RunFailure, match=r"prepared \(.*set --config.data.cache to"):
        prepare(request_)
    prepare(replace(request_, cache=str(tmp_path / "other")))
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(RunFailure, match="closed .it is marked read-only"):
        prepare(replace(request_, cache=str(tmp_path / "closed")))


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_no_files(request_, cache):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(
            RunFailure, match="cannot hold the prepared images"
        ) as caught:
            prepare(request_)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "make space" in str(caught.value) and "\n" not in str(caught.value)
    assert entries(cache) == []


def test_too_little_space_is_seen_at_the_first_image(request_, cache, monkeypatch):
    monkeypatch.setattr(
        prepared.shutil, "disk_usage", lambda _: SimpleNamespace(free=359)
    )
    with pytest.raises(RunFailure, match=r"0.0 GB are needed, 0.0 are free"):
        prepare(request_)
    monkeypatch.setattr(
        prepared.shutil, "disk_usage", lambda _: SimpleNamespace(free=360)
    )
    prepare(request_)


def test_a_target_that_cannot_be_replaced_is_named(request_, cache):
    prepare(request_)
    (entry,) = entries(cache)
    for file in entry.iterdir():
        file.unlink()
    entry.rmdir()
    entry.touch()
    with pytest.raises(RunFailure, match=f"{entry.name} cannot be put in place"):
        prepare(request_)


def test_data_without_a_readable_image_leaves_no_files(request_, cache):
    with pytest.raises(prepared.NothingReadable):
        prepare(request_, Block(0, lambda start: iter(())))
    assert entries(cache) == []


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOENT, errno.EIO])
def test_what_says_nothing_about_a_file_ends_the_run(request_, cache, code):
    """A file is not left out because there are too few handles, or it has moved."""

    def load():
        raise OSError(code, os.strerror(code))

    tasks = Block(1, lambda start: iter([Task("a.png", load)]))
    with pytest.raises(RunFailure, match=f"a.png cannot be read: {os.strerror(code)}"):
        prepare(request_, tasks)
    assert entries(cache) == []


def test_data_that_changes_while_it_is_read_is_not_kept(request_, cache):
    def changed():
        raise RunFailure("it has changed")

    with pytest.raises(RunFailure, match="it has changed"):
        prepare(request_, check_source=changed)
    assert entries(cache) == []


def test_images_of_two_sizes_are_refused_by_both_names(request_, cache):
    images = [IMAGES[0], IMAGES[1], IMAGES[2][:3]]
    message = r"size \(=0\) .* '0.png' is 4 x 5 and '2.png' is 3 x 5; set .*size=4\."
    with pytest.raises(UserError, match=message):
        prepare(request_, block(images, names=True))
    assert entries(cache) == []


def test_images_without_labels_and_factors_are_prepared(request_):
    split, record = prepare(request_, block(labels=False))
    assert split.labels is None and split.factors is None
    assert (record["labels"], record["factors"]) == (False, False)
    json.dumps(record)


def test_work_is_shared_by_threads_and_comes_back_in_order():
    def work(number):
        time.sleep(0.001 * (number % 7))
        return -number

    done = threads.map_in_order(work, range(100))
    assert list(done) == [-number for number in range(100)]


def test_an_error_of_the_work_ends_it_and_only_a_few_have_begun():
    begun = []

    def work(number):
        begun.append(number)
        if number == 3:
            raise KeyError(number)

    with pytest.raises(KeyError):
        list(threads.map_in_order(work, range(10_000)))
    assert len(begun) < 1000


def test_without_a_terminal_a_line_tells_the_progress(monkeypatch, capsys):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(threads, "monotonic", lambda: next(clock))
    assert list(threads.shown(range(6), "reading", 16, 10)) == list(range(6))
    assert capsys.readouterr().err.splitlines() == [
        "reading: 13 of 16 images, 0 images/s",
        "reading: 16 of 16 images, 0 images/s",
    ]
