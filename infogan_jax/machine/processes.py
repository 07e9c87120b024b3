"""Processes: joining a cluster, exchanging values, and shutting down together.

Several processes, usually one a host, run the same program in lockstep on the devices
of all. Process 0 alone writes and prints. A single process pays nothing here.
"""

import atexit
import contextlib
import faulthandler
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from infogan_jax.errors import RunFailure, UserError

VARIABLES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
"""The explicit way: host:port of process 0, how many there are, and which this is."""

LAUNCHERS = ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE")
"""Variables in which srun and mpirun say how many processes they have started."""

HEARTBEAT = 15
"""Seconds of silence after which JAX ends the others, within twice that time."""

_LOST_PROCESS = re.compile(
    r"UNAVAILABLE: |Gloo |[A-Z_]+: .*(Gloo|NCCL|nccl|UNAVAILABLE|heartbeat|Barrier)",
    re.DOTALL,
)
"""How such an error begins; Gloo's has no type of its own, it is a ValueError."""


def count_in_environment() -> int:
    """Returns how many processes the environment names; 1 where it names none.

    Raises:
      UserError: where the explicit variables do not make sense.
    """
    if explicit := _explicit():
        return explicit["num_processes"]
    counts = [os.environ.get(name, "1") for name in LAUNCHERS]
    hosts = os.environ.get("TPU_WORKER_HOSTNAMES", "").count(",") + 1
    return max(hosts, *(int(count) for count in counts if count.isdecimal()))


def join_cluster() -> None:
    """Joins the other processes of a TPU pod, srun, mpirun or the explicit variables.

    It must be called before anything else asks JAX for devices, and waits for the
    others for up to five minutes. Where the environment names no other process it does
    nothing.

    Raises:
      UserError: where the explicit variables do not make sense, or a launcher does not
        say where process 0 is.
    """
    explicit, count = _explicit(), count_in_environment()
    # only the TPU's own service knows its pod, and JAX asks it
    is_tpu = (jax.config.values["jax_platforms"] or "").startswith("tpu")
    if jax.distributed.is_initialized() or (count == 1 and (explicit or not is_tpu)):
        return
    # its handler of SIGTERM would take the place of the one that saves the run
    jax.config.update("jax_enable_preemption_service", False)
    faulthandler.disable()  # JAX aborts on a lost process, and its line should be last
    try:
        jax.distributed.initialize(**explicit, heartbeat_timeout_seconds=HEARTBEAT)
    except ValueError as error:  # JAX has not found out where process 0 is
        if count > 1:
            raise UserError(
                f"the environment names {count} processes, but JAX cannot join them "
                f"({error}); set {', '.join(VARIABLES)} for each of them."
            ) from error


def _explicit() -> dict[str, Any]:
    """Returns the arguments that `VARIABLES` give; none where none of them is set."""
    address, count, index = (os.environ.get(name, "") for name in VARIABLES)
    if not address + count + index:
        return {}
    if count == "1":
        return {"num_processes": 1}
    is_whole = count.isdecimal() and index.isdecimal() and int(index) < int(count)
    if not (is_whole and address.rpartition(":")[2].isdecimal()):
        raise UserError(
            f"{VARIABLES[0]} (={address}), {VARIABLES[1]} (={count}) and "
            f"{VARIABLES[2]} (={index}) must be host:port of process 0, the number of "
            "processes, and which of them this is, from 0 on; set all or none."
        )
    return {
        "coordinator_address": address,
        "num_processes": int(count),
        "process_id": int(index),
        "cluster_detection_method": "deactivate",
    }


@contextlib.contextmanager
def in_cluster() -> Iterator[None]:
    """Joins the cluster, if there is one, for a whole program; serves as a decorator.

    A process that ends with an error does not wait for the others. They end with it: at
    once where they notice the closed connection, else after `HEARTBEAT`.

    Raises:
      RunFailure: where another process is lost.
    """
    join_cluster()
    try:
        yield
    except BaseException as error:
        atexit.register(exit_at_once, 1)
        if not is_lost_process(error):
            raise
        raise RunFailure(
            f"lost another process of the {jax.process_count()} "
            f"({str(error).splitlines()[0]}); start all of them again: the run goes on "
            "from its last checkpoint."
        ) from error


def is_lost_process(error: BaseException | None) -> bool:
    """Whether an error is what JAX raises where another process is gone."""
    is_of_jax = isinstance(error, jax.errors.JaxRuntimeError | ValueError)
    is_named = is_of_jax and _LOST_PROCESS.match(str(error)) is not None
    return jax.distributed.is_initialized() and is_named


def exit_at_once(status: int) -> None:
    """Ends a process of several without waiting for the others, which may be gone.

    A single process goes on. Process 0 waits a second first, because its end aborts the
    others before their last word.
    """
    if not jax.distributed.is_initialized():
        return
    sys.stdout.flush()
    sys.stderr.flush()
    if is_first():
        time.sleep(1)
    os._exit(status)


def is_first() -> bool:
    """Whether this process writes and prints: process 0, or the only one."""
    return not jax.distributed.is_initialized() or jax.process_index() == 0


def max_over_all(value: int) -> int:
    """Returns the largest value that any process passes; all of them must call it."""
    if not jax.distributed.is_initialized():
        return value
    return int(np.max(multihost_utils.process_allgather(np.int32(value))))


@contextlib.contextmanager
def all_succeed() -> Iterator[None]:
    """Wraps a block that must succeed in every process; all of them must enter it.

    Raises:
      RunFailure: where the block failed in another process, which prints the reason.
    """
    try:
        yield
    except Exception:
        max_over_all(1)
        raise
    if max_over_all(0):
        raise RunFailure("another process cannot go on; its own last line says why.")


def refuse_several() -> None:
    """Refuses to be one of several processes.

    Raises:
      UserError: where the environment names more than one.
    """
    if (count := count_in_environment()) > 1:
        raise UserError(
            f"the environment names {count} processes, but this program runs in one; "
            f"start it once, with {VARIABLES[1]}=1 (on a TPU pod also with "
            "JAX_PLATFORMS=cpu)."
        )
