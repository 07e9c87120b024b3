"""The run directory: who may write to it, and the record of what was asked.

A directory belongs to one config and, while it is open for training, to one run,
whose first process alone writes. Files are replaced whole, never left half written.
"""

import contextlib
import fcntl
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from infogan_jax import processes
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.validation import flatten

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
UNREADABLE = "unreadable.txt"
STATS = "stats.jsonl"
LOCK = "lock"
PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")

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


def record_environment(workdir: Path, provenance: Mapping[str, Any]) -> None:
    """Writes `environment.json`: versions, devices, commit, and the data.

    Files of the data that could not be read are listed in `unreadable.txt`, one
    `name: reason` a line, and counted in the record and in a line on stdout. Of
    several processes only the first does so.
    """
    if not processes.is_first():
        return
    data, place = dict(provenance), workdir / UNREADABLE
    place.unlink(missing_ok=True)
    if left_out := data.get("unreadable"):
        lines = "".join(f"{_printable(line)}\n" for line in left_out)
        write_bytes(place, lines.encode())
        print(f"unreadable files left out: {len(left_out)}, see {place}", flush=True)
        data["unreadable"] = len(left_out)
    write_json(workdir / ENVIRONMENT, _environment() | {"data": data})


def _printable(text: str) -> str:
    """One line that is UTF-8, whatever bytes a file name had."""
    return "".join(
        char if char.isprintable() and char != "\\" else repr(char)[1:-1]
        for char in text
    )


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


def _environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "devices": [device.device_kind for device in jax.devices()],
        "processes": jax.process_count(),
        "threads": len(os.sched_getaffinity(0))
        if sys.platform == "linux"
        else os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }


def _commit() -> str | None:
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise RunFailure(
            f"{path} cannot be written: {error.strerror}; make space or change "
            "permissions, then run the same command again."
        ) from error
