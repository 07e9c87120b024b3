"""Any image data set of TensorFlow Datasets, by its name, and the two of this project.

A data set that lies prepared in the data directory is read as it is; else tfds
downloads and prepares it once, as ArrayRecord. Preparing needs TensorFlow, reading
ArrayRecord does not: it is imported in that step alone, and kept off the GPUs.

What is taken: the feature `image`; `label`, where it is one of classes; and, as true
factors, all classes called `label_*`, as in dsprites, shapes3d and smallnorb.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import count, order
from infogan_jax.data.prepared import Example, fit, prepare
from infogan_jax.errors import RunFailure, UserError

FACTOR = "label_"
NAME = re.compile(r"\w+(/[\w.+-]*\w)?(:\d+\.(\d+|\*)\.(\d+|\*))?")
"""A data set of the catalog or of this project, perhaps with config and version."""

BINARY = ("binarized_mnist", "dsprites")
"""Data sets that keep black and white as 0 and 1, here made 0 and 255."""


def load(request: Request) -> Dataset:
    """The splits `train` and `test` of a data set, cropped and resized as asked.

    Where there is no `test`, a share `request.held_out` of `train` is held out, drawn
    once for good. The directory is `request.directory`, or the environment's
    TFDS_DATA_DIR, or tfds's own default.

    Raises:
      UserError: where the name is unknown, or the data has no images, no split
        `train`, or images of several sizes while `size` is 0.
      RunFailure: where it cannot be downloaded, prepared or read.
    """
    if request.name and (".." in request.name or not NAME.fullmatch(request.name)):
        raise UserError(
            f"config.data.name (={request.name!r}) must be a name of tfds's catalog, "
            "NAME[/CONFIG][:VERSION], such as mnist or smallnorb:2.0.0."
        )
    builder = _prepared_builder(request) or _download(request)
    parts, factors = _parts(builder, request), _factors(builder)
    splits, records = {}, {}
    for name, indices in parts.items():
        recipe = {
            "name": f"{builder.info.full_name}/{name}",
            "examples": len(indices),
            "directory": str(builder.data_path),
            "crop": request.crop,
            "size": request.size,
            "channels": request.channels,
            "factors": factors,
            "rules": 1,
        }
        splits[name], records[name] = prepare(
            Path(builder.data_path),
            recipe,
            len(indices),
            partial(_examples, builder, name, indices, factors, request),
        )
    about = {"name": builder.info.full_name, "source": "tensorflow_datasets"}
    about |= {"metadata": dict(builder.info.metadata or {})}
    names = tuple(factor.removeprefix(FACTOR) for factor in factors)
    return Dataset(splits["train"], splits["test"], about | records, names)


def _parts(builder: Any, request: Request) -> Mapping[str, Sequence[int]]:
    """The examples of each part, within its split, or within `train` if it has none."""
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
    chosen, cut = order(total), count(total, request.held_out)
    return {"train": sorted(chosen[cut:]), "test": sorted(chosen[:cut])}


def _factors(builder: Any) -> list[str]:
    """The features that are true factors, sorted: tfds does not keep their order."""
    names = sorted(builder.info.features)
    return [n for n in names if n.startswith(FACTOR) and _is_class(builder, n)]


def _is_class(builder: Any, name: str) -> bool:
    import tensorflow_datasets as tfds

    features = builder.info.features
    return name in features and isinstance(features[name], tfds.features.ClassLabel)


def _root(request: Request) -> Path:
    from tensorflow_datasets.core import constants

    chosen = request.directory or os.environ.get("TFDS_DATA_DIR")
    return Path(chosen or constants.DATA_DIR).expanduser()


def _prepared_builder(request: Request) -> Any | None:
    """A builder of the newest prepared version in the data directory, if any."""
    import tensorflow_datasets as tfds

    found = (_root(request) / request.name).glob("**/dataset_info.json")
    versions = [
        p.parent for p in found if re.fullmatch(r"\d+\.\d+\.\d+", p.parent.name)
    ]
    if not request.name or not versions:
        return None
    newest = max(versions, key=lambda path: [int(n) for n in path.name.split(".")])
    try:
        return tfds.builder_from_directory(newest)
    except Exception as error:  # tfds raises many kinds
        raise _unreadable(newest, error) from error


def _download(request: Request) -> Any:
    import tensorflow_datasets as tfds

    import infogan_jax.data.sources.renderings  # noqa: F401  it registers its builders

    try:
        builder = tfds.builder(request.name, data_dir=_root(request))
    except Exception as error:  # as above
        raise UserError(
            f"config.data.name (={request.name!r}) is no data set that tfds can make "
            f"({_reason(error)}); see https://www.tensorflow.org/datasets/catalog for "
            "their names."
        ) from error
    try:
        _keep_tensorflow_off_the_gpus()
        builder.download_and_prepare(file_format="array_record")
    except (UserError, RunFailure):
        raise
    except Exception as error:  # as above
        raise RunFailure(
            f"{request.name} cannot be prepared in {_root(request)}: {_reason(error)}. "
            "Try again, or name a directory that holds it with config.data.directory."
        ) from error
    return builder


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
    builder: Any,
    part: str,
    indices: Sequence[int],
    factors: Sequence[str],
    request: Request,
) -> Iterator[Example]:
    """Decoded images with what is known about them, in the order they are stored."""
    info = builder.info
    label = "label" if _is_class(builder, "label") else None
    channels = request.channels or info.features["image"].shape[-1] or 0
    for example in _stored(builder, part, indices):
        pixels = np.asarray(example["image"])
        pixels = pixels * np.uint8(255) if info.name in BINARY else pixels
        gray = pixels.shape[-1] == 1
        image = Image.fromarray(pixels[..., 0] if gray else pixels)
        yield Example(
            fit(image, request.crop, request.size, channels),
            int(example[label]) if label else None,
            tuple(int(example[factor]) for factor in factors) or None,
        )


def _stored(
    builder: Any, part: str, indices: Sequence[int]
) -> Iterator[Mapping[str, Any]]:
    """Examples as tfds gives them; from TFRecord by way of tf.data."""
    split = part if part in builder.info.splits else "train"
    try:
        if builder.info.file_format.value == "array_record":
            source = builder.as_data_source(split)
            yield from (source[index] for index in indices)
        else:
            import tensorflow_datasets as tfds

            _keep_tensorflow_off_the_gpus()
            kept = set(indices)
            every = tfds.as_numpy(builder.as_dataset(split))
            yield from (each for index, each in enumerate(every) if index in kept)
    except Exception as error:  # tfds raises many kinds
        raise _unreadable(builder.data_path, error) from error
