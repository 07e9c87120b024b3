"""Devices: the mesh, where arrays lie on it, and the step mapped over it.

State and data are replicated; batches are split over the axis `data`. No other module
makes a mesh or a sharding. The mesh covers the devices of all processes, and each
process sends arrays to its own devices.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Int

from infogan_jax.errors import UserError
from infogan_jax.machine import compilation

AXIS = "data"

Step = Callable[[Any, Array, str | None], tuple[Any, Any]]
Fetch = Callable[[Any, Array], Array]


def all_devices() -> list[jax.Device]:
    """Returns the devices of all processes.

    Raises:
      UserError: where JAX_PLATFORMS names a platform that this machine does not have.
    """
    asked = jax.config.values["jax_platforms"]
    try:
        return jax.devices()
    except (RuntimeError, AssertionError) as error:
        if not asked:
            raise
        jax.config.update("jax_platforms", None)
        there = sorted({jax.default_backend(), "cpu"})
        raise UserError(
            f"JAX_PLATFORMS (={asked}) must name platforms of this machine, which has "
            f"{' and '.join(there)}; set JAX_PLATFORMS={there[-1]}, or unset it."
        ) from error


def make_mesh(
    batch_size: int | None = None, devices: Sequence[jax.Device] | None = None
) -> Mesh:
    """Returns a mesh of all devices (or the given ones) on one axis.

    Raises:
      UserError: where `batch_size` cannot be split evenly over them.
    """
    devices = all_devices() if devices is None else devices
    if batch_size is not None and batch_size % len(devices):
        lower = batch_size // len(devices) * len(devices)
        tries = " or ".join(str(n) for n in (lower, lower + len(devices)) if n > 0)
        raise UserError(
            f"config.data.batch_size (={batch_size}) must be divisible by the number "
            f"of devices (={len(devices)}); try {tries}."
        )
    return jax.make_mesh(
        (len(devices),), (AXIS,), axis_types=(AxisType.Auto,), devices=devices
    )


def replicate(mesh: Mesh, tree: Any) -> Any:
    """Puts a copy of every array on every device.

    Every process passes the same arrays and sends them to its own devices.
    """
    sharding = NamedSharding(mesh, P())
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, a, a.shape), tree
    )


def replicated_shapes(mesh: Mesh, shapes: Any) -> Any:
    """Returns the shapes and shardings that `replicate` gives, to restore into."""
    sharding = NamedSharding(mesh, P())
    return jax.tree.map(
        lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=sharding), shapes
    )


def local_copy(tree: Any) -> Any:
    """Returns replicated arrays on one device, to compute without other processes."""
    return jax.tree.map(lambda array: array.addressable_data(0), tree)


def local_rows(mesh: Mesh, batch_size: int) -> Int[np.ndarray, "rows"]:
    """Returns the rows of a batch that this process's devices work on, ascending."""
    sharding = NamedSharding(mesh, P(AXIS))
    parts = sharding.addressable_devices_indices_map((batch_size,)).values()
    return np.sort(np.concatenate([np.arange(batch_size)[part] for part in parts]))


def split_batches(mesh: Mesh, batches: np.ndarray) -> Array:
    """Puts [steps, batch, ...] on the devices, each with its share of every batch.

    Args:
      mesh: of one axis.
      batches: [steps, rows, ...], the `local_rows` of this process alone.
    """
    return jax.make_array_from_process_local_data(
        NamedSharding(mesh, P(None, AXIS)), batches
    )


def map_steps(step: Step, fetch: Fetch, mesh: Mesh) -> Callable[..., Any]:
    """Compiles many steps into one program over all devices of the mesh.

    Args:
      step: (state, images, axis) -> (state, metrics), per device; its results
        must be equal on all devices. Where there is one alone, the axis is None.
      fetch: (data, batch) -> images of one step.
      mesh: of one axis.

    Returns:
      A function of (state, data, batches [steps, batch, ...]) that donates the
      state and returns the next one with metrics [steps].
    """
    axis = AXIS if mesh.size > 1 else None

    def many(state: Any, data: Any, batches: Array) -> tuple[Any, Any]:
        return lax.scan(
            lambda state, batch: step(state, fetch(data, batch), axis), state, batches
        )

    if axis is not None:
        many = jax.shard_map(
            many, mesh=mesh, in_specs=(P(), P(), P(None, AXIS)), out_specs=(P(), P())
        )
    return compilation.jit_loop(many, donate_argnums=0)
