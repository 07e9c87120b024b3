"""Experiment trackers beside TensorBoard, through their own clients, where asked for.

Where and how a tracker keeps a run is its user's choice: `WANDB_MODE`, `WANDB_PROJECT`,
`MLFLOW_TRACKING_URI` and so on are read by the clients themselves. A tracker that fails
is named once and left out from then on; the run goes on.
"""

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict
from jaxtyping import UInt8

from infogan_jax.errors import UserError
from infogan_jax.machine import processes
from infogan_jax.run.files import write_json
from infogan_jax.run.tracker_names import parse_trackers

PROJECT = "infogan-jax"
RECORD = "trackers.json"
"""The identity of a run by tracker, under which a later call goes on."""


@dataclass(frozen=True)
class Tracker:
    """The client of a tracker, for one run.

    Attributes:
      name: of the tracker.
      scalars: adds numbers by name at a step.
      image: adds a picture, bytes [height, width, channels], by name at a step.
      close: ends the run.
    """

    name: str
    scalars: Callable[[int, Mapping[str, float]], None]
    image: Callable[[int, str, UInt8[np.ndarray, "height width channels"]], None]
    close: Callable[[], None]


class Trackers:
    """The trackers of one run; of several processes the first alone has any."""

    def __init__(self, trackers: Sequence[Tracker], say: Callable[[str], None]) -> None:
        self._trackers, self._say = list(trackers), say

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds numbers to all trackers."""
        self._each(lambda tracker: tracker.scalars(step, values))

    def image(
        self, step: int, name: str, picture: UInt8[np.ndarray, "height width channels"]
    ) -> None:
        """Adds a picture to all trackers."""
        self._each(lambda tracker: tracker.image(step, name, picture))

    def close(self) -> None:
        """Ends the run in all trackers."""
        self._each(lambda tracker: tracker.close())

    def _each(self, act: Callable[[Tracker], None]) -> None:
        for tracker in list(self._trackers):
            try:
                act(tracker)
            except Exception as error:  # any of a client's, such as of its network
                self._trackers.remove(tracker)
                reason = str(error).partition("\n")[0]
                self._say(f"warning: {tracker.name} is left out: {reason}.")


def check_installed(text: str) -> None:
    """Checks that the clients of all trackers are there.

    Raises:
      UserError: naming the first package that is not.
    """
    for name in parse_trackers(text):
        if find_spec(name) is None:
            raise UserError(
                f"config.training.trackers (={text}) needs the package {name}; install "
                "it with pip, or leave it out: TensorBoard and stats.jsonl are always "
                "written."
            )


def start(
    text: str, workdir: Path, config: Mapping[str, Any], say: Callable[[str], None]
) -> Trackers:
    """Starts a run in each tracker, or goes on with that of an earlier call.

    Args:
      text: names with commas between; "" starts none.
      workdir: of the run, whose name the trackers show.
      config: the nested config, which they show too.
      say: shows a line to the user.

    Raises:
      RunFailure: where the identities cannot be written.
    """
    names = parse_trackers(text) if processes.is_first() else []
    found: list[Tracker] = []
    known = _read(workdir / RECORD)
    for name in names:
        open_ = {"wandb": _wandb, "mlflow": _mlflow}[name]
        try:
            tracker, identity = open_(workdir, config, known.get(name))
        except Exception as error:  # as above
            reason = str(error).partition("\n")[0]
            say(f"warning: {name} is left out: {reason}.")
            continue
        found.append(tracker)
        known[name] = identity
    if names:
        write_json(workdir / RECORD, known)
    return Trackers(found, say)


def _read(path: Path) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text())
        if isinstance(known, dict):
            return {name: value for name, value in known.items() if type(value) is str}
    return {}


def _wandb(
    workdir: Path, config: Mapping[str, Any], identity: str | None
) -> tuple[Tracker, str]:
    wandb = import_module("wandb")
    identity = identity or uuid.uuid4().hex[:8]
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        id=identity,
        name=workdir.name,
        dir=str(workdir),
        config=dict(config),
        resume="allow",
        reinit="create_new",
        settings=wandb.Settings(silent=True, console="off"),
    )
    return (
        Tracker(
            "wandb",
            lambda step, values: run.log(dict(values), step=step),
            lambda step, name, picture: run.log(
                {f"pictures/{name}": wandb.Image(picture)}, step=step
            ),
            run.finish,
        ),
        identity,
    )


def _mlflow(
    workdir: Path, config: Mapping[str, Any], identity: str | None
) -> tuple[Tracker, str]:
    mlflow = import_module("mlflow")
    client = mlflow.MlflowClient()
    if identity is None:
        identity = _new_mlflow_run(client, workdir.name, config)
    else:
        client.update_run(identity, status="RUNNING")
    run: str = identity

    def scalars(step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            client.log_metric(run, name, value, step=step)

    def image(step: int, name: str, picture: np.ndarray) -> None:
        pixels = picture[..., 0] if picture.shape[-1] == 1 else picture
        client.log_image(run, pixels, f"pictures/{name}_{step:07d}.png")

    return Tracker("mlflow", scalars, image, lambda: client.set_terminated(run)), run


def _new_mlflow_run(client: Any, name: str, config: Mapping[str, Any]) -> str:
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    found = client.get_experiment_by_name(experiment)
    place = found.experiment_id if found else client.create_experiment(experiment)
    run: str = client.create_run(place, run_name=name).info.run_id
    for key, value in flatten_dict(dict(config), sep=".").items():
        client.log_param(run, key, value)
    return run
