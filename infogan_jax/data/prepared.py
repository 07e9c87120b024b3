"""Prepared images: rendered once (`preparing`), then mapped from a file.

Prepared images are a directory whose name is the hash of their recipe, in the user's
cache directory or in `config.data.cache`. They are written to `<key>.partial` and then
renamed, so that they are whole or not there. One process at a time prepares a recipe;
others wait for it. Where a process was killed the next one goes on. Partial
directories that nobody went on with for a week are removed. Images with a missing or
truncated file are prepared again.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infogan_jax.data.dataset import Request, Split
from infogan_jax.data.held_out import take_rows
from infogan_jax.data.preparing import (
    COLUMNS,
    IMAGES,
    NAMES,
    PRINTS,
    RECORD,
    Block,
    NothingReadable,
    render_all,
)
from infogan_jax.errors import RunFailure, UserError

FOLDER = "prepared"
VERSION = 2
"""Of the rules in `rendering` and of the files here: a part of every recipe."""

_WEEK = 7 * 24 * 3600  # seconds


def prepare(
    request: Request,
    recipe: Mapping[str, Any],
    blocks: Mapping[str, Block],
    find_facts: Callable[[], dict[str, Any]],
    check_source: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Split], dict[str, Any]]:
    """Returns the splits of a recipe, and prepares them first if that was never done.

    Args:
      request: names the cache.
      recipe: everything that the images depend on, as JSON, with a `name`.
      blocks: the pictures, by the name of their split.
      find_facts: returns JSON with `rules`, to render the pictures by, as
        `survey.survey` does; called only if needed.
      check_source: raises an error if the pictures have changed since the recipe was
        made; called when all of them have been read.

    Returns:
      The splits, and their record: `recipe`, facts, `shape`, `splits` (number and
      SHA-256 of the images of each), `changes`, `unreadable`, `place`.

    Raises:
      NothingReadable: if there is no readable picture.
      UserError: if the images differ in shape, or are smaller than the crop.
      RunFailure: if the cache cannot be written, or the source cannot be read.
    """
    recipe = {**recipe, "version": VERSION}
    text = json.dumps(recipe, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    parent = place(request)
    target, partial = parent / key, parent / f"{key}.partial"
    if loaded := _load(target):
        return loaded
    _check_writable(parent)
    with _lock(parent / f"{key}.lock", str(recipe["name"])):
        if loaded := _load(target):  # of another process
            return loaded
        _remove_dead(parent, partial)
        try:
            render_all(partial, recipe, blocks, find_facts)
            check_source()
            shutil.rmtree(target, ignore_errors=True)  # damaged
            with contextlib.suppress(OSError):  # said below
                os.rename(partial, target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise RunFailure(
                f"{parent} cannot hold the prepared images ({error}); make space, or "
                "set config.data.cache to a directory elsewhere."
            ) from error
        except (UserError, RunFailure, NothingReadable):
            shutil.rmtree(partial, ignore_errors=True)
            raise
    if loaded := _load(target):
        return loaded
    raise RunFailure(f"{target} cannot be put in place; remove it and start again.")


def place(request: Request) -> Path:
    """Returns the directory of all prepared images."""
    if request.cache:
        return Path(request.cache).expanduser().absolute()
    return user_cache() / FOLDER


def user_cache() -> Path:
    """Returns the user's cache directory of this package."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "infogan_jax"


def _check_writable(parent: Path) -> None:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if not parent.stat().st_mode & 0o222:
            raise PermissionError(errno.EACCES, "it is marked read-only")  # as for root
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise RunFailure(
            f"prepared images cannot be kept in {parent} ({error.strerror}); set "
            "--config.data.cache to a directory that can be written."
        ) from error


@contextlib.contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    """Waits until this process alone may prepare; the lock ends with the process."""
    waited = False
    while True:
        with open(path, "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waited:
                    text = f"waiting for another process that prepares {name}"
                    print(text, file=sys.stderr, flush=True)
                waited = True
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:  # a file system without locks
                yield
                return
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return


def _remove_dead(parent: Path, own: Path) -> None:
    for partial in parent.glob("*.partial"):
        with contextlib.suppress(OSError):
            files = [partial, *partial.iterdir()]
            newest = max(file.stat().st_mtime for file in files)
            if partial != own and time.time() - newest > _WEEK:
                with open(partial.with_suffix(".lock"), "a") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(partial)
                    partial.with_suffix(".lock").unlink()


def _load(directory: Path) -> tuple[dict[str, Split], dict[str, Any]] | None:
    """Loads prepared splits and their record; None if they are missing or damaged."""
    try:
        record = json.loads((directory / RECORD).read_text())
        shape, images = tuple(record["shape"]), directory / IMAGES
        columns = {
            name: np.load(directory / f"{name}.npy")
            for name in COLUMNS
            if record.get(name)
        }
        columns["prints"] = np.load(directory / PRINTS)
        if record["names"]:
            columns["names"] = json.loads((directory / NAMES).read_text())
        is_whole = images.stat().st_size == math.prod(shape)
        if not is_whole or any(len(each) != shape[0] for each in columns.values()):
            return None
        every = Split(np.memmap(images, np.uint8, "r", shape=shape), **columns)
        splits, start = {}, 0
        for name, split in record["splits"].items():
            splits[name] = take_rows(every, slice(start, start + split["count"]))
            start += split["count"]
        return splits, record | {"place": str(directory)}
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
