"""The data report: what a data set holds and what was done to its images.

Most mistakes in data are seen in one look, in a few lines and 64 images.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8

from infogan_jax.data.dataset import Dataset, Split, fingerprints
from infogan_jax.data.survey import NATURAL
from infogan_jax.errors import UserError

SHEET = 64  # images
_MOST_CLASSES = 12  # that are shown with their counts
_MOST_LOST = 0.5  # of the edges of an image, by cropping
_DARK = 64  # gray levels: a quarter of what there is

CHANGES = {
    "padded": "padded to a square",
    "squashed": "squashed to a square",
    "enlarged": "smaller than config.data.size, and enlarged",
    "rescaled": "rescaled",
    "composited": "transparent, and put on a background",
    "hidden": "of one colour on that background",
}


def check_not_alike(dataset: Dataset) -> None:
    """Refuses training images that are all equal.

    Raises:
      UserError: with what is equal, and a likely reason.
    """
    images = dataset.train.images
    step = 1024
    for start in range(0, len(images), step):
        if (images[start : start + step] != images[:1]).any():
            return
    first = images[0]
    what = f"of one gray level, {first.min()}" if np.ptp(first) == 0 else "the same"
    changes = dataset.provenance.get("report", {}).get("changes", {})
    why = "check the data"
    if changes.get("composited", {}).get("count", 0) >= len(images):
        why = "they are transparent: try --config.data.background=gray, white or black"
    elif changes.get("cropped"):
        why = "they are cropped: try --config.data.crop=0 and --config.data.fit=pad"
    elif changes.get("rescaled"):
        why = "they are rescaled: set --config.data.range to the values that they use"
    raise UserError(
        f"config.data: all {len(images)} training images of "
        f"{dataset.provenance['name']} are {what}, from which nothing can be learnt; "
        f"{why}, or name other data."
    )


def lines(dataset: Dataset) -> list[str]:
    """Returns the report, one sentence or warning a line."""
    return _lines(dataset, duplicates(dataset))


def _lines(dataset: Dataset, doubles: Mapping[str, int]) -> list[str]:
    warned = (f"warning: {each}" for each in _warnings(dataset))
    return [*_sentences(dataset, doubles), *warned]


def record(dataset: Dataset) -> dict[str, Any]:
    """Returns the same as JSON, for the record of a run."""
    known = dict(dataset.provenance.get("report", {}))
    for elsewhere in ("recipe", "splits", "unreadable"):
        known.pop(elsewhere, None)
    known["duplicates"] = duplicates(dataset)
    known["lines"] = _lines(dataset, known["duplicates"])
    if dataset.train.labels is not None:
        known["class_counts"] = {
            name: _class_counts(dataset, split) for name, split in _splits(dataset)
        }
    return known


def sheet(dataset: Dataset) -> UInt8[np.ndarray, "n height width channels"]:
    """Returns at most 64 training images, evenly spaced, as the networks see them."""
    images = dataset.train.images
    count = min(SHEET, len(images))
    return np.asarray(images[np.linspace(0, len(images) - 1, count).astype(int)])


def duplicates(dataset: Dataset) -> dict[str, int]:
    """Counts images that repeat another, by split, and test images in training too."""
    train, test = (fingerprints(split) for _, split in _splits(dataset))
    return {
        "train": len(train) - len(np.unique(train)),
        "test": len(test) - len(np.unique(test)),
        "test_in_train": int(np.isin(test, train).sum()),
    }


def _splits(dataset: Dataset) -> tuple[tuple[str, Split], tuple[str, Split]]:
    return ("train", dataset.train), ("test", dataset.test)


def _class_counts(dataset: Dataset, split: Split) -> dict[str, int]:
    """Returns the number of images of every class of the training split, by name."""
    assert dataset.train.labels is not None and split.labels is not None
    names = dataset.provenance.get("classes") or []
    last = max(int(dataset.train.labels.max()), int(split.labels.max()))
    counts = Counter(split.labels.tolist())
    return {
        names[label] if label < len(names) else str(label): counts[label]
        for label in range(last + 1)
        if counts[label] or label < len(names) or (dataset.train.labels == label).any()
    }


def _sentences(dataset: Dataset, doubles: Mapping[str, int]) -> Iterator[str]:
    facts: Mapping[str, Any] = dataset.provenance.get("report", {})
    height, width, channels = dataset.image_shape
    colour = "colour" if channels == 3 else "gray"
    yield (
        f"data: {dataset.provenance['name']}, {len(dataset.train.images):,} training "
        f"and {len(dataset.test.images):,} held-out images of {height} x {width}, "
        f"{colour}"
    )
    if set(facts.get("kinds", {})) - {"array"}:
        small, large = facts["smallest"], facts["largest"]
        sizes = f"{small[0]} x {small[1]}"
        if small != large:
            sizes += f" to {large[0]} x {large[1]}"
        yield (
            f"data: read {_counts(facts['kinds'])} files of modes "
            f"{_counts(facts['modes'])}, {sizes} pixels (width x height)"
        )
    if several := facts.get("several_frames", {}).get("count"):
        yield f"data: {several} have several frames, of which the first is read"
    if turned := facts.get("turned", {}).get("count"):
        yield f"data: {turned} are turned upright, as their EXIF data says"
    yield from _of_changes(facts)
    for why, about in facts.get("skipped", {}).items():
        yield f"data: left out {about['count']:,} ({why}){_such_as(about)}"
    if broken := facts.get("unreadable"):
        yield f"data: left out {len(broken)} unreadable, such as {broken[0]!r}"
    if any(doubles.values()):
        yield (
            f"data: {doubles['train']:,} training and {doubles['test']:,} held-out "
            f"images repeat another one, and {doubles['test_in_train']:,} held-out "
            "images are among the training images"
        )
    if dataset.train.labels is not None and dataset.test.labels is not None:
        for name, split in _splits(dataset):
            counts = _class_counts(dataset, split)
            yield f"data: classes in {name}: {_counts(counts, _MOST_CLASSES)}"
    if (weights := dataset.train.weights) is not None:
        yield (
            f"data: training images are drawn by weight, which is 0 for "
            f"{np.sum(weights == 0):,}"
        )
    if place := facts.get("place"):
        size = np.prod(facts["shape"], dtype=float) / 1e6
        yield f"data: prepared images, {size:,.1f} MB, are kept in {place}"


def _of_changes(facts: Mapping[str, Any]) -> Iterator[str]:
    changes, rules = facts.get("changes", {}), facts.get("rules", {})
    if about := changes.get("cropped"):
        mean = about["sum"] / about["count"]
        yield (
            f"data: {about['count']:,} are cropped, which loses {mean:.0%} of their "
            f"area, at most {about['most']:.0%}{_such_as(about)}"
        )
    for name, text in CHANGES.items():
        if about := changes.get(name):
            if name == "rescaled":
                used = [rules["byte_range"], rules["deep_range"]]
                used = used[:1] if list(used[0]) != [0, 255] else used[1:]
                text += f": {used[0][0]:g} to {used[0][1]:g} became 0 to 255"
            if name == "composited":
                text += f" of gray level {rules['background']}"
            yield f"data: {about['count']:,} are {text}{_such_as(about)}"


def _warnings(dataset: Dataset) -> Iterator[str]:
    facts: Mapping[str, Any] = dataset.provenance.get("report", {})
    changes = facts.get("changes", {})
    if about := changes.get("edges_lost"):
        mean = about["sum"] / about["count"]
        if mean > _MOST_LOST:
            yield (
                f"cropping loses {mean:.0%} of what is in {about['count']:,} images, "
                f"their edges{_such_as(about)}; try --config.data.fit=pad or squash."
            )
    if about := changes.get("hidden"):
        yield (
            f"{about['count']:,} transparent images show nothing on their background"
            f"{_such_as(about)}; try --config.data.background=black, gray or white."
        )
    low, high = facts.get("values", (0, 255))
    if high - low < _DARK:
        yield (
            f"the images use only {low} to {high} of 0 to 255; if that is not meant, "
            f'set --config.data.range="{low} {high}".'
        )
    if "rescaled" in changes and (most := facts.get("most_pixels_use")):
        first, last = facts["rules"]["deep_range"]
        step = (last - first) / 255
        if (first, last) not in NATURAL and most[1] - most[0] < _DARK <= high - low:
            used = f"{first + most[0] * step:g} {first + (most[1] + 1) * step:g}"
            yield (
                f"999 of 1,000 pixels use less than a quarter of {first:g} to "
                f'{last:g}; try --config.data.range="{used}".'
            )
    types = sorted({_number_type(mode) for mode in facts.get("modes", {})})
    if "rescaled" in changes and len(types) > 1:
        yield (
            f"images of {' and '.join(types)} are together: bytes keep their values, "
            "and all others share one range; if they were not measured in one unit, "
            "convert them to one type of file."
        )
    if about := facts.get("upper_8_of_16_bits"):
        if about["count"]:
            yield (
                f"of {about['count']:,} images with 16 bits a colour the upper 8 are "
                f"read{_such_as(about)}."
            )
    if dataset.train.labels is not None and dataset.test.labels is not None:
        for (one, split), (other, _) in zip(
            _splits(dataset), reversed(_splits(dataset)), strict=True
        ):
            counts = _class_counts(dataset, split)
            if missing := [name for name, number in counts.items() if not number]:
                some = ", ".join(map(repr, missing[:3]))
                more = f" and {len(missing) - 3} others" if len(missing) > 3 else ""
                yield f"classes of {other} without an image in {one}: {some}{more}."


def _number_type(mode: str) -> str:
    """Returns the type of the pixels of a picture, by Pillow's name of its mode."""
    return {"F": "floats", "I": "integers"}.get(mode[:1], "bytes")


def _counts(counts: Mapping[str, int], most: int = 8) -> str:
    shown = [f"{name} {number:,}" for name, number in list(counts.items())[:most]]
    more = len(counts) - most
    return ", ".join(shown) + (f" and {more} others" if more > 0 else "")


def _such_as(about: Mapping[str, Any]) -> str:
    names = [name for name in about.get("examples", []) if name != "one"]
    return f": {', '.join(map(repr, names))}" if names else ""
