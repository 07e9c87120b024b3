"""Prepares images: renders all pictures in threads, from where that was stopped."""

import errno
import hashlib
import json
import math
import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infogan_jax.data import threads
from infogan_jax.data.dataset import fingerprint
from infogan_jax.data.rendering import Rendered, Rules, render
from infogan_jax.data.survey import Task
from infogan_jax.errors import RunFailure, UserError

IMAGES, RECORD = "images.bin", "record.json"
ROWS, FACTS, NAMES, PRINTS = "rows.jsonl", "facts.json", "names.json", "prints.npy"
COLUMNS = ("labels", "factors")

_FLUSH_EVERY = 64  # images
_EXAMPLES = 3
_SAMPLE = 4_000_000  # pixels
_ENVIRONMENT = (errno.EMFILE, errno.ENFILE, errno.ENOENT, errno.ESTALE, errno.EIO)
"""Errors of reading that say nothing about the content of a file."""


class Block(NamedTuple):
    """The pictures of one split, before they are read.

    Attributes:
      total: how many there are.
      tasks: yields those from a place on, in order.
    """

    total: int
    tasks: Callable[[int], Iterator[Task]]


class NothingReadable(ValueError):
    """Data of which no picture can be read; `unreadable` has a line for each."""

    def __init__(self, unreadable: list[str]) -> None:
        super().__init__(unreadable)
        self.unreadable = unreadable


def render_all(
    partial: Path,
    recipe: Mapping[str, Any],
    blocks: Mapping[str, Block],
    find_facts: Callable[[], dict[str, Any]],
) -> None:
    """Renders all pictures into a directory, from where an earlier process stopped."""
    partial.mkdir(exist_ok=True)
    facts = _read_json(partial / FACTS)
    if facts is None:
        for stale in (ROWS, IMAGES):
            (partial / stale).unlink(missing_ok=True)
        facts = find_facts()
        _write_json(partial / FACTS, facts)
    rules = Rules.from_record(facts["rules"])
    totals = [block.total for block in blocks.values()]
    with (
        open(partial / IMAGES, "ab") as images,
        open(partial / ROWS, "a+b") as rows,
    ):
        written = _resume(images, rows, totals)
        done, total = written.count, sum(totals)
        work = threads.map_in_order(
            lambda task: _read(task, rules), _tasks(blocks.values(), done)
        )
        title = f"preparing {recipe['name']}"
        for task, read in threads.shown(work, title, total, done):
            line = written.add(task, read, images)
            rows.write(f"{json.dumps(line)}\n".encode())
            if len(written.prints) == 1:
                _check_space(partial, math.prod(written.shape) * total)
            if written.count % _FLUSH_EVERY == 0:
                images.flush()  # first, so that a row stands for a whole image
                rows.flush()
    if not written.prints:
        raise NothingReadable(written.unreadable)
    written.finish(partial, {"recipe": recipe, **facts}, list(blocks))


def _check_space(partial: Path, needed: int) -> None:
    free = shutil.disk_usage(partial).free
    if needed > free:
        raise OSError(
            errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} are free"
        )


def _tasks(blocks: Any, done: int) -> Iterator[Task]:
    starts = []
    for block in blocks:
        starts.append(block.tasks(min(done, block.total)) if done < block.total else ())
        done = max(0, done - block.total)
    return chain.from_iterable(starts)


def _read(task: Task, rules: Rules) -> tuple[Task, Rendered | str]:
    """Returns an image, or why it cannot be read.

    Raises:
      UserError: if it is smaller than the crop.
      RunFailure: if that is not due to its content.
    """
    try:
        return task, render(task.load(), rules, _quoted(task.name))
    except (UserError, RunFailure):
        raise
    except Exception as error:  # Pillow raises nearly anything on broken files
        if isinstance(error, OSError) and error.errno in _ENVIRONMENT:
            raise RunFailure(
                f"{task.name} cannot be read: {error.strerror}. Its folder must stay "
                "as it is while it is read; run the same command again."
            ) from error
        return task, str(error) or type(error).__name__


class _Written:
    """What has been written so far: numbers, names and changes of all images."""

    def __init__(self, totals: list[int]) -> None:
        self.count = 0  # of pictures, readable or not
        self.prints = array("Q")
        self.shape: tuple[int, ...] = ()
        self.unreadable: list[str] = []
        self._first = "one"
        self._totals = totals
        self._numbers = [0] * len(totals)
        self._labels: list[int | None] = []
        self._factors: list[Any] = []
        self._names: list[str] = []
        self._changes: dict[str, Any] = {}
        self._values = [255, 0]

    def add(self, task: Task, read: Rendered | str, images: Any) -> Any:
        """Writes one image, and returns its row as JSON."""
        if isinstance(read, str):
            row: Any = [task.name, read]
        else:
            pixels = read.pixels
            self._check_shape(pixels.shape, task.name)
            images.write(np.ascontiguousarray(pixels).tobytes())
            span = [int(pixels.min()), int(pixels.max())]
            about = [task.label, task.factors, fingerprint(pixels), span, read.done]
            row = [task.name, list(pixels.shape), *about]
        self.add_row(row)
        return row

    def add_row(self, row: Any) -> None:
        """Counts one row."""
        name, shape_or_reason, *about = row
        split, before = 0, 0
        while self.count >= before + self._totals[split]:
            before += self._totals[split]
            split += 1
        self.count += 1
        if not about:
            self.unreadable.append(f"{name}: {shape_or_reason}")
            return
        label, factors, number, span, done = about
        if not self.shape:
            self.shape, self._first = tuple(shape_or_reason), name
        self._numbers[split] += 1
        self._labels.append(label)
        self._factors.append(factors)
        self._names.append(name)
        self.prints.append(number)
        self._values = [min(self._values[0], span[0]), max(self._values[1], span[1])]
        for change, amount in done.items():
            known = self._changes.setdefault(
                change, {"count": 0, "sum": 0.0, "most": 0.0, "examples": []}
            )
            known["count"] += 1
            known["sum"] = round(known["sum"] + amount, 3)
            known["most"] = max(known["most"], amount)
            if len(known["examples"]) < _EXAMPLES:
                known["examples"].append(name)

    def _check_shape(self, shape: tuple[int, ...], name: str) -> None:
        if self.shape and shape != self.shape:
            one, other = _quoted(self._first), _quoted(name)
            (height, width, _), (tall, wide, _) = self.shape, shape
            raise UserError(
                "config.data.size (=0) keeps the images' sizes, which must be equal, "
                f"but {one} is {height} x {width} and {other} is {tall} x {wide}; "
                f"set for example --config.data.size={min(height, width)}."
            )

    def finish(self, partial: Path, record: dict[str, Any], splits: list[str]) -> None:
        """Writes everything beside the images."""
        columns = (self._labels, self._factors)
        for name, column in zip(COLUMNS, columns, strict=True):
            record[name] = None not in column
            if record[name]:
                np.save(partial / f"{name}.npy", np.asarray(column, np.int32))
        np.save(partial / PRINTS, np.frombuffer(self.prints, np.uint64))
        record["names"] = any(name != "one" for name in self._names)
        if record["names"]:
            _write_json(partial / NAMES, self._names)
        size = math.prod(self.shape)
        with open(partial / IMAGES, "rb") as images:
            digests = [_digest(images, number * size) for number in self._numbers]
        record["splits"] = {
            split: {"count": number, "sha256": digest}
            for split, number, digest in zip(
                splits, self._numbers, digests, strict=True
            )
        }
        record["shape"] = [len(self.prints), *self.shape]
        record["values"] = self._values
        record["most_pixels_use"] = _most_use(partial / IMAGES, size)
        record["changes"] = self._changes
        record["unreadable"] = self.unreadable
        _write_json(partial / RECORD, record)
        for temporary in (ROWS, FACTS):
            (partial / temporary).unlink()


def _quoted(name: str) -> str:
    return name if name == "one" else repr(name)


def _most_use(path: Path, size: int) -> list[int]:
    """Returns the levels between which 999 of 1,000 pixels of a sample lie."""
    images = np.memmap(path, np.uint8, "r").reshape(-1, size)
    sample = images[:: -(-images.size // _SAMPLE)]
    return [int(level) for level in np.quantile(sample, [0.0005, 0.9995])]


def _digest(file: Any, length: int) -> str:
    digest = hashlib.sha256()
    while length:
        part = file.read(min(length, 2**20))
        digest.update(part)
        length -= len(part)
    return digest.hexdigest()


def _resume(images: Any, rows: Any, totals: list[int]) -> _Written:
    """Reads the rows whose images are whole, and cuts off what follows."""
    written, end, size = _Written(totals), 0, 0
    available = images.seek(0, os.SEEK_END)
    rows.seek(0)
    for line in rows:
        try:
            row = json.loads(line)
            needed = size + (math.prod(row[1]) if len(row) > 2 else 0)
        except (ValueError, TypeError):
            break
        if len(row) < 2 or needed > available or not line.endswith(b"\n"):
            break
        written.add_row(row)
        size, end = needed, end + len(line)
    images.truncate(size)
    rows.truncate(end)
    return written


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(value) + "\n")
    os.replace(partial, path)
