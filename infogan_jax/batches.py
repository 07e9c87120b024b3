"""Which images a step sees: an endless, reproducible order of global indices.

Epoch e is a permutation drawn from (seed, e). Epochs are laid end to end and cut
into batches, so the tail of one goes into the next and every image is seen
equally often. The order is a pure function of (seed, step): a resumed run sees
what an uninterrupted one would have seen, on any number of devices.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Array, Int, Int32, UInt8


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, size: int) -> Int32[np.ndarray, "size"]:
    """The permutation of `size` images that is epoch `epoch` of a run."""
    order = np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)
    order.flags.writeable = False
    return order


def indices(
    seed: int, first_step: int, steps: int, batch_size: int, size: int
) -> Int32[np.ndarray, "steps batch_size"]:
    """The global indices of `steps` whole batches, from step `first_step` on."""
    start = first_step * batch_size
    end = start + steps * batch_size
    epochs = range(start // size, -(-end // size))
    orders = np.concatenate([epoch_order(seed, epoch, size) for epoch in epochs])
    offset = epochs.start * size
    return orders[start - offset : end - offset].reshape(steps, batch_size)


def gather(
    images: UInt8[Array, "n height width channels"], batch: Int[Array, "batch"]
) -> UInt8[Array, "batch height width channels"]:
    """The images of a batch, from a data set that lies on the device."""
    return images[batch]
