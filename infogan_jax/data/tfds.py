"""Any image data set of TensorFlow Datasets, by its name.

A data set that lies prepared in the data directory is read as it is; else tfds
downloads and prepares it once, as ArrayRecord. Preparing needs TensorFlow, reading
ArrayRecord does not: it is imported in that step alone, and kept off the GPUs.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.prepared import Example, fit, prepare
from infogan_jax.errors import RunFailure, UserError

SPLITS = ("train", "test")


def load(request: Request) -> Dataset:
    """The splits `train` and `test` of a data set, cropped and resized as asked.

    Its directory is `request.directory`, or the environment's TFDS_DATA_DIR, or
    tfds's own default.

    Raises:
      UserError: where the name is unknown or the data has no images or splits.
      RunFailure: where it cannot be downloaded or prepared.
    """
    builder = _prepared_builder(request) or _download(request)
    features, counts = builder.info.features, builder.info.splits
    if "image" not in features or not set(SPLITS) <= set(counts):
        raise UserError(
            f"config.data.name (={request.name!r}) must be a data set with the feature "
            f"image and the splits train and test; it has {', '.join(features)} and "
            f"{', '.join(counts)}."
        )
    splits, records = {}, {}
    for name in SPLITS:
        recipe = {
            "name": f"{builder.info.full_name}/{name}",
            "examples": counts[name].num_examples,
            "directory": str(builder.data_path),
            "crop": request.crop,
            "size": request.size,
            "channels": request.channels,
        }
        splits[name], records[name] = prepare(
            Path(builder.data_path),
            recipe,
            counts[name].num_examples,
            partial(_examples, builder, name, request),
        )
    return Dataset(
        splits["train"],
        splits["test"],
        {"name": builder.info.full_name, "source": "tensorflow_datasets", **records},
    )


def _root(request: Request) -> Path:
    from tensorflow_datasets.core import constants

    chosen = request.directory or os.environ.get("TFDS_DATA_DIR")
    return Path(chosen or constants.DATA_DIR).expanduser()


def _prepared_builder(request: Request) -> Any | None:
    """A builder of the newest prepared version in the data directory, if any."""
    import tensorflow_datasets as tfds

    found = (_root(request) / request.name).glob("**/dataset_info.json")
    versions = sorted(
        (path.parent for path in found),
        key=lambda path: [int(n) if n.isdigit() else 0 for n in path.name.split(".")],
    )
    return tfds.builder_from_directory(versions[-1]) if versions else None


def _download(request: Request) -> Any:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(request.name, data_dir=_root(request))
    except tfds.core.registered.DatasetNotFoundError as error:
        raise UserError(
            f"config.data.name (={request.name!r}) is no data set of tfds; see "
            "https://www.tensorflow.org/datasets/catalog for their names."
        ) from error
    try:
        _keep_tensorflow_off_the_gpus()
        builder.download_and_prepare(file_format="array_record")
    except Exception as error:  # tfds raises many kinds
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise RunFailure(
            f"{request.name} cannot be prepared in {_root(request)}: {reason[0]} Try "
            "again, or name a directory that holds it with config.data.directory."
        ) from error
    return builder


def _keep_tensorflow_off_the_gpus() -> None:
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")


def _examples(builder: Any, split: str, request: Request) -> Iterator[Example]:
    """Decoded images and labels, in order; from TFRecord by way of tf.data."""
    has_label = "label" in builder.info.features
    wanted = {"image": True, "label": True} if has_label else {"image": True}
    if builder.info.file_format.value == "array_record":
        examples = iter(builder.as_data_source(split))
    else:
        import tensorflow_datasets as tfds

        _keep_tensorflow_off_the_gpus()
        decoders = tfds.decode.PartialDecoding(wanted)
        examples = tfds.as_numpy(builder.as_dataset(split, decoders=decoders))
    for example in examples:
        pixels = np.asarray(example["image"])
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        fitted = fit(image, request.crop, request.size, request.channels)
        yield fitted, int(example["label"]) if has_label else None
