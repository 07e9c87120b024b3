"""The run directory: who may write to it, and the record of what was asked.

A directory belongs to one config and, while it is open for training, to one run,
whose first process alone writes. Files are replaced whole, never left half written.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax

from infogan_jax import processes
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.validation import flatten

CONFIG = "config.json"
STATS = "stats.jsonl"
LOCK = "lock"

EXTENDABLE = "training.steps"
"""The one field that may grow from one call to the next: a run can be prolonged."""


@contextlib.contextmanager
def opened(workdir: Path, config: Mapping[str, Any]) -> Iterator[Path]:
    """Opens a new or known run directory for one training run.

    Of several processes the first takes it and the others look at it.

    Raises:
      UserError: where the directory cannot be written, holds something else,
        belongs to another config, is in use, or is not shared by all processes.
    """
    with contextlib.ExitStack() as stack:
        with processes.agreed():
            if processes.is_first():
                stack.enter_context(_taken(workdir, config))
        with processes.agreed():
            if not (workdir / CONFIG).exists():
                raise UserError(
                    f"--workdir (={workdir}) of process {jax.process_index()} is not "
                    "that of process 0; name a directory that all processes share."
                )
        yield workdir


@contextlib.contextmanager
def _taken(workdir: Path, config: Mapping[str, Any]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            known = _check(workdir, config)
            workdir.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(workdir / LOCK, "a+"))
        except OSError as error:
            raise UserError(
                f"--workdir (={workdir}) cannot be written: {error.strerror}; choose "
                "another or change its permissions."
            ) from error
        _lock(lock, workdir)
        if known != dict(config):
            write_json(workdir / CONFIG, config)
        yield


def _check(workdir: Path, config: Mapping[str, Any]) -> dict[str, Any] | None:
    if workdir.exists() and not workdir.is_dir():
        raise UserError(f"--workdir (={workdir}) is a file; name a directory.")
    if not (workdir / CONFIG).exists():
        if workdir.is_dir() and set(os.listdir(workdir)) - {LOCK}:
            raise UserError(
                f"--workdir (={workdir}) holds other files and no {CONFIG}; name a new "
                "or empty directory."
            )
        return None
    known = read_config(workdir)
    keep_inside(workdir)
    old, new = flatten(known), flatten(config)
    differing = [
        f"{name} (recorded {old.get(name)!r}, now {new.get(name)!r})"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
        and not (name == EXTENDABLE and _grows(old.get(name), new[name]))
    ]
    if differing:
        raise UserError(
            f"--workdir (={workdir}) was made with another config: "
            f"{', '.join(differing)}. Use the recorded values or another --workdir."
        )
    return known


def _grows(old: Any, new: Any) -> bool:
    return type(old) is type(new) is int and old < new


def keep_inside(workdir: Path) -> None:
    """Refuses a run directory in which a link could lead what is written elsewhere.

    Raises:
      UserError: naming the first link.
    """
    for folder, below, files in os.walk(workdir):
        for path in (Path(folder, name) for name in sorted(below + files)):
            if path.is_symlink():
                raise UserError(
                    f"{path} is a link, and a run keeps to its own directory; put what "
                    "it points to in its place, or use another --workdir."
                )


def read_config(workdir: Path) -> dict[str, Any]:
    """The recorded config of a run.

    Raises:
      UserError: where there is none, or it cannot be read as a JSON object.
    """
    path = workdir / CONFIG
    try:
        config = json.loads(path.read_text())
    except OSError as error:
        raise UserError(
            f"--workdir (={workdir}) has no readable {CONFIG} ({error.strerror}); name "
            "the directory of a run that train.py has started."
        ) from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); restore a copy.") from error
    if not isinstance(config, dict):
        raise UserError(f"{path} must be a JSON object; restore a copy.")
    return config


def _lock(lock: Any, workdir: Path) -> None:
    """Takes the lock, which the system releases when this process ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        raise UserError(
            f"--workdir (={workdir}) is in use by {lock.read().strip() or 'another'}; "
            "wait for it, stop it, or use another --workdir."
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    lock.flush()


def write_json(path: Path, value: Any) -> None:
    """Replaces a JSON file whole."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces a file whole: readers see the old one or the new one.

    Of several processes only the first writes.

    Raises:
      RunFailure: where it cannot be written; the old one stays.
    """
    if not processes.is_first():
        return
    partial = path.with_name(f".{path.name}.partial")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that writes to `path`, whose errors it puts into words.

    Raises:
      RunFailure: where it fails.
    """
    try:
        yield
    except OSError as error:
        raise RunFailure(
            f"{path} cannot be written: {error.strerror}; make space or change "
            "permissions, then run the same command again: it goes on from the last "
            "checkpoint, if there is one."
        ) from error
