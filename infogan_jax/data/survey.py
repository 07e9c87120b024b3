"""A first look at all pictures of a data set: what they are, and how to scale them.

What the pictures use as a whole decides how each of them is rendered. The headers say
most of it. Only pictures of more than 8 bits, transparent ones, and 8-bit ones until
the first value above 1, are decoded for it.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from infogan_jax.data import decoding, threads
from infogan_jax.data.dataset import Request, parse_range
from infogan_jax.data.decoding import Look
from infogan_jax.data.rendering import Rules, Source

NATURAL = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Ranges that images are commonly stored in, besides those of their type."""

_FAR = 32  # gray levels: less than this apart, a picture is hidden by its background
_EXAMPLES = 3
_TOGETHER = 1024  # images of an array that are measured at once


class Task(NamedTuple):
    """A picture that is still to be read.

    Attributes:
      name: for messages and the record; a path below the folder, or "one".
      load: returns the picture; raises nearly anything if it is broken.
      look: returns what the header says, or None for an array.
      label: the class, or None in all tasks of a split.
      factors: the generative factors, as many in every task, or None in all.
    """

    name: str
    load: Callable[[], Source]
    look: Callable[[], Look] | None = None
    label: int | None = None
    factors: tuple[int, ...] | None = None


class Values(NamedTuple):
    """What one picture uses.

    Attributes:
      is_deep: whether its numbers are other than bytes.
      low: its least value.
      high: its largest value.
      visible: mean gray level from 0 to 255, weighted by alpha; None if it is opaque.
    """

    is_deep: bool
    low: float
    high: float
    visible: float | None


def measure(source: Source) -> Values:
    """Measures the values of a picture.

    Raises:
      ValueError: if some are not finite.
    """
    pixels = np.asarray(source)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise ValueError("some of its pixels are NaN or infinite")
    colours = pixels.shape[-1] - 1 + pixels.shape[-1] % 2
    values, alpha = pixels[..., :colours], pixels[..., colours:]
    visible = None
    if alpha.size and alpha.min() < 255 and alpha.max():
        visible = float(np.average(values.mean(-1), weights=alpha[..., 0]))
    is_deep = pixels.dtype not in (np.uint8, bool)
    return Values(is_deep, float(values.min()), float(values.max()), visible)


def used_range(low: float, high: float) -> tuple[float, float]:
    """Returns the range that becomes 0 to 255, for numbers other than bytes.

    It is a natural range, [0, 1], [-1, 1] or [0, 255], if the values lie in it and span
    a quarter of it, and otherwise what the values use.
    """
    for first, last in NATURAL:
        if first <= low and high <= last and high - low >= (last - first) / 4:
            return first, last
    return (low, high) if high > low else (low, low + 1)


def survey(tasks: Iterable[Task], total: int, request: Request) -> dict[str, Any]:
    """Looks at all pictures; returns `rules`, to render them by, and facts, as JSON."""
    wanted = parse_range(request.range)
    found = _Found(wants_alpha=request.background == "auto", wants_range=not wanted)
    looks = threads.map_in_order(found.look, tasks)
    for each in threads.shown(looks, "looking at the images", total):
        found.add(*each)
    return found.facts(request, wanted)


def survey_arrays(arrays: Sequence[np.ndarray], request: Request) -> dict[str, Any]:
    """Does the same for arrays [n, height, width, channels], many images at a time."""
    tasks = []
    for images in arrays:
        together = 1 if images.shape[-1] in (2, 4) else _TOGETHER
        for start in range(0, len(images), together):
            part = slice(start, start + together)
            tasks.append(Task("one", partial(_take, images, part)))
    return survey(tasks, len(tasks), request)


def _take(images: np.ndarray, part: slice) -> np.ndarray:
    taken = images[part]
    return np.asarray(taken[0] if len(taken) == 1 else taken)


def counted(names: Sequence[str]) -> dict[str, Any]:
    """Returns how many there are, and three of them."""
    return {"count": len(names), "examples": list(names[:_EXAMPLES])}


class _Found:
    """What the pictures that were looked at have in common."""

    def __init__(self, *, wants_alpha: bool, wants_range: bool) -> None:
        self._wants_alpha = wants_alpha
        self._wants_range = wants_range
        self._only_masks = wants_range  # no 8-bit value above 1 so far
        self._kinds: Counter[str] = Counter()
        self._modes: Counter[str] = Counter()
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._has_colour = False
        self._several: list[str] = []
        self._cut: list[str] = []
        self._turned: list[str] = []
        self._brightest = 0.0  # of 8-bit pictures that were decoded
        self._has_deep = False
        self._deep: list[tuple[float, float]] = []
        self._visible: list[float] = []

    def look(self, task: Task) -> tuple[Task, Look | None, Values | None]:
        """Reads a header, and the pixels where they are needed; broken ones are None.

        Files that are broken are counted when they are rendered.
        """
        seen = values = None
        with contextlib.suppress(Exception):
            seen = task.look() if task.look else _look_at(task.load())
            if self._needs_pixels(seen):
                values = measure(task.load())
        return task, seen, values

    def _needs_pixels(self, seen: Look) -> bool:
        if _is_deep(seen):
            return self._wants_range
        if seen.has_alpha and self._wants_alpha:
            return True
        return self._only_masks and seen.kind not in decoding.LOSSY and seen.mode != "1"

    def add(self, task: Task, seen: Look | None, values: Values | None) -> None:
        """Adds one picture."""
        if seen is None:
            return
        self._kinds[seen.kind] += 1
        self._modes[seen.mode] += 1
        self._sizes[seen.size] += 1
        self._has_colour |= seen.has_colour
        self._has_deep |= _is_deep(seen)
        if seen.has_frames:
            self._several.append(task.name)
        if seen.is_cut:
            self._cut.append(task.name)
        if seen.is_turned:
            self._turned.append(task.name)
        if values is None:
            self._only_masks &= self._needs_pixels(seen)
        elif values.is_deep:
            self._deep.append((values.low, values.high))
        else:
            self._only_masks &= values.high <= 1
            self._brightest = max(self._brightest, values.high)
        if values and values.visible is not None:
            self._visible.append(values.visible)

    def facts(
        self, request: Request, wanted: tuple[float, float] | None
    ) -> dict[str, Any]:
        """Returns the rules and the facts, as JSON."""
        rules = Rules(
            request.crop,
            request.size,
            request.channels or (3 if self._has_colour else 1),
            request.fit,
            self._background(request.background),
        )
        if self._only_masks and self._brightest == 1:
            rules = replace(rules, byte_range=(0, 1))
        if self._deep:
            low = min(low for low, _ in self._deep)
            high = max(high for _, high in self._deep)
            rules = replace(rules, deep_range=used_range(low, high))
        if wanted:
            rules = replace(rules, deep_range=wanted)
            if not self._has_deep:
                rules = replace(rules, byte_range=wanted)
        sizes = sorted(self._sizes, key=lambda size: (size[0] * size[1], size))
        common = self._sizes.most_common(1)
        return {
            "rules": rules.record(),
            "kinds": dict(self._kinds.most_common()),
            "modes": dict(self._modes.most_common()),
            "smallest": list(sizes[0]) if sizes else None,
            "largest": list(sizes[-1]) if sizes else None,
            "most_common_size": list(common[0][0]) if common else None,
            "several_frames": counted(self._several),
            "upper_8_of_16_bits": counted(self._cut),
            "turned": counted(self._turned),
        }

    def _background(self, wanted: str) -> int:
        """Returns a gray level that hides the fewest pictures; black if none has alpha.

        Of black and white it is the one that is farther from what is visible.
        """
        levels = {"black": 0, "white": 255, "gray": 128}
        if wanted in levels:
            return levels[wanted]
        if not self._visible:
            return 0
        visible = np.array(self._visible)
        best = (255, 0, 128) if visible.mean() < 128 else (0, 255, 128)
        return min(best, key=lambda level: int((abs(visible - level) < _FAR).sum()))


def _look_at(source: Source) -> Look:
    if isinstance(source, Image.Image):
        width, height = source.size
        channels, kind = len(source.getbands()), source.mode
    else:
        height, width, channels = source.shape[-3:]
        is_deep = source.dtype not in (np.uint8, bool)
        kind = "deep" if is_deep else {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    return Look("array", kind, (width, height), channels > 2, channels in (2, 4))


def _is_deep(seen: Look) -> bool:
    return seen.mode[0] in "IF" or seen.mode == "deep"
