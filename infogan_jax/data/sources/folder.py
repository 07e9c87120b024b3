"""Loader of a folder of image files.

The data set has every PNG, JPEG, WebP and BMP file, chosen by its suffix, at any depth.
The order is that of the sorted relative names. Hidden names (`.x`) are left out. A link
to a file is followed if the file is inside the folder; a link to a folder is not.

`decoding.py` says how a file is decoded. If `channels` is 0, the data is in colour if
the header of any file says so: an RGB file counts as colour even if it looks gray, but
a palette of grays does not. Thus no file is decoded twice. If `size` is given without
`crop`, the largest central square is cut out first.

Files are decoded one by one. A few unreadable files are left out and listed in the
provenance; too many are an error.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import PIL

from infogan_jax.data import decoding, prepared
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import hold_out, order
from infogan_jax.errors import UserError

MAX_UNREADABLE, MAX_UNREADABLE_SHARE = 10, 0.05  # files; the larger limit applies


def load(request: Request) -> Dataset:
    """Loads the images below `request.directory`, uint8 [n, height, width, channels].

    The share `request.held_out` of a fixed permutation of the sorted names is held
    out, at least one image. If `request.labels` is set, the folders of the first level
    are the classes, in the order of their names.

    Raises:
      UserError: if the folder is missing, has fewer than two readable images or too
        many unreadable ones, has images outside of the class folders, images smaller
        than `crop`, or images of several shapes while `size` is 0.
      RunFailure: if no directory for the prepared images can be written.
    """
    path = os.path.expanduser(request.directory)
    if not request.directory or not os.path.isdir(path):
        reason = "it is not one; create it"
        raise _error(request.directory, "must be a folder of images", reason)
    root = Path(path).resolve()
    try:
        names = _names(root)
        fingerprint = _fingerprint(root, names)
    except OSError as error:
        raise _error(
            root, "must be readable", f"{error}; change its permissions"
        ) from error
    if len(names) < 2:
        reason = f"it has {len(names)}, not counting links that leave it; add some"
        raise _error(root, "must hold at least 2 PNG, JPEG, WebP, BMP images", reason)
    classes = _classes(root, names) if request.labels else []
    recipe = request.image_form | {"labels": request.labels, "name": root.name}
    recipe |= {"directory": str(root), "files": fingerprint}
    recipe |= {"rules": 1, "pillow": PIL.__version__}
    unreadable: list[str] = []
    examples = partial(_examples, root, names, classes, request, unreadable)
    notes = {"unreadable": unreadable}
    split, record = prepared.prepare(root, recipe, len(names), examples, notes)
    read = _read_names(names, record["notes"]["unreadable"])
    train, test = hold_out(replace(split, names=read), request.held_out)
    result = {"classes": classes, "sha256": record["sha256"], **record["notes"]}
    result |= {"train": len(train.images), "test": len(test.images)}
    return Dataset(train, test, {"source": "folder", **recipe, **result})


def _error(root: Path | str, relation: str, reason: str) -> UserError:
    return UserError(
        f"config.data.directory (={str(root)!r}) {relation}: {reason}, or set "
        "--config.data.directory to another folder."
    )


def _names(root: Path) -> list[str]:
    """Returns the sorted relative names of the image files inside the folder."""

    def fail(error: OSError) -> NoReturn:
        raise error

    names = []
    for folder, subfolders, files in os.walk(root, onerror=fail):
        subfolders[:] = [
            name for name in subfolders if name[0] != "." and name != prepared.FOLDER
        ]
        for path in (Path(folder, file) for file in files if file[0] != "."):
            if path.suffix.lower() in decoding.SUFFIXES and path.is_file():
                if not path.is_symlink() or path.resolve().is_relative_to(root):
                    names.append(path.relative_to(root).as_posix())
    return sorted(names)


def _fingerprint(root: Path, names: Sequence[str]) -> str:
    """Returns the SHA-256 of the names, sizes and modification times of files."""
    digest = hashlib.sha256()
    for name in names:
        status = os.stat(root / name)
        digest.update(os.fsencode(name))
        digest.update(f"\0{status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _read_names(names: Sequence[str], unreadable: Sequence[str]) -> list[str]:
    """Returns the names of the files that were read, in the order of the images."""
    left_out = list(unreadable)
    read = []
    for name in (names[index] for index in order(len(names))):
        if left_out and left_out[0].startswith(f"{name}: "):
            left_out.pop(0)
        else:
            read.append(name)
    return read


def _classes(root: Path, names: Sequence[str]) -> list[str]:
    for name in names:
        if "/" not in name:
            raise UserError(
                f"config.data.labels (=True) takes folders below {str(root)!r} as "
                f"classes, but {name!r} lies in none; move it into one, or set "
                "--config.data.labels=False."
            )
    return sorted({name.split("/")[0] for name in names})


def _examples(
    root: Path,
    names: list[str],
    classes: list[str],
    request: Request,
    broken: list[str],
) -> Iterator[prepared.Example]:
    """Yields the images in the order of `hold_out`; adds broken files to `broken`."""
    paths = (root / name for name in names)
    channels = request.channels or decoding.channels(paths)
    labels = {name: label for label, name in enumerate(classes)}
    for name in (names[index] for index in order(len(names))):
        try:
            picture = decoding.decode(root / name)
        except Exception as error:  # Pillow raises nearly anything on broken files
            broken.append(f"{name}: {decoding.reason(error, root / name)}")
            _check_readable(root, len(names), broken)
            continue
        crop, size = request.crop, request.size
        pixels = prepared.fit(picture, crop, size, channels, repr(name))
        label = labels.get(name.split("/")[0])
        yield prepared.Example(pixels, label, name=repr(name))


def _check_readable(root: Path, total: int, broken: list[str]) -> None:
    limit = max(MAX_UNREADABLE, int(MAX_UNREADABLE_SHARE * total))
    if len(broken) > min(limit, total - 2):
        raise _error(
            root,
            f"must hold at least 2 readable images and at most {limit} unreadable ones "
            f"among its {total}",
            f"{broken[0]!r} is unreadable; repair or remove such files",
        )
