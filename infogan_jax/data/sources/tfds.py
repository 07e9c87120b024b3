"""Loader of image data sets of TensorFlow Datasets (tfds) and of `renderings.py`.

The loader uses these features: `image`; `label`, if it is a class; and, as true
factors, all classes whose names start with `label_`, as in dsprites, shapes3d and
smallnorb.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np

from infogan_jax.data import decoding
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import count, order
from infogan_jax.data.prepared import Block, prepare
from infogan_jax.data.sources.tfds_builder import (
    check_tensorflow,
    find_builder,
    keep_tensorflow_off_the_gpus,
    unreadable,
)
from infogan_jax.data.survey import Task, survey
from infogan_jax.errors import UserError

FACTOR = "label_"


HELD_OUT = ("test", "validation", "val")
"""The splits of which the first that a data set has is held out."""


TOGETHER = 64
"""Examples that are read at once, which is four times as fast as one by one."""


def load(request: Request) -> Dataset:
    """Loads the splits `train` and `test` of a data set, cropped and resized as asked.

    If there is no split `test`, `validation` is held out, or else the share
    `request.held_out` of a fixed permutation of `train`.

    Raises:
      UserError: as `find_builder`; and if the data has no images, no split `train`,
        images of other than 1, 3 or 4 channels, or images of several sizes while `size`
        is 0.
      RunFailure: as `find_builder`, and if the data cannot be read.
    """
    builder = find_builder(request)
    name, factors = builder.info.full_name, _factors(builder)
    stored = _split_indices(builder, request)
    _check_channels(builder, request)
    blocks = {
        split: Block(len(rows), partial(_tasks, builder, source, rows))
        for split, (source, rows) in stored.items()
    }
    counts = {split: block.total for split, block in blocks.items()}
    recipe = {"name": name, "examples": counts, "factors": factors}
    recipe |= {"stored_in": {split: source for split, (source, _) in stored.items()}}
    recipe |= {"directory": str(builder.data_path), **request.image_form}
    splits, record = prepare(
        request, recipe, blocks, partial(_find_facts, builder, blocks, request)
    )
    unused = set(builder.info.splits) - {source for source, _ in stored.values()}
    report = {**record, "skipped": _left_out(builder, sorted(unused))}
    provenance = {"name": name, "source": "tensorflow_datasets", **record["splits"]}
    provenance |= {"metadata": dict(builder.info.metadata or {}), "recipe": recipe}
    if "label" in _classes(builder):
        provenance["classes"] = list(builder.info.features["label"].names)
    factor_names = tuple(factor.removeprefix(FACTOR) for factor in factors)
    about = provenance | {"report": report}
    return Dataset(splits["train"], splits["test"], about, factor_names)


def _left_out(builder: Any, splits: Sequence[str]) -> dict[str, Any]:
    return {
        f"split {split}": {"count": builder.info.splits[split].num_examples}
        for split in splits
    }


def _split_indices(
    builder: Any, request: Request
) -> Mapping[str, tuple[str, Sequence[int]]]:
    """Returns the stored split of the training and test examples, and their indices."""
    features, splits = builder.info.features, builder.info.splits
    if "image" not in features or "train" not in splits:
        raise UserError(
            f"config.data.name (={request.name!r}) must be a data set with the feature "
            f"image and the split train; it has {', '.join(features)} and "
            f"{', '.join(splits)}; choose another."
        )
    total = splits["train"].num_examples
    if held := next((name for name in HELD_OUT if name in splits), None):
        return {
            "train": ("train", range(total)),
            "test": (held, range(splits[held].num_examples)),
        }
    if total < 2:
        raise UserError(
            f"config.data.name (={request.name!r}) must have 2 images or more, of "
            f"which one is held out, not {total}; add some."
        )
    shuffled, cut = order(total), count(total, request.held_out)
    return {
        "train": ("train", sorted(shuffled[cut:])),
        "test": ("train", sorted(shuffled[:cut])),
    }


def _check_channels(builder: Any, request: Request) -> None:
    feature = builder.info.features["image"]
    shape = tuple(feature.shape)
    if len(shape) != 3 or shape[-1] not in (None, 1, 3, 4):
        raise UserError(
            f"config.data.name (={request.name!r}) must have images of 1, 3 or 4 "
            f"channels, not of shape {shape}; choose another, or save the channels "
            "that you want as an .npz file and set --config.data.source=npz."
        )


def _factors(builder: Any) -> list[str]:
    """Returns the sorted factor features, because tfds does not keep their order."""
    return sorted(name for name in _classes(builder) if name.startswith(FACTOR))


def _classes(builder: Any) -> set[str]:
    import tensorflow_datasets as tfds

    kind, features = tfds.features.ClassLabel, builder.info.features
    return {name for name in features if isinstance(features[name], kind)}


def _find_facts(
    builder: Any, blocks: Mapping[str, Block], request: Request
) -> dict[str, Any]:
    """Looks at all images, or at those up to the first that shows how to scale them."""
    tasks = chain.from_iterable(block.tasks(0) for block in blocks.values())
    feature = builder.info.features["image"]
    is_plain = feature.np_dtype == np.uint8 and feature.shape[-1] in (1, 3)
    total = sum(block.total for block in blocks.values())
    if feature.shape[-1] in (1, 3) and not request.channels:
        request = replace(request, channels=feature.shape[-1])
    return survey(_up_to_a_gray(tasks) if is_plain else tasks, total, request)


def _up_to_a_gray(tasks: Iterator[Task]) -> Iterator[Task]:
    """Yields tasks up to the first whose pixels are not all 0 or 1."""
    for task in tasks:
        yield task
        if np.asarray(task.load()).max() > 1:
            return


def _tasks(
    builder: Any, split: str, indices: Sequence[int], start: int
) -> Iterator[Task]:
    """Yields images with their labels and factors, in the order of storage."""
    factors = _factors(builder)
    has_label = "label" in _classes(builder)
    for example in _stored_examples(builder, split, indices[start:]):
        image = example["image"]
        yield Task(
            "one",
            partial(_load, image),
            None,
            int(example["label"]) if has_label else None,
            tuple(int(example[factor]) for factor in factors) or None,
        )


def _load(image: np.ndarray | bytes) -> Any:
    return decoding.load(BytesIO(image)) if isinstance(image, bytes) else image


def _stored_examples(
    builder: Any, split: str, indices: Sequence[int]
) -> Iterator[Mapping[str, Any]]:
    """Yields examples as tfds decodes them; TFRecord is read through tf.data.

    Of images of 16 bits the file is given, since tfds decodes them with OpenCV alone.
    """
    import tensorflow_datasets as tfds

    is_tfrecord = builder.info.file_format.value != "array_record"
    if is_tfrecord:
        check_tensorflow(f"reading the TFRecord files of {builder.info.name}")
    try:
        if is_tfrecord:
            keep_tensorflow_off_the_gpus()
            chosen = set(indices)
            once = tfds.ReadConfig(try_autocache=False)  # it may be read in part
            every = tfds.as_numpy(builder.as_dataset(split, read_config=once))
            yield from (each for index, each in enumerate(every) if index in chosen)
        else:
            is_deep = builder.info.features["image"].np_dtype == np.uint16
            skip = {"image": tfds.decode.SkipDecoding()} if is_deep else None
            source = builder.as_data_source(split, decoders=skip)
            for start in range(0, len(indices), TOGETHER):
                yield from source.__getitems__(list(indices[start : start + TOGETHER]))
    except Exception as error:  # tfds raises many kinds
        raise unreadable(builder.data_path, error) from error
