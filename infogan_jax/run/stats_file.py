"""The file `stats.jsonl` of a run: one line of numbers for each log step."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infogan_jax.errors import RunFailure
from infogan_jax.machine import processes
from infogan_jax.run.files import explained_errors, write_bytes

Line = dict[str, float]


class StatsFile:
    """`stats.jsonl` while a run adds to it; of several processes the first writes it.

    Attributes:
      lines: all of them, in the order of their steps.
    """

    def __init__(self, path: Path, last_step: int) -> None:
        """Opens the file and drops lines that are newer than `last_step`, or torn."""
        self._path = path
        self.lines = [line for line in read_stats(path) if line["step"] <= last_step]
        if path.exists():
            kept = "".join(json.dumps(line) + "\n" for line in self.lines)
            write_bytes(path, kept.encode())
        with explained_errors(self._path):
            self._file = open(path if processes.is_first() else os.devnull, "a")

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a line, in seven significant digits, which is on the disk at once.

        Raises:
          RunFailure: where it cannot be written.
        """
        line = {"step": step} | {name: float(f"{v:.7g}") for name, v in values.items()}
        with explained_errors(self._path):
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        self.lines.append(line)

    def check_place(self) -> None:
        """Checks that the directory of the file is still where it was.

        Raises:
          RunFailure: where it was moved or removed; nothing is written in its place.
        """
        if not processes.is_first():
            return
        try:
            now = os.stat(self._path)
        except OSError:
            now = None
        if now is None or not os.path.samestat(now, os.fstat(self._file.fileno())):
            raise RunFailure(
                f"--workdir (={self._path.parent}) was moved or removed while the run "
                "went on, and nothing more is written; name its new place with "
                "--workdir: it goes on from its last checkpoint."
            )

    def close(self) -> None:
        """Closes the file; a line that could not be written is given up."""
        with contextlib.suppress(OSError):
            self._file.close()


def read_stats(path: Path) -> list[Line]:
    """Returns the lines up to the first torn one; none where there is no file."""
    try:
        texts = path.read_bytes().splitlines()
    except OSError:
        return []
    lines: list[Line] = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:  # torn by the end of a process
            break
        if not _is_line(line):
            break
        lines.append(line)
    return lines


def _is_line(line: Any) -> bool:
    return (
        isinstance(line, dict)
        and type(line.get("step")) is int
        and all(type(value) in (int, float) for value in line.values())
    )
