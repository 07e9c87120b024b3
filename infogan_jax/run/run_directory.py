"""The run directory: its recorded config, and the lock of the run that writes to it.

A directory belongs to one config. While it is open for training it belongs to one
run, of whose processes only the first writes.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
from flax.traverse_util import flatten_dict

from infogan_jax.errors import UserError
from infogan_jax.machine import processes
from infogan_jax.run import data_record
from infogan_jax.run.files import write_json

CONFIG = "config.json"
LOCK = "lock"
STATS = "stats.jsonl"
CHECKPOINTS = "checkpoints"
PICTURES = "pictures"
EVALUATION = "evaluation"
EVALUATION_RECORD = "evaluation.json"

ORIGIN = "init_from.json"
"""The run whose parameters this one began with, where it did not begin at random."""

LABELS = "labels.json"
"""The training images whose labels training uses, where it uses any."""

EXTENDABLE = "training.steps"
"""The one field that may grow from one call to the next: a run can be prolonged."""

Defaults = Mapping[str, Any] | None
"""Fields of a config by dotted names."""

FREE = "training.trackers"
"""A field that may change from call to call: the run is the same."""

PLACE = "data.directory"
"""The field that may differ where the run has recorded its data and knows it again."""


@contextlib.contextmanager
def open_for_training(
    workdir: Path, config: Mapping[str, Any], defaults: Defaults = None
) -> Iterator[Path]:
    """Opens a new or known run directory for one training run.

    Of several processes the first locks it; the others check that they see it. The
    defaults stand for fields that the recorded config is too old to have.

    Raises:
      UserError: where the directory cannot be written, holds something else,
        belongs to another config, is in use, or is not shared by all processes.
    """
    with contextlib.ExitStack() as stack:
        with processes.all_succeed():
            if processes.is_first():
                stack.enter_context(_locked(workdir, config, defaults))
        with processes.all_succeed():
            if not (workdir / CONFIG).exists():
                raise UserError(
                    f"--workdir (={workdir}) of process {jax.process_index()} is not "
                    "that of process 0; name a directory that all processes share."
                )
        yield workdir


@contextlib.contextmanager
def _locked(
    workdir: Path, config: Mapping[str, Any], defaults: Defaults
) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            check(workdir, config, defaults)  # before anything is written to it
            workdir.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(workdir / LOCK, "a+"))
        except OSError as error:
            raise UserError(
                f"--workdir (={workdir}) cannot be written: {error.strerror}; choose "
                "another or change its permissions."
            ) from error
        _lock(lock, workdir)
        known = check(workdir, config, defaults)  # another run may have come first
        if known != dict(config):
            write_json(workdir / CONFIG, config)
        yield


def check(
    workdir: Path, config: Mapping[str, Any], defaults: Defaults = None
) -> dict[str, Any] | None:
    """Returns the recorded config, or None for a new directory; writes nothing.

    The defaults are as in `open_for_training`.

    Raises:
      UserError: where the directory holds something else or belongs to another config.
    """
    if workdir.exists() and not workdir.is_dir():
        raise UserError(f"--workdir (={workdir}) is a file; name a directory.")
    if not (workdir / CONFIG).exists():
        if workdir.is_dir() and set(os.listdir(workdir)) - {LOCK, f".{CONFIG}.partial"}:
            raise UserError(
                f"--workdir (={workdir}) holds other files and no {CONFIG}; name a new "
                "or empty directory."
            )
        return None
    known = read_config(workdir)
    refuse_links(workdir)
    old, new = (flatten_dict(dict(each), sep=".") for each in (known, config))
    old = {**(defaults or {}), **old}
    differing = [
        f"{name} (recorded {old.get(name)!r}, now {new.get(name)!r})"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
        and name != FREE
        and not (name == EXTENDABLE and _grows(old.get(name), new[name]))
        and not (name == PLACE and data_record.is_recorded(workdir))
    ]
    if differing:
        raise UserError(
            f"--workdir (={workdir}) was made with another config: "
            f"{', '.join(differing)}. Use the recorded values or another --workdir"
            f"{_offer(workdir, differing)}."
        )
    return known


def _offer(workdir: Path, differing: Sequence[str]) -> str:
    """Returns the way to train on with another config, where the networks fit."""
    is_model = any(text.startswith(("networks.", "latents.")) for text in differing)
    if is_model or not any((workdir / CHECKPOINTS).glob("[0-9]*")):
        return ""
    return f"; with another one, --init_from={workdir} begins with these parameters"


def _grows(old: Any, new: Any) -> bool:
    return type(old) is type(new) is int and old < new


def refuse_links(workdir: Path) -> None:
    """Refuses a run directory with a link, through which files would go elsewhere.

    `checkpoints` may be a link to another disk: to a directory that is the user's own
    and holds nothing but checkpoints.

    Raises:
      UserError: naming the first link.
    """
    own = workdir / CHECKPOINTS
    places = [workdir, own] if _leads_to_checkpoints(own) else [workdir]
    for folder, below, files in (each for place in places for each in os.walk(place)):
        for path in (Path(folder, name) for name in sorted(below + files)):
            if path.is_symlink() and path not in places:
                raise UserError(
                    f"{path} is a link, through which files would go elsewhere; "
                    "put a copy of what it points to in its place, or use another "
                    "--workdir."
                )


def _leads_to_checkpoints(link: Path) -> bool:
    if not link.is_symlink() or not link.is_dir():
        return False
    owners = {link.lstat().st_uid, link.stat().st_uid}
    steps = (name.split(".")[0] for name in os.listdir(link))
    return owners == {os.getuid()} and all(step.isdigit() for step in steps)


def read_config(workdir: Path) -> dict[str, Any]:
    """Returns the recorded config of a run.

    Raises:
      UserError: where there is none, or it cannot be read as a JSON object.
    """
    return _read_json(workdir, CONFIG)


def read_origin(workdir: Path) -> dict[str, Any]:
    """Returns what is recorded of the run that this one began with; often nothing.

    Raises:
      UserError: where the record cannot be read as a JSON object.
    """
    return _read_json(workdir, ORIGIN) if (workdir / ORIGIN).exists() else {}


def _read_json(workdir: Path, name: str) -> dict[str, Any]:
    path = workdir / name
    try:
        config = json.loads(path.read_text())
    except OSError as error:
        raise UserError(
            f"--workdir (={workdir}) has no readable {name} ({error.strerror}); name "
            "the directory of a run."
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
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise UserError(
                f"--workdir (={workdir}) is on a file system that cannot lock files "
                f"({error.strerror}); use a --workdir on another one."
            ) from error
        lock.seek(0)
        raise UserError(
            f"--workdir (={workdir}) is in use by {lock.read().strip() or 'another'}; "
            "wait for it, stop it, or use another --workdir."
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    lock.flush()
