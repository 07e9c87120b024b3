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
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.decoding import from_pixels
from infogan_jax.data.held_out import count, order
from infogan_jax.data.prepared import Example, fit, prepare
from infogan_jax.errors import RunFailure, UserError

FACTOR = "label_"
NAME = re.compile(r"\w+(/[\w.+-]*\w)?(:\d+\.(\d+|\*)\.(\d+|\*))?")
"""The name of a data set, perhaps with a config and a version."""

VERSION = re.compile(r"\d+\.\d+\.\d+")

BINARY = ("binarized_mnist", "dsprites")
"""Data sets that store black and white as 0 and 1; here they become 0 and 255."""


def load(request: Request) -> Dataset:
    """Loads the splits `train` and `test` of a data set, cropped and resized as asked.

    If there is no split `test`, the share `request.held_out` of a fixed permutation of
    `train` is held out. The directory is `request.directory`, else the environment
    variable TFDS_DATA_DIR, else the default of tfds.

    Raises:
      UserError: if the name is unknown, a package is not installed, or the data has no
        images, no split `train`, or images of several sizes while `size` is 0.
      RunFailure: if the data cannot be downloaded, prepared or read.
    """
    if ".." in request.name or not NAME.fullmatch(request.name):
        raise UserError(
            f"config.data.name (={request.name!r}) must be a name of tfds's catalog, "
            "NAME[/CONFIG][:VERSION], such as mnist or smallnorb:2.0.0."
        )
    _check_installed("tensorflow_datasets", "needs TensorFlow Datasets")
    builder = _prepared_builder(request) or _download(request)
    name, directory = builder.info.full_name, Path(builder.data_path)
    factors = _factors(builder)
    splits, records = {}, {}
    for split, indices in _split_indices(builder, request).items():
        examples = partial(_examples, builder, split, indices, request)
        total = len(indices)
        recipe: dict[str, Any] = {"name": f"{name}/{split}", "examples": total}
        recipe |= {"directory": str(builder.data_path), **request.image_form}
        recipe |= {"factors": factors, "rules": 1}
        splits[split], records[split] = prepare(directory, recipe, total, examples)
    provenance = {"name": name, "source": "tensorflow_datasets"}
    provenance |= {"metadata": dict(builder.info.metadata or {}), **records}
    factor_names = tuple(factor.removeprefix(FACTOR) for factor in factors)
    return Dataset(splits["train"], splits["test"], provenance, factor_names)


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


def _split_indices(builder: Any, request: Request) -> Mapping[str, Sequence[int]]:
    """Returns the indices of the training and test examples in their stored splits.

    If there is no stored split `test`, both are indices in `train`.
    """
    features, splits = builder.info.features, builder.info.splits
    if "image" not in features or "train" not in splits:
        raise UserError(
            f"config.data.name (={request.name!r}) must be a data set with the feature "
            f"image and the split train; it has {', '.join(features)} and "
            f"{', '.join(splits)}; choose another."
        )
    total = splits["train"].num_examples
    if "test" in splits:
        return {"train": range(total), "test": range(splits["test"].num_examples)}
    if total < 2:
        raise UserError(
            f"config.data.name (={request.name!r}) must have 2 images or more, of "
            f"which one is held out, not {total}; add some."
        )
    shuffled, held = order(total), count(total, request.held_out)
    return {"train": sorted(shuffled[held:]), "test": sorted(shuffled[:held])}


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
    parts = [urlsplit(url) for url in builder.url_infos]
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


def _examples(
    builder: Any, split: str, indices: Sequence[int], request: Request
) -> Iterator[Example]:
    """Yields images with their labels and factors, in the order of storage."""
    info, factors = builder.info, _factors(builder)
    has_label = "label" in _classes(builder)
    channels = request.channels or info.features["image"].shape[-1] or 0
    for example in _stored_examples(builder, split, indices):
        pixels = np.asarray(example["image"])
        pixels = pixels * np.uint8(255) if info.name in BINARY else pixels
        yield Example(
            fit(from_pixels(pixels), request.crop, request.size, channels),
            int(example["label"]) if has_label else None,
            tuple(int(example[factor]) for factor in factors) or None,
        )


def _stored_examples(
    builder: Any, split: str, indices: Sequence[int]
) -> Iterator[Mapping[str, Any]]:
    """Yields examples as tfds decodes them; TFRecord is read through tf.data."""
    split = split if split in builder.info.splits else "train"
    is_tfrecord = builder.info.file_format.value != "array_record"
    if is_tfrecord:
        _check_tensorflow(f"reading the TFRecord files of {builder.info.name}")
    try:
        if is_tfrecord:
            import tensorflow_datasets as tfds

            _keep_tensorflow_off_the_gpus()
            chosen = set(indices)
            every = tfds.as_numpy(builder.as_dataset(split))
            yield from (each for index, each in enumerate(every) if index in chosen)
        else:
            source = builder.as_data_source(split)
            yield from (source[index] for index in indices)
    except Exception as error:  # tfds raises many kinds
        raise _unreadable(builder.data_path, error) from error
