"""How a signal stops a run: after the step at hand, with the state saved."""

import signal
from types import FrameType
from typing import Any

import jax

from infogan_jax.machine import processes


class StopRequest:
    """Catches SIGINT and SIGTERM, so that a run can finish its step and save.

    A context manager. A second SIGINT raises KeyboardInterrupt at once.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *error: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.signal == signal.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number

    def stops_here(self, is_due: bool) -> bool:
        """Returns whether the run stops here; every process gets the same answer.

        Several processes compare their signals only where `is_due`, because that makes
        them wait for each other. A signal to one process then stops all.
        """
        if is_due or not jax.distributed.is_initialized():
            self.signal = processes.max_over_all(self.signal or 0) or None
            return self.signal is not None
        return False

    @property
    def status(self) -> int:
        """The exit status of the program: 130 after SIGINT, else 0."""
        return 130 if self.signal == signal.SIGINT else 0
