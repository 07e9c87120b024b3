"""Checkpoints that are known to be whole: orbax with a digest for every array.

Orbax alone restores some damaged files without a word. So each checkpoint holds the
SHA-256 of every array of the state. Restoring compares them and falls back to the
checkpoint before. A checkpoint is arrays and JSON: nothing in it is executed. Several
processes save and restore together, in a directory that all of them see.
"""

import contextlib
import errno
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from infogan_jax.errors import Diverged, RunFailure, UserError
from infogan_jax.game.state import TrainState
from infogan_jax.machine import processes

KEPT = 3
"""Checkpoints that stay on the disk: the newest ones."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides orbax's warnings that a directory is opened to be read, as was asked."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        logger.setLevel(level)


class _Manager(ocp.CheckpointManager):
    """Leaves preemption to `run.signals`.

    Some versions of orbax ask JAX's preemption service, which `machine.processes`
    switches off, and take its absence for an error.
    """

    def reached_preemption(self, step: int) -> bool:
        return False


class Checkpoints:
    """The checkpoints of one run, saved in the background; a context manager."""

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        """Opens `directory`, and makes it unless `read_only`."""
        self._directory = directory
        with _quiet():
            self._manager = _Manager(
                directory.absolute(),
                options=ocp.CheckpointManagerOptions(
                    create=not read_only,
                    read_only=read_only,
                    preservation_policy=checkpoint_managers.LatestN(KEPT),
                ),
            )
        self._read_only = read_only

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: Any, value: BaseException | None, trace: Any) -> None:
        if processes.is_lost_process(value) or isinstance(value, KeyboardInterrupt):
            return  # a lost process would never acknowledge a save
        with self._writing() if value is None else contextlib.suppress(Exception):
            self._manager.close()

    def save(self, state: TrainState) -> None:
        """Saves the state under its own step; returns while it is being written.

        Raises:
          Diverged: where an array is not finite; nothing is saved.
          RunFailure: where this checkpoint or the one before cannot be written; those
            already there stay.
        """
        step = int(state.step)
        arrays = _arrays(state)
        for name, array in arrays.items():
            if not np.all(np.isfinite(array)):
                raise Diverged(
                    f"{name} is not finite at step {step}; nothing was saved. The last "
                    "checkpoint is intact: try a smaller learning rate or lambda, or a "
                    "larger config.latents.sd_floor."
                )
        with self._writing():
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    digests=ocp.args.JsonSave(_digests(arrays)),
                ),
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Raises a RunFailure for any error of orbax.

        Errors of a background save are raised by the next call.
        """
        try:
            yield
        except Exception as error:
            if processes.is_lost_process(error):
                raise
            full = os.strerror(errno.ENOSPC)
            reason = full if full in str(error) else str(error).partition("\n")[0]
            raise RunFailure(
                f"a checkpoint in {self._directory} cannot be written: {reason}; those "
                "before are intact. Make space or change permissions, then run the "
                "same command again: it goes on from the last of them."
            ) from error

    def restore_newest(self, like: TrainState) -> TrainState | None:
        """Returns the newest checkpoint that is whole, or None if there is none at all.

        Damaged ones are skipped with a warning. Unless `read_only` they are removed
        once an older one has proved to be whole.

        Args:
          like: the shapes, types and shardings to restore into; arrays, or what
            describes them.

        Raises:
          UserError: where there are checkpoints and every one is damaged.
        """
        damaged: list[tuple[int, str]] = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            state, fault = self._restore(step, like)
            if processes.max_over_all(int(state is None)):
                damaged.append((step, fault or "another process cannot read it"))
                continue
            self._skip(damaged, step)
            return state
        if damaged:
            raise UserError(
                f"every checkpoint in {self._directory} is damaged: "
                + "; ".join(f"{step}: {reason}" for step, reason in damaged)
                + ". Nothing was changed; restore a copy or use another --workdir."
            )
        return None

    def _skip(self, damaged: list[tuple[int, str]], whole: int) -> None:
        for step, reason in damaged:
            if processes.is_first():
                logging.warning(
                    "checkpoint %d is damaged (%s); using %d.", step, reason, whole
                )
            if not self._read_only:
                self._manager.delete(step)

    def _restore(self, step: int, like: TrainState) -> tuple[TrainState | None, str]:
        try:
            restored = self._manager.restore(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(like),
                    digests=ocp.args.JsonRestore(),
                ),
            )
        except Exception as error:  # orbax raises many kinds for a damaged file
            return None, f"{type(error).__name__} while reading"
        found = _digests(_arrays(restored.state))
        wrong = [name for name in found if found[name] != restored.digests.get(name)]
        if wrong or len(found) != len(restored.digests):
            return None, f"digest of {wrong[0] if wrong else 'its arrays'} differs"
        return restored.state, ""


def _arrays(state: TrainState) -> dict[str, np.ndarray]:
    """Returns every array in host memory by its path, replicated ones once."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(
            leaf.addressable_data(0)
        )
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    }


def _digests(arrays: dict[str, np.ndarray]) -> dict[str, str]:
    """Returns the SHA-256 of the type, shape and bytes of each array."""
    digests = {}
    for name, array in arrays.items():
        header = f"{array.dtype.str}{array.shape}".encode()
        digests[name] = hashlib.sha256(header + array.tobytes()).hexdigest()
    return digests
