"""Work on many images: in threads, in order, with a bar or lines of progress."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

from infogan_jax.machine import processes

One = TypeVar("One")
Other = TypeVar("Other")

MOST_THREADS = 16
_TOGETHER = 4  # pieces of work in one task of a thread
_SECONDS = 10.0  # between two lines where there is no terminal


def map_in_order(work: Callable[[One], Other], items: Iterable[One]) -> Iterator[Other]:
    """Yields `work(item)` of every item, in order; a few are worked on ahead.

    Pillow and NumPy let threads run side by side. An error of one item is raised in its
    place. Where the iteration ends early, what has not begun is dropped.
    """
    count = min(MOST_THREADS, len(os.sched_getaffinity(0)) if _HAS_AFFINITY else 4)
    pool = ThreadPoolExecutor(count, "images")
    waiting: deque[Future[list[Other]]] = deque()

    def work_all(part: list[One]) -> list[Other]:
        return [work(item) for item in part]

    queue = iter(items)
    try:
        while part := list(islice(queue, _TOGETHER)):
            waiting.append(pool.submit(work_all, part))
            if len(waiting) > 2 * count:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")


def shown(
    items: Iterable[One], title: str, total: int, first: int = 0
) -> Iterator[One]:
    """Yields the items, with a bar on a terminal, or else with a line now and then.

    Args:
      items: from place `first` on.
      title: what is being done.
      total: how many items there are, those before `first` included.
      first: how many were done before.
    """
    if not processes.is_first():
        yield from items
    elif sys.stderr.isatty():
        yield from tqdm(items, title, total, initial=first, unit="image")
    else:
        start = last = monotonic()
        for place, item in enumerate(items, first + 1):
            yield item
            if (now := monotonic()) - last >= _SECONDS:
                speed, last = (place - first) / (now - start), now
                text = f"{title}: {place:,} of {total:,} images, {speed:,.0f} images/s"
                print(text, file=sys.stderr, flush=True)
