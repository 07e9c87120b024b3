"""Loader of image data sets of TensorFlow Datasets (tfds) and of `renderings.py`.

A data set that is already prepared in the data directory is read as it is. Otherwise
tfds downloads and prepares it once, as ArrayRecord. Only preparing a data set and
reading TFRecord need TensorFlow, which is kept off the GPUs.

The loader uses these features: `image`; `label`, if it is a class; and, as true
factors, all classes whose names start with `label_`, as in dsprites, shapes3d and
smallnorb.
"""

import logging
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from infogan_jax.data import decoding
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import count, order
from infogan_jax.data.prepared import Block, prepare
from infogan_jax.data.survey import Task, survey
from infogan_jax.errors import RunFailure, UserError

FACTOR = "label_"
NAME = re.compile(r"\w+(/[\w.+-]*\w)?(:\d+\.(\d+|\*)\.(\d+|\*))?")
"""The name of a data set, perhaps with a config and a version."""

VERSION = re.compile(r"\d+\.\d+\.\d+")

HELD_OUT = ("test", "validation", "val")
"""The splits of which the first that a data set has is held out."""


TOGETHER = 64
"""Examples that are read at once, which is four times as fast as one by one."""


def load(request: Request) -> Dataset:
    """Loads the splits `train` and `test` of a data set, cropped and resized as asked.

    If there is no split `test`, `validation` is held out, or else the share
    `request.held_out` of a fixed permutation of `train`. The directory is
    `request.directory`, else the environment variable TFDS_DATA_DIR, else the default
    of tfds.

    Raises:
      UserError: if the name is unknown, a package is not installed, or the data has no
        images, no split `train`, images of other than 1, 3 or 4 channels, or images of
        several sizes while `size` is 0.
      RunFailure: if the data cannot be downloaded, prepared or read.
    """
    if ".." in request.name or not NAME.fullmatch(request.name):
        raise UserError(
            f"config.data.name (={request.name!r}) must be a name of tfds's catalog, "
            "NAME[/CONFIG][:VERSION], such as mnist or smallnorb:2.0.0."
        )
    _check_installed("tensorflow_datasets", "needs TensorFlow Datasets")
    builder = _prepared_builder(request) or _download(request)
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


def _check_installed(package: str, need: str, hint: str = "") -> None:
    """Raises a UserError if a package is not installed, without importing it."""
    if find_spec(package) is None:
        raise UserError(
            f"config.data.source (='tfds') {need}, which is not installed; run "
            "'make tfds' in a checkout, or 'pip install tensorflow-datasets "
            f"tensorflow'. {hint}"
        )


def _check_tensorflow(task: str) -> None:
    hint = "Data prepared elsewhere as ArrayRecord can be read without it."
    _check_installed("tensorflow", f"cannot be used: {task} needs TensorFlow", hint)


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


def _data_directory(request: Request) -> Path:
    import tensorflow_datasets as tfds

    chosen = request.directory or os.environ.get("TFDS_DATA_DIR")
    return Path(chosen or tfds.core.constants.DATA_DIR).expanduser()


def _prepared_builder(request: Request) -> Any | None:
    """Returns a builder of the newest version in the data directory, if any."""
    import tensorflow_datasets as tfds

    name, _, version = request.name.partition(":")
    wanted = re.compile(version.replace(".", r"\.").replace("*", r"\d+") or VERSION)
    infos = (_data_directory(request) / name).glob("**/dataset_info.json")
    versions = [path.parent for path in infos if wanted.fullmatch(path.parent.name)]
    if not versions:
        return None
    newest = max(versions, key=lambda path: [int(n) for n in path.name.split(".")])
    try:
        return tfds.builder_from_directory(newest)
    except Exception as error:  # tfds raises many kinds
        raise _unreadable(newest, error) from error


def _download(request: Request) -> Any:
    """Downloads and prepares a data set, and returns its builder."""
    _check_tensorflow(f"preparing {request.name}")
    import tensorflow_datasets as tfds

    import infogan_jax.data.sources.renderings  # noqa: F401  it registers its builders

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no lines about its options
    directory = _data_directory(request)
    try:
        builder = tfds.builder(request.name, data_dir=directory)
    except Exception as error:  # tfds raises many kinds
        raise UserError(
            f"config.data.name (={request.name!r}) is no data set that tfds can make "
            f"({_reason(error)}); see https://www.tensorflow.org/datasets/catalog for "
            "their names."
        ) from error
    try:
        _check_network(builder, directory)
        _keep_tensorflow_off_the_gpus()
        builder.download_and_prepare(file_format="array_record")
    except (UserError, RunFailure):
        raise
    except Exception as error:  # tfds raises many kinds
        raise RunFailure(
            f"{request.name} cannot be prepared in {directory}: {_reason(error)}. "
            "Try again, or name a directory that holds it with config.data.directory."
        ) from error
    return builder


def _check_network(builder: Any, directory: Path) -> None:
    """Checks that the hosts of a download can be reached, which tfds tries for minutes.

    Files that are there already, and a proxy, are left to tfds.

    Raises:
      RunFailure: naming the first host that cannot be reached within 10 s.
    """
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of every new try
    parts = [urlsplit(url) for url in builder.url_infos or ()]
    hosts = {(part.hostname, part.port) for part in parts if part.hostname}
    if getproxies() or any((directory / "downloads").glob("*")):
        return
    for host, port in sorted(hosts, key=str):
        try:
            socket.create_connection((host, port or 443), timeout=10).close()
        except OSError as error:
            raise RunFailure(
                f"{builder.info.full_name} cannot be downloaded: {host} cannot be "
                f"reached ({error.strerror or error}). Try again with a network, or "
                "name a directory that holds the data with config.data.directory."
            ) from error


def _unreadable(path: object, error: Exception) -> RunFailure:
    return RunFailure(
        f"{path} cannot be read: {_reason(error)}. Restore it, or remove it to prepare "
        "it again."
    )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".: ")


def _keep_tensorflow_off_the_gpus() -> None:
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")


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
        _check_tensorflow(f"reading the TFRecord files of {builder.info.name}")
    try:
        if is_tfrecord:
            _keep_tensorflow_off_the_gpus()
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
        raise _unreadable(builder.data_path, error) from error
