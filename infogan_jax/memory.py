"""Memory: what training will need, before anything is compiled, and what there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from infogan_jax import networks
from infogan_jax.algorithm import Algorithm
from infogan_jax.state import TrainState, state_shapes

GIB = 2**30


def estimate(algorithm: Algorithm, batch_size: int, resident: int) -> int:
    """Bytes that training needs on a device at once, right to a factor of 2.

    By the shapes alone (`jax.eval_shape`): the images that lie there, the state before
    and after a step, and what the larger of the two players' backward passes keeps.
    What a compiler makes of it decides the rest.

    Args:
      algorithm: networks, codes and switches.
      batch_size: images of a batch on one device.
      resident: bytes of images that lie on the device.
    """
    like = state_shapes(algorithm)
    painting, judging = (_kept(f, like, batch_size) for f in _players(algorithm))
    batches = 3 if algorithm.real_information else 2
    kept = max(batches * judging, painting + judging)
    return resident + 2 * _bytes(like) + kept


Player = tuple[Callable[..., Any], tuple[int, ...]]
"""A pass of a network as a function of state and input, and the shape of its input."""


def _players(algorithm: Algorithm) -> tuple[Player, Player]:
    """G, and D with Q."""
    nets = algorithm.nets

    def paint(params: Any, stats: Any, inputs: Array) -> Array:
        return networks.generate(nets, params, stats, inputs, train=False)[0]

    def judge(params: Any, stats: Any, images: Array) -> tuple[Array, Array]:
        return networks.discriminate(nets, params, stats, images, train=False)[:2]

    return (paint, (nets.input_size,)), (judge, nets.image_shape)


def _kept(player: Player, like: TrainState, batch_size: int) -> int:
    """Bytes that a pass keeps for its backward pass, the parameters among them."""
    function, shape = player
    inputs = jax.ShapeDtypeStruct((batch_size, *shape), jnp.float32)

    def backward(params: Any, stats: Any, inputs: Array) -> Any:
        return jax.vjp(lambda p, x: function(p, stats, x), params, inputs)[1]

    return _bytes(jax.eval_shape(backward, like.params, like.stats, inputs))


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def available(device: jax.Device) -> int | None:
    """Bytes that a device can give to this process; None where nobody knows.

    On a CPU what the machine can free at once, its cache of files included; elsewhere
    the device's limit.
    """
    if device.platform != "cpu":
        known = device.memory_stats() or {}
        return known.get("bytes_limit")
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
