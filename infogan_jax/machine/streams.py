"""Standard output and error that may end before the program does."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

reader_gone = threading.Event()
"""Set where nobody reads standard output or error any more.

A run then stops as after SIGPIPE. The signal itself is left alone: the system sends it
for any connection that breaks, also for one that has nothing to do with the output.
"""


class LastingStream:
    """Standard output or error that may be closed at its other end: no more is written.

    So a run is not lost with the terminal or the pipe that showed it. Where the reader
    of a pipe has gone, `reader_gone` is set, and `StopRequest` decides.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text, or drops it."""
        return self._try(lambda: self._stream.write(text), len(text))

    def flush(self) -> None:
        """Writes what is held back, or drops it."""
        self._try(self._stream.flush, None)

    def _try(self, write: Callable[[], Any], instead: Any) -> Any:
        try:
            return write()
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                reader_gone.set()
            with contextlib.suppress(OSError):
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, self._stream.fileno())
                os.close(nothing)
            return instead


def keep_streams() -> None:
    """Makes the end of standard output or error no error, also where they are closed.

    A file opened in the place of a closed stream would get the messages.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")
        setattr(sys, name, LastingStream(stream))


LOOP_ERRORS = ("Event loop is closed", "has no attribute '_ssock'")
"""What asyncio's loops raise at their end: of one that was closed before, and of one
that was never whole, for want of a file handle."""


def hide_dropped_reads() -> None:
    """Hides the errors of reads that orbax has dropped and of its loops, and no others.

    Where one read of a damaged checkpoint fails, orbax drops the others. They end later
    in threads of its own, and Python would print thousands of lines about them. The
    error that made orbax drop them is raised all the same.
    """
    report = sys.unraisablehook

    def report_others(raised: Any) -> None:
        code = getattr(raised.object, "cr_code", None)
        is_of_orbax = code is not None and "orbax" in Path(code.co_filename).parts
        if not is_of_orbax and not any(s in str(raised.exc_value) for s in LOOP_ERRORS):
            report(raised)

    sys.unraisablehook = report_others
