"""A run directory belongs to one config and to one process at a time."""

import errno
import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from infogan_jax.errors import RunFailure, UserError
from infogan_jax.run import files, run_directory

CONFIG = {"name": "tiny", "seed": 0, "training": {"steps": 8, "log_every": 2}}


def opened(workdir, config=CONFIG):
    return run_directory.open_for_training(workdir, config)


def refused(workdir, message, config=CONFIG):
    """Checks that a directory is refused in one line and left as it was."""
    before = contents(workdir)
    with pytest.raises(UserError, match=message) as caught, opened(workdir, config):
        raise AssertionError("opened")
    assert "\n" not in str(caught.value)
    assert str(workdir) in str(caught.value)
    assert contents(workdir) == before


def contents(path):
    if path.is_file():
        return path.read_bytes()
    return {p: p.read_bytes() if p.is_file() else None for p in path.rglob("*")}


def with_training(**fields):
    return CONFIG | {"training": CONFIG["training"] | fields}


@pytest.fixture
def known(tmp_path):
    with opened(tmp_path / "run") as workdir:
        return workdir


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "empty"])
def test_a_new_directory_gets_the_record_of_what_was_asked(tmp_path, is_there):
    workdir = tmp_path / "some" / "run"
    if is_there:
        workdir.mkdir(parents=True)
    with opened(workdir) as given:
        assert given == workdir
        assert json.loads((workdir / "config.json").read_text()) == CONFIG
    assert run_directory.read_config(workdir) == CONFIG
    names = {path.name for path in workdir.iterdir()}
    assert names == {"config.json", "lock"}


def test_a_known_directory_opens_again_with_the_same_config(known):
    with opened(known):
        assert run_directory.read_config(known) == CONFIG


def test_a_directory_with_other_content_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    refused(tmp_path, r"holds other files and no config\.json; name a new or empty")


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "is a file; name a directory")


def test_a_path_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "run", "cannot be written: .*; choose another")


@pytest.mark.parametrize("place", [(Path, "mkdir"), (run_directory, "open")])
def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch, place):
    def deny(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(*place, deny, raising=False)
    refused(tmp_path / "run", "cannot be written: Permission denied; choose another")


def test_a_name_that_is_too_long_is_refused(tmp_path):
    workdir = tmp_path / ("a" * 300)
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        opened(workdir).__enter__()
    assert not list(tmp_path.iterdir())


def test_another_config_is_refused_naming_each_field_with_both_values(known):
    other = with_training(log_every=4) | {"seed": 3}
    refused(
        known,
        r"another config: seed \(recorded 0, now 3\), "
        r"training\.log_every \(recorded 2, now 4\)\. Use",
        other,
    )


@pytest.mark.parametrize(
    "config, message",
    [
        ({k: v for k, v in CONFIG.items() if k != "seed"}, r"seed \(.* 0, now None\)"),
        (CONFIG | {"extra": 1}, r"extra \(recorded None, now 1\)"),
    ],
)
def test_a_field_that_one_config_lacks_is_a_difference(known, config, message):
    refused(known, message, config)


def test_the_number_of_steps_may_grow_and_is_recorded(known):
    with opened(known, with_training(steps=12)):
        assert run_directory.read_config(known) == with_training(steps=12)
    refused(known, r"training\.steps \(recorded 12, now 8\)")


def test_growing_steps_excuse_no_other_difference(known):
    refused(known, r"seed \(recorded 0, now 1\)", with_training(steps=12) | {"seed": 1})


def test_a_directory_in_use_is_refused_naming_process_and_host(known):
    with opened(known):
        refused(known, f"in use by process {os.getpid()} on {socket.gethostname()}; ")
    with opened(known):  # and free again
        pass


def test_a_directory_locked_by_another_program_is_refused(known):
    with open(known / "lock", "w+") as other:
        other.write("process 4711 on elsewhere\n")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        refused(known, "in use by process 4711 on elsewhere; wait for it")


def test_the_lock_of_a_process_that_died_is_no_hindrance(known):
    (known / "lock").write_text("process 4711 on elsewhere\n")
    with opened(known):
        assert f"process {os.getpid()} " in (known / "lock").read_text()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is not JSON"),
        (b'{"name": "tiny", ', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[1]", "must be a JSON object"),
        (
            b'{"training": {"steps": "many"}}',
            r"training\.steps \(recorded 'many', now 8\)",
        ),
    ],
)
def test_a_damaged_record_is_refused_and_kept(known, content, message):
    (known / "config.json").write_bytes(content)
    refused(known, message)


def test_a_directory_without_a_run_has_no_config_to_read(tmp_path):
    with pytest.raises(UserError, match=r"has no readable config\.json .* of a run"):
        run_directory.read_config(tmp_path / "none")


def full(*args):
    raise OSError(errno.ENOSPC, "No space left on device")


def half_written(path, content):
    with open(path, "wb") as file:
        file.write(content[:1])
    full()


@pytest.mark.parametrize(
    "place", [(Path, "write_bytes", half_written), (os, "replace", full)]
)
def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path, monkeypatch, place):
    path = tmp_path / "figures" / "a.png"
    files.write_bytes(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(*place)
        with pytest.raises(RunFailure, match="No space left"):
            files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    files.write_bytes(path, b"new")
    assert contents(path.parent) == {path: b"new"}


def test_a_start_that_broke_while_writing_its_record_can_be_repeated(
    tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(RunFailure, match="make space"), opened(tmp_path / "run"):
            pass
    with opened(tmp_path / "run") as workdir:
        assert run_directory.read_config(workdir) == CONFIG


def test_another_run_that_comes_between_the_check_and_the_lock_is_noticed(
    tmp_path, monkeypatch
):
    """Two starts at once: the slower one finds the directory taken by then."""
    workdir, lock = tmp_path / "run", run_directory._lock

    def lock_late(file, place):
        lock(file, place)
        files.write_json(place / "config.json", CONFIG | {"seed": 9})

    monkeypatch.setattr(run_directory, "_lock", lock_late)
    with pytest.raises(UserError, match=r"another config: seed \(recorded 9, now 0\)"):
        opened(workdir).__enter__()


def test_a_file_system_without_locks_is_not_called_in_use(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_directory.fcntl, "flock", flock)
    with pytest.raises(UserError, match="cannot lock files .No locks available.; use"):
        opened(tmp_path / "run").__enter__()
