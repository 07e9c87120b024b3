"""How a signal stops a run: after the step at hand, with the state saved."""

import signal
import sys
from types import FrameType
from typing import Any

import jax

from infogan_jax.machine import processes
from infogan_jax.machine.streams import reader_gone

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a closed terminal."""


class StopRequest:
    """Catches the signals in `STOPPING`, so that a run can finish its step and save.

    Output that nobody reads any more counts as SIGPIPE.

    A context manager. A second SIGINT raises KeyboardInterrupt at once. SIGHUP is left
    alone where it is ignored, as under nohup.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        for number in STOPPING:
            is_nohup = number == signal.SIGHUP and (
                signal.getsignal(number) == signal.SIG_IGN
            )
            if is_nohup:
                continue
            self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *error: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.signal == signal.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            sys.stderr.write("\nstopping after the steps at hand; ctrl-C again: now\n")
        self.signal = number

    def stops_here(self, is_due: bool) -> bool:
        """Returns whether the run stops here; every process gets the same answer.

        Several processes compare their signals only where `is_due`, because that makes
        them wait for each other. A signal to one process then stops all.
        """
        if reader_gone.is_set():
            self.signal = self.signal or signal.SIGPIPE
        if is_due or not jax.distributed.is_initialized():
            agreed = processes.max_over_all(self.signal or 0)
            self.signal = max(self.signal or 0, agreed) or None  # one may have come
            return agreed > 0
        return False

    @property
    def status(self) -> int:
        """The exit status: 128 and the number of the signal, such as 130; else 0."""
        return 128 + self.signal if self.signal else 0
