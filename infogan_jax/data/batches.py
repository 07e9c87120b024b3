"""The order of the training images, and how they reach the training step.

Epoch e is a permutation of the images, drawn from (seed, e). The epochs are
concatenated and then cut into batches: a batch can span two epochs, and every image
is seen equally often. The order is a pure function of (seed, step). A resumed run
therefore sees the same batches as an uninterrupted run, on any number of devices and
processes, and every process computes its own rows of a batch.

Where images have weights, each place of each batch draws its image by them, with
replacement. Such a draw is a pure function of (seed, step, place).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Int, Int32, UInt8

from infogan_jax.data.labelled import Batch, Labelled

Images = UInt8[np.ndarray, "n height width channels"]
Rows = Int[np.ndarray, "rows"]
Weights = Float[np.ndarray, "n"]


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, size: int) -> Int32[np.ndarray, "size"]:
    """Returns the read-only permutation of `size` images for one epoch."""
    order = np.random.default_rng([seed, epoch]).permutation(size).astype(np.int32)
    order.flags.writeable = False
    return order


def indices(
    seed: int, first_step: int, steps: int, batch_size: int, size: int
) -> Int32[np.ndarray, "steps batch_size"]:
    """Returns the image indices of `steps` batches, from step `first_step` on."""
    start = first_step * batch_size
    end = start + steps * batch_size
    epochs = range(start // size, -(-end // size))
    orders = np.concatenate([epoch_order(seed, epoch, size) for epoch in epochs])
    offset = epochs.start * size
    return orders[start - offset : end - offset].reshape(steps, batch_size)


def drawn_indices(
    seed: int, first_step: int, steps: int, batch_size: int, weights: Weights
) -> Int32[np.ndarray, "steps batch_size"]:
    """Returns image indices of `steps` batches, each drawn by weight from all images.

    An image of weight 0 is never drawn.
    """
    reached = np.cumsum(weights / weights.sum())
    shares = np.stack(
        [
            np.random.default_rng([seed, step, _BY_WEIGHT]).random(batch_size)
            for step in range(first_step, first_step + steps)
        ]
    )
    drawn = np.searchsorted(reached, shares * reached[-1], side="right")
    return drawn.astype(np.int32)


_BY_WEIGHT = 1
"""The purpose of these random numbers; the order of an epoch has [seed, epoch]."""


def _order(
    seed: int, batch_size: int, size: int, weights: Weights | None
) -> Callable[[int, int], Int32[np.ndarray, "steps batch_size"]]:
    """Returns what gives the indices from a first step on, for a number of steps."""
    if weights is None:
        return lambda first, steps: indices(seed, first, steps, batch_size, size)
    return lambda first, steps: drawn_indices(seed, first, steps, batch_size, weights)


@dataclass(frozen=True)
class Feed:
    """The input pipeline from the real images to the training step.

    Attributes:
      resident: what is kept on the devices for the whole run: the images, or an empty
        array if they are streamed; with labels, a pair of this and the labelled images.
      calls: (rows) -> one host array [steps, rows, ...] for each call of the step,
        with those rows of every batch that the devices of this process need.
      fetch: (resident, one step's part of a call) -> bytes [batch, H, W, C]; with
        labels, a `Batch`.
    """

    resident: Any
    calls: Callable[[Rows], Iterator[np.ndarray]]
    fetch: Callable[[Any, Array], Any]


def resident(
    images: Images,
    seed: int,
    first_steps: range,
    batch_size: int,
    weights: Weights | None = None,
) -> Feed:
    """Returns a feed that keeps all images on the devices and sends indices.

    Args:
      images: the training images; they must fit in the memory of a device.
      seed: the seed of the run.
      first_steps: the first step of each call; the stride is the steps per call.
      batch_size: the number of images over all devices.
      weights: by which images are drawn; None is the order of epochs.
    """
    steps, order = first_steps.step, _order(seed, batch_size, len(images), weights)

    def calls(rows: Rows) -> Iterator[np.ndarray]:
        for first_step in first_steps:
            yield order(first_step, steps)[:, rows]

    return Feed(images, calls, gather)


def streamed(
    images: Images,
    seed: int,
    first_steps: range,
    batch_size: int,
    weights: Weights | None = None,
) -> Feed:
    """Returns a feed that sends the images of the same batches as `resident`.

    It is for data larger than the memory of a device, mapped from a file. The host
    gathers the images a few calls ahead of the step. There is no iterator state to
    save, because the order is a function of the step.
    """
    import grain

    steps, order = first_steps.step, _order(seed, batch_size, len(images), weights)

    def calls(rows: Rows) -> Iterator[np.ndarray]:
        def gather_call(first_step: int) -> np.ndarray:
            return np.asarray(images[order(first_step, steps)[:, rows]])

        source = grain.MapDataset.source(list(first_steps)).map(gather_call)
        options = grain.ReadOptions(num_threads=2, prefetch_buffer_size=2)
        return iter(source.to_iter_dataset(options))

    return Feed(np.zeros(0, np.uint8), calls, lambda _, batch: batch)


def with_labelled(feed: Feed, labelled: Labelled) -> Feed:
    """Returns a feed whose batches have all labelled images beside them."""
    both = feed.resident, labelled
    return replace(feed, resident=both, fetch=_beside(feed.fetch))


def of_runs(feeds: Sequence[Feed]) -> Feed:
    """Returns the first feed, with the labelled images of all: [runs, ...] each."""
    first = feeds[0]
    if not isinstance(first.resident, tuple):
        return first
    images, few = first.resident[0], [feed.resident[1] for feed in feeds]
    together = Labelled(*(np.stack(parts) for parts in zip(*few, strict=True)))
    return replace(first, resident=(images, together))


@cache
def _beside(fetch: Callable[[Array, Array], Array]) -> Callable[[Any, Array], Batch]:
    """The same function gives the same one, whose step is then compiled once."""
    return lambda resident, batch: Batch(fetch(resident[0], batch), resident[1])


def gather(
    images: UInt8[Array, "n height width channels"], batch: Int[Array, "*batch"]
) -> UInt8[Array, "*batch height width channels"]:
    """Returns the images of a batch of indices, from a data set on the device.

    A batch has one axis. It has another axis, of seeds, if several seeds train at once.
    """
    return images[batch]
