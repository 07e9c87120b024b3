"""Memory: an estimate of what training needs, and how much there is."""

import math
from collections.abc import Sequence
from pathlib import Path

import jax

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import state_shapes
from infogan_jax.model import notation
from infogan_jax.model.layers import Layer

GIB = 2**30
_FLOAT = 4


def estimate(algorithm: Algorithm, batch_size: int, resident: int) -> int:
    """Estimates the bytes that training needs on a device, right to a factor of 2.

    It adds up, from shapes alone, the images that lie there, the state before and after
    a step, and the activations that the larger of the two players' passes keeps for its
    gradient. Nothing is compiled.

    Args:
      algorithm: networks, codes and switches.
      batch_size: images of a batch on one device.
      resident: bytes of images that lie on the device.
    """
    state = sum(
        leaf.size * leaf.dtype.itemsize
        for leaf in jax.tree.leaves(state_shapes(algorithm))
    )
    nets = algorithm.nets
    generating = _kept(nets.generator.layers, (nets.input_size,))
    q_layers = nets.recognition.layers if nets.recognition else ()
    discriminating = _kept(
        (*nets.discriminator.trunk.layers, *q_layers), nets.image_shape
    )
    batches = 3 if algorithm.real_information.is_on else 2
    kept = max(batches * discriminating, generating + discriminating)
    return resident + 2 * state + batch_size * _FLOAT * kept


def _kept(layers: Sequence[Layer], shape: tuple[int, ...]) -> int:
    """Counts the numbers that a pass keeps per image: sums, normalised, activated."""
    kept = 0
    for layer in layers:
        shape = notation.follow((layer,), shape, "layers")
        kept += math.prod(shape) * (2 + layer.norm)
    return kept


def available(device: jax.Device) -> int | None:
    """Returns the bytes that a device can give to this process; None if unknown.

    On a CPU this is what the machine can free at once, its cache of files included, or
    what the limit of a container leaves; elsewhere it is the device's limit.
    """
    if device.platform != "cpu":
        known = device.memory_stats() or {}
        return known.get("bytes_limit")
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    free = [int(kibibytes) * 1024 for kibibytes in found]
    return min(free + _left_in_container(), default=None)


CONTAINER = Path("/sys/fs/cgroup")


def _left_in_container() -> list[int]:
    """Returns the bytes that a container's limit leaves; nothing without a limit."""
    try:
        limit, used = (
            int((CONTAINER / f"memory.{name}").read_text())
            for name in ("max", "current")
        )
    except (OSError, ValueError):  # no container, or its limit is the word "max"
        return []
    return [max(limit - used, 0)]
