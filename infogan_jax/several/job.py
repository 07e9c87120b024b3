"""One of several runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Job(NamedTuple):
    """A run to train.

    Attributes:
      label: what it is called in front of its lines, such as `seed 3`.
      config: as in `configs/`, nested.
      workdir: its run directory: new, empty, or of an earlier call.
    """

    label: str
    config: Mapping[str, Any]
    workdir: Path


Failures = dict[str, str]
"""Why a job failed, by its label."""
