"""Files of a run directory, each replaced whole: readers see the old or the new one."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax.data.decoding import from_pixels
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.machine import processes


def write_json(path: Path, value: Any) -> None:
    """Replaces a JSON file; raises as `write_bytes` does."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def write_png(path: Path, picture: UInt8[np.ndarray, "height width channels"]) -> None:
    """Replaces a PNG file of one or three channels; raises as `write_bytes` does."""
    content = io.BytesIO()
    from_pixels(picture).save(content, format="PNG")
    write_bytes(path, content.getvalue())


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Returns rows as lines of a CSV file; texts as by `csv_cell`.

    Numbers of float32 have seven significant digits.
    """
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return content.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return csv_cell(value)
    return f"{value:.7g}" if isinstance(value, np.float32) else value


def csv_cell(text: str) -> str:
    r"""Returns a text as a cell of a table: it is valid UTF-8, and never a formula.

    A text that a spreadsheet would execute is put behind a single quote. A byte of a
    file name that is not UTF-8 becomes `\xNN`, a surrogate that stands for no byte
    `\uNNNN`, and a carriage return `\r`.
    """
    text = NO_BYTE.sub(lambda found: rf"\u{ord(found[0]):04x}", text)
    text = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
    text = text.replace("\r", r"\r")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
FORMULA = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces a file, and makes its directory where there is none.

    Of several processes only the first writes.

    Raises:
      RunFailure: where the file cannot be written; the old one stays.
    """
    if not processes.is_first():
        return
    partial = path.with_name(f".{path.name}.partial")
    with explained_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, path)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to, which takes the place of `path` once all is written.

    Raises:
      RunFailure: where it cannot be written; an old file stays.
    """
    with _whole(path) as partial:
        yield partial
        with explained_errors(path):
            os.replace(partial, path)


@contextlib.contextmanager
def new_folder(path: Path, flag: str = "--out") -> Iterator[Path]:
    """Yields a folder to write to, which is called `path` once all is written.

    Raises:
      UserError: where there is such a file, or a folder that is not empty; nothing that
        is there is ever replaced.
      RunFailure: where it cannot be written.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UserError(
            f"{flag} (={path}) is there already and not an empty folder; name a new "
            "one, or remove it."
        )
    with _whole(path) as partial:
        with explained_errors(path):
            partial.mkdir()
        yield partial
        with explained_errors(path):
            os.replace(partial, path)


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yields a name beside `path`, and removes what is left there in the end."""
    path = path.absolute()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with explained_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
        finally:
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def explained_errors(path: Path) -> Iterator[None]:
    """Wraps code that writes to `path`; turns its errors into a line for the user.

    Raises:
      RunFailure: where the code raises an OSError.
    """
    try:
        yield
    except OSError as error:
        raise RunFailure(
            f"{path} cannot be written: {error.strerror}; make space or change "
            "permissions, then run the same command again: it goes on from the last "
            "checkpoint, if there is one."
        ) from error
