"""What TensorBoard shows of a run, written at once and by the run itself.

tensorboardX's own writer works in a thread of its own, which dies where the disk is
full and leaves the run waiting for it without end; so its events are written here.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax import processes
from infogan_jax.run_directory import writing


class Board:
    """An event file in a run directory; of several processes the first writes one."""

    def __init__(self, workdir: Path, first_step: int) -> None:
        """Opens the file; what earlier ones have after `first_step` is to be hidden."""
        self._workdir, self._writer = workdir, None
        self._summary, proto, writer = _tensorboardx()
        self._event = proto.Event
        if processes.is_first():
            with writing(workdir / "events"):
                self._writer = writer.EventsWriter(str(workdir / "events"))
            start = proto.SessionLog(status=proto.SessionLog.START)
            self._write(first_step + 1, session_log=start)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to the curve of each value.

        Raises:
          RunFailure: where it cannot be written.
        """
        for name, value in values.items():
            self._write(step, summary=self._summary.scalar(name, value))

    def picture(
        self, step: int, name: str, picture: UInt8[np.ndarray, "h w c"]
    ) -> None:
        """Adds a picture; raises as `numbers` does."""
        self._write(step, summary=self._summary.image(name, picture, dataformats="HWC"))

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            with writing(self._workdir / "events"):
                self._writer.close()

    def _write(self, step: int, **content: Any) -> None:
        if self._writer is not None:
            event = self._event(step=step, wall_time=time.time(), **content)
            with writing(self._workdir / "events"):
                self._writer.write_event(event)
                self._writer.flush()


def _tensorboardx() -> tuple[Any, Any, Any]:
    """Its modules for summaries, events and files, without torch, which it tries."""
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    from tensorboardX import event_file_writer, summary
    from tensorboardX.proto import event_pb2

    if hidden:
        del sys.modules["torch"]
    return summary, event_pb2, event_file_writer
