"""TensorBoard events of a run, written at once and by the run's own thread.

The writer of tensorboardX works in a thread of its own. Where the disk is full that
thread dies, and the run waits for it without end. So only its file format is used.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax.machine import processes
from infogan_jax.run.files import explained_errors


class TensorBoard:
    """An event file in a run directory; of several processes the first writes it."""

    def __init__(self, workdir: Path, first_step: int) -> None:
        """Opens the file and hides what earlier files have after `first_step`."""
        self._workdir, self._writer = workdir, None
        self._summary, proto, writer = _tensorboardx()
        self._event = proto.Event
        if processes.is_first():
            with explained_errors(workdir / "events"):
                self._writer = writer.EventsWriter(str(workdir / "events"))
            start = proto.SessionLog(status=proto.SessionLog.START)
            self._write(first_step + 1, session_log=start)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to the curve of each value.

        Raises:
          RunFailure: where the file cannot be written.
        """
        for name, value in values.items():
            self._write(step, summary=self._summary.scalar(name, value))

    def image(
        self, step: int, name: str, picture: UInt8[np.ndarray, "height width channels"]
    ) -> None:
        """Adds a picture; raises as `scalars` does."""
        self._write(step, summary=self._summary.image(name, picture, dataformats="HWC"))

    def close(self) -> None:
        """Closes the file; raises as `scalars` does."""
        if self._writer is not None:
            with explained_errors(self._workdir / "events"):
                self._writer.close()

    def _write(self, step: int, **content: Any) -> None:
        if self._writer is not None:
            event = self._event(step=step, wall_time=time.time(), **content)
            with explained_errors(self._workdir / "events"):
                self._writer.write_event(event)
                self._writer.flush()


def _tensorboardx() -> tuple[Any, Any, Any]:
    """Imports tensorboardX for summaries, events and files, but not torch with it."""
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    from tensorboardX import event_file_writer, summary
    from tensorboardX.proto import event_pb2

    if hidden:
        del sys.modules["torch"]
    return summary, event_pb2, event_file_writer
