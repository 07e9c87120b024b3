"""The builder of a data set of TensorFlow Datasets: found in its directory, or made.

A data set that is already prepared in the data directory is taken as it is. Otherwise
tfds downloads and prepares it once, as ArrayRecord. Only this and reading TFRecord need
TensorFlow, which is kept off the GPUs.
"""

import logging
import os
import re
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from infogan_jax.data.dataset import Request
from infogan_jax.errors import RunFailure, UserError

NAME = re.compile(r"\w+(/[\w.+-]*\w)?(:\d+\.(\d+|\*)\.(\d+|\*))?")
"""The name of a data set, perhaps with a config and a version."""


VERSION = re.compile(r"\d+\.\d+\.\d+")


def find_builder(request: Request) -> Any:
    """Returns the builder of a data set, which is downloaded and prepared if need be.

    The directory is `request.directory`, else the environment variable TFDS_DATA_DIR,
    else the default of tfds.

    Raises:
      UserError: if the name is unknown, or a package is not installed.
      RunFailure: if the data cannot be downloaded or prepared.
    """
    if ".." in request.name or not NAME.fullmatch(request.name):
        raise UserError(
            f"config.data.name (={request.name!r}) must be a name of tfds's catalog, "
            "NAME[/CONFIG][:VERSION], such as mnist or smallnorb:2.0.0."
        )
    _check_installed("tensorflow_datasets", "needs TensorFlow Datasets")
    return _prepared_builder(request) or _download(request)


def _check_installed(package: str, need: str, hint: str = "") -> None:
    """Raises a UserError if a package is not installed, without importing it."""
    if find_spec(package) is None:
        raise UserError(
            f"config.data.source (='tfds') {need}, which is not installed; run "
            "'make tfds' in a checkout, or 'pip install tensorflow-datasets "
            f"tensorflow'. {hint}"
        )


def check_tensorflow(task: str) -> None:
    """Raises a UserError, which names the task, if TensorFlow is not installed."""
    hint = "Data prepared elsewhere as ArrayRecord can be read without it."
    _check_installed("tensorflow", f"cannot be used: {task} needs TensorFlow", hint)


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
        raise unreadable(newest, error) from error


def _download(request: Request) -> Any:
    """Downloads and prepares a data set, and returns its builder."""
    check_tensorflow(f"preparing {request.name}")
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
        keep_tensorflow_off_the_gpus()
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


def unreadable(path: object, error: Exception) -> RunFailure:
    """Returns the error of data that is there and cannot be read."""
    return RunFailure(
        f"{path} cannot be read: {_reason(error)}. Restore it, or remove it to prepare "
        "it again."
    )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".: ")


def keep_tensorflow_off_the_gpus() -> None:
    """Leaves their memory to JAX."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
