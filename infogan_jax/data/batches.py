"""Which images a step sees: an endless, reproducible order of global indices.

Epoch e is a permutation drawn from (seed, e). Epochs are laid end to end and cut
into batches, so the tail of one goes into the next and every image is seen
equally often. The order is a pure function of (seed, step): a resumed run sees
what an uninterrupted one would have seen, on any number of devices and processes,
and every process finds its own rows of a batch by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Array, Int, Int32, UInt8

Images = UInt8[np.ndarray, "n height width channels"]
Rows = Int[np.ndarray, "rows"]


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


@dataclass(frozen=True)
class Feed:
    """How real images reach the step.

    Attributes:
      resident: what lies on the devices for the whole run; empty if streamed.
      calls: (rows) -> one array [steps, rows, ...] for each call of the step, from
        the host: those rows of every batch that the devices of this process need.
      fetch: (resident, one step's part of a call) -> bytes [batch, H, W, C].
    """

    resident: np.ndarray
    calls: Callable[[Rows], Iterator[np.ndarray]]
    fetch: Callable[[Array, Array], Array]


def resident(images: Images, seed: int, firsts: range, batch_size: int) -> Feed:
    """Images on the device, indices from the host: for data that fits.

    Args:
      images: the training images.
      seed: of the run.
      firsts: the first step of each call; its stride is the steps of a call.
      batch_size: over all devices.
    """
    size, steps = len(images), firsts.step

    def calls(rows: Rows) -> Iterator[np.ndarray]:
        for first in firsts:
            yield indices(seed, first, steps, batch_size, size)[:, rows]

    return Feed(images, calls, gather)


def streamed(images: Images, seed: int, firsts: range, batch_size: int) -> Feed:
    """The same batches gathered on the host, a few calls ahead of the step.

    For data larger than a device's memory, mapped from a file. The order is a
    function of the step, so that there is no iterator state to save.
    """
    import grain

    size, steps = len(images), firsts.step

    def calls(rows: Rows) -> Iterator[np.ndarray]:
        def call(first: int) -> np.ndarray:
            order = indices(seed, first, steps, batch_size, size)
            return np.asarray(images[order[:, rows]])

        source = grain.MapDataset.source(list(firsts)).map(call)
        options = grain.ReadOptions(num_threads=2, prefetch_buffer_size=2)
        return iter(source.to_iter_dataset(options))

    return Feed(np.zeros(0, np.uint8), calls, lambda _, batch: batch)


def gather(
    images: UInt8[Array, "n height width channels"], batch: Int[Array, "*batch"]
) -> UInt8[Array, "*batch height width channels"]:
    """The images of a batch, from a data set that lies on the device.

    A batch has one axis, or, where several seeds train at once, one more of seeds.
    """
    return images[batch]
