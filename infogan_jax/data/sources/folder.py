"""A folder of pictures as a data set.

What counts: PNG, JPEG, WebP and BMP files by their suffix, at any depth, in the order
of their sorted relative names. Hidden names (`.x`) are left out. Links to files are
followed where they stay inside the folder, links to folders never.

What becomes of a picture is said in `decoding.py`. Without `channels` the data is in
colour if any picture is, by its header alone (an RGB file counts as colour even if it
looks gray; a palette of grays does not), so that nothing is decoded twice. With
`size`, and without `crop`, the largest central square is cut out first.

Pictures are decoded one by one. Files that cannot be read are skipped and listed in
the provenance, as long as they are few.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import PIL

from infogan_jax.data import decoding, prepared
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import hold_out, order
from infogan_jax.errors import UserError

FEW, SMALL_SHARE = 10, 0.05  # unreadable files borne: the number, or the share of all


def load(request: Request) -> Dataset:
    """The pictures below `request.directory`, uint8 [n, height, width, channels].

    The held-out images are the share `request.held_out` of a fixed permutation of
    the sorted names, at least one. With `request.labels` the folders of the first
    level are the classes, in the order of their names.

    Raises:
      UserError: where the folder is missing or holds fewer than two readable
        pictures, too many unreadable ones, pictures outside of the class folders,
        smaller than `crop`, or of several shapes while `size` is 0.
      RunFailure: where the prepared images can be written nowhere.
    """
    root = _root(request.directory)
    try:
        names = _names(root)
        fingerprint = _fingerprint(root, names)
    except OSError as error:
        raise _refusal(root, "must be readable", f"{error}; allow it") from error
    if len(names) < 2:
        reason = (
            f"it has {len(names)}, not counting links that lead out of it; add some"
        )
        raise _refusal(root, "must hold at least 2 PNG, JPEG, WebP, BMP images", reason)
    classes = _classes(root, names) if request.labels else []
    asked = ("crop", "size", "channels", "labels")
    recipe = {field: getattr(request, field) for field in asked}
    recipe |= {"name": root.name, "directory": str(root), "files": fingerprint}
    recipe |= {"rules": 1, "pillow": PIL.__version__}
    unreadable: list[str] = []
    examples = partial(_examples, root, names, classes, request, unreadable)
    notes = {"unreadable": unreadable}
    split, record = prepared.prepare(root, recipe, len(names), examples, notes)
    train, test = hold_out(split, request.held_out)
    found = {"classes": classes, "sha256": record["sha256"], **record["notes"]}
    found |= {"train": len(train.images), "test": len(test.images)}
    return Dataset(train, test, {"source": "folder", **recipe, **found})


def _refusal(root: Path | str, relation: str, reason: str) -> UserError:
    return UserError(
        f"config.data.directory (={str(root)!r}) {relation}: {reason}, or set "
        "--config.data.directory to another folder."
    )


def _root(directory: str) -> Path:
    path = os.path.expanduser(directory)
    if not directory or not os.path.isdir(path):
        raise _refusal(directory, "must be a folder of images", "it is none; make it")
    return Path(path).resolve()


def _names(root: Path) -> list[str]:
    """Relative names of the pictures that are files inside the folder, sorted."""

    def fail(error: OSError) -> NoReturn:
        raise error

    names = []
    for folder, below, files in os.walk(root, onerror=fail):
        below[:] = [
            each for each in below if each[0] != "." and each != prepared.FOLDER
        ]
        for path in (Path(folder, file) for file in files if file[0] != "."):
            if path.suffix.lower() in decoding.SUFFIXES and path.is_file():
                if not path.is_symlink() or path.resolve().is_relative_to(root):
                    names.append(path.relative_to(root).as_posix())
    return sorted(names)


def _fingerprint(root: Path, names: Sequence[str]) -> str:
    """SHA-256 over names, sizes and times of change."""
    digest = hashlib.sha256()
    for name in names:
        status = os.stat(root / name)
        digest.update(os.fsencode(name))
        digest.update(f"\0{status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


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
    root: Path, names: list[str], classes: list[str], request: Request, bad: list[str]
) -> Iterator[prepared.Example]:
    """Decodes the pictures in the order for `hold_out`; `bad` takes the unreadable."""
    paths = (root / name for name in names)
    channels = request.channels or decoding.channels(paths)
    labels = {name: label for label, name in enumerate(classes)}
    for name in (names[index] for index in order(len(names))):
        try:
            picture = decoding.decode(root / name)
        except Exception as error:  # Pillow raises nearly anything on broken files
            bad.append(f"{name}: {decoding.reason(error, root / name)}")
            _check_readable(root, len(names), bad)
            continue
        crop, size = request.crop, request.size
        pixels = prepared.fit(picture, crop, size, channels, repr(name))
        label = labels.get(name.split("/")[0])
        yield prepared.Example(pixels, label, name=repr(name))


def _check_readable(root: Path, total: int, bad: list[str]) -> None:
    limit = max(FEW, int(SMALL_SHARE * total))
    if len(bad) > min(limit, total - 2):
        raise _refusal(
            root,
            f"must hold at least 2 readable images and at most {limit} unreadable ones "
            f"among its {total}",
            f"{bad[0]!r} is unreadable; repair or remove such files",
        )
