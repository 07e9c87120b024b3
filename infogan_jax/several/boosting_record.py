"""What is recorded of a mixture in `boost.json`, and what must stay as it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infogan_jax.errors import UserError
from infogan_jax.run.files import write_json
from infogan_jax.run.run_directory import CHECKPOINTS
from infogan_jax.version import __version__

RECORD = "boost.json"

Round = dict[str, Any]
"""What is known of one round; a round with `measures` is finished."""


def read(workdir: Path) -> dict[str, Any]:
    """Returns the content of `boost.json`.

    Raises:
      UserError: where there is none, or it is damaged.
    """
    path = workdir / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        if not {"rounds", "options"} <= set(record):
            raise ValueError("it has no rounds")
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); name the directory that `infogan boost` "
            "has written, or restore a copy."
        ) from error
    return record


def write(
    workdir: Path, name: str, options: Mapping[str, Any], rounds: list[Round]
) -> None:
    """Replaces `boost.json`.

    Args:
      workdir: where it goes.
      name: of the config.
      options: what decides the mixture besides the config.
      rounds: what is known of each.
    """
    about = {"name": name, "version": __version__, "options": dict(options)}
    write_json(workdir / RECORD, about | {"rounds": rounds})


def known_rounds(
    workdir: Path,
    recorded: Mapping[str, Any] | None,
    steps: int,
    options: Mapping[str, Any],
) -> list[Round]:
    """Returns the rounds of an earlier call, the last of them possibly unfinished.

    Args:
      workdir: of the mixture.
      recorded: the config of the earlier call; None where there was none.
      steps: of each component now.
      options: as in `write`, now.

    Raises:
      UserError: where it had other options or fewer steps, or was a run by itself.
    """
    place = f"--workdir (={workdir})"
    before = recorded["training"]["steps"] if recorded else steps
    if before != steps:
        raise UserError(
            f"config.training.steps (={steps}) must stay {before}, as recorded in "
            f"{place}: later components rest on the earlier ones as they are; use the "
            "recorded value, or another --workdir."
        )
    if not (workdir / RECORD).exists():
        if (workdir / CHECKPOINTS).exists():
            raise UserError(
                f"{place} is a run by itself; name a new or empty directory for the "
                "runs of a mixture."
            )
        return []
    record = read(workdir)
    for name, value in options.items():
        if record["options"].get(name) != value:
            raise UserError(
                f"--{name} (={value}) must stay {record['options'].get(name)}, as "
                f"recorded in {place}; use the recorded value, or another --workdir."
            )
    rounds: list[Round] = record["rounds"]
    return rounds
