"""Loader of a folder of image files.

`layout.py` says which files are read, and which split and class they belong to;
`decoding.py` how a file is decoded, and `rendering.py` what is done to it. The order is
that of the sorted relative names, in a fixed permutation.

Files that cannot be read are left out and listed in the provenance; too many are an
error.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import PIL

from infogan_jax.data import decoding, layout, prepared
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.held_out import hold_out, order, stratified_order
from infogan_jax.data.layout import Files, Layout
from infogan_jax.data.prepared import Block
from infogan_jax.data.survey import Task, counted, survey
from infogan_jax.errors import RunFailure, UserError

TOO_LARGE = re.compile(r": (\d+) x (\d+), more than [\d,]+ pixels$")
"""The end of a line about a file of more pixels than are allowed."""

MAX_UNREADABLE = 10  # files, if that is more than the share of the request


def load(request: Request) -> Dataset:
    """Loads the images below `request.directory`, uint8 [n, height, width, channels].

    The folder `test`, or else `val`, is held out; `val` beside `test` is left out.
    Without such folders the share `request.held_out` is held out, at least one image:
    of a fixed permutation of the sorted names or, where there are labels, of each
    class.

    Raises:
      UserError: if the folder is missing, has fewer than two readable images or too
        many unreadable ones, has images without a class, images smaller than `crop`, or
        images of several shapes while `size` is 0.
      RunFailure: if prepared images cannot be written, or the folder changes meanwhile.
    """
    root = _root(request)
    try:
        files = layout.find_files(root)
        fingerprint = _fingerprint(root, files.images)
    except OSError as error:
        raise _error(
            root, "must be readable", f"{error}; change its permissions"
        ) from error
    if len(files.images) < 2:
        raise _too_few(root, files)
    arranged = layout.arrange(root, files, wants_labels=request.labels)
    blocks = {
        name: Block(len(names), partial(_tasks, root, names, arranged.labels, request))
        for name, names in _ordered(arranged).items()
    }
    recipe = request.image_form | {"labels": request.labels, "name": root.name}
    recipe |= {"files": fingerprint, "most_pixels": request.most_pixels}
    recipe |= {"pillow": PIL.__version__, "classes": _digest(arranged.labels)}
    tasks = (block.tasks(0) for block in blocks.values())
    find_facts = partial(survey, chain.from_iterable(tasks), len(files.images), request)
    check = partial(_check_unchanged, root, files.images, fingerprint)
    try:
        splits, record = prepared.prepare(request, recipe, blocks, find_facts, check)
    except prepared.NothingReadable as error:
        raise _unreadable(root, request, error.unreadable, len(files.images)) from error
    _check_readable(root, request, record, len(files.images))
    if "" in splits:
        train, test = hold_out(splits[""], request.held_out)
    else:
        held = "test" if "test" in splits else "val"
        train, test = splits["train"], splits[held]
        if not len(train.images) or not len(test.images):
            raise _error(root, "must hold a readable image in each split", "add some")
    about = {"source": "folder", "directory": str(root), **recipe}
    about |= {"classes": arranged.classes, "unreadable": record["unreadable"]}
    about |= {"train": len(train.images), "test": len(test.images)}
    about |= {"sha256": {k: each["sha256"] for k, each in record["splits"].items()}}
    skipped = {
        why: counted(sorted(names)) for why, names in files.skipped.items() if names
    }
    if "val" in arranged.splits and "test" in arranged.splits:
        skipped["val, as there is test"] = counted(arranged.splits["val"])
    report = {**record, "skipped": skipped}
    return Dataset(train, test, about | {"report": report})


def _root(request: Request) -> Path:
    path = os.path.expanduser(request.directory)
    if request.directory and os.path.isdir(path):
        return Path(path).resolve()
    reason = "it is not one; create it"
    if os.path.isfile(path):
        reason = "it is a file; name the folder that it lies in"
        if layout.is_archive(path):
            reason = (
                "it is an archive; unzip it, and name the folder it was unzipped to"
            )
    raise _error(request.directory, "must be a folder of images", reason)


def _error(root: Path | str, relation: str, reason: str) -> UserError:
    return UserError(
        f"config.data.directory (={str(root)!r}) {relation}: {reason}, or set "
        "--config.data.directory to another folder."
    )


def _too_few(root: Path, files: Files) -> UserError:
    others = [name for names in files.skipped.values() for name in names]
    reason = f"it has {len(files.images)}; add some"
    if archive := next((name for name in others if layout.is_archive(name)), None):
        reason = f"it has {archive!r}, which is an archive; unzip it"
    elif files.skipped:
        left = (f"{len(names)} {why}" for why, names in files.skipped.items())
        reason = f"it has {len(files.images)}, and {', '.join(left)}; add some"
    kinds = ", ".join(decoding.FORMATS)
    return _error(root, f"must hold at least 2 images ({kinds})", reason)


def _fingerprint(root: Path, names: Sequence[str]) -> str:
    """Returns the SHA-256 of the names, sizes and modification times of files."""
    digest = hashlib.sha256()
    for name in names:
        status = os.stat(root / name)
        digest.update(os.fsencode(name))
        digest.update(f"\0{status.st_size} {status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _check_unchanged(root: Path, names: Sequence[str], before: str) -> None:
    try:
        is_same = _fingerprint(root, names) == before
    except OSError:
        is_same = False
    if not is_same:
        raise RunFailure(
            f"{root} has changed while its images were read; leave it as it is, and "
            "run the same command again."
        )


def _digest(labels: dict[str, int]) -> str:
    """Returns the SHA-256 of the labels, which may be from a CSV file."""
    return hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()


def _ordered(arranged: Layout) -> dict[str, list[str]]:
    """Returns the names of every split that is read, in the order of the images."""
    ordered = {}
    for split, names in arranged.splits.items():
        if split == "val" and "test" in arranged.splits:
            continue
        if split == "" and arranged.labels:
            places = stratified_order([arranged.labels[name] for name in names])
        else:
            places = order(len(names))
        ordered[split] = [names[place] for place in places]
    return ordered


def _tasks(
    root: Path, names: list[str], labels: dict[str, int], request: Request, start: int
) -> Iterator[Task]:
    most = request.most_pixels
    for name in names[start:]:
        yield Task(
            name,
            partial(_load, root / name, most),
            partial(decoding.look, root / name, most),
            labels.get(name),
        )


def _load(path: Path, most_pixels: int) -> Any:
    try:
        return decoding.load(path, most_pixels)
    except OSError as error:
        if error.errno is not None:
            raise
        raise ValueError(decoding.reason(error, path)) from error
    except decoding.TooLarge:
        raise
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise ValueError(decoding.reason(error, path)) from error


def _check_readable(
    root: Path, request: Request, record: dict[str, Any], total: int
) -> None:
    broken = record["unreadable"]
    if len(broken) > _limit(request, total) or record["shape"][0] < 2:
        raise _unreadable(root, request, broken, total)


def _limit(request: Request, total: int) -> int:
    return max(MAX_UNREADABLE, int(request.unreadable * total))


def _unreadable(
    root: Path, request: Request, broken: list[str], total: int
) -> UserError:
    """Lists the broken files of a folder in a file; returns an error that names it."""
    large = [match for line in broken if (match := TOO_LARGE.search(line))]
    place = prepared.place(request) / f"{root.name}.unreadable.txt"
    text = "".join(line.replace("\n", "\\n") + "\n" for line in broken)
    try:
        place.write_text(text, encoding="utf-8", errors="backslashreplace")
        listed = f"listed in {place}"
    except OSError:
        listed = f"the first is {broken[0]!r}"
    ways = ["repair or remove them"]
    if large:
        pixels = max(int(match[1]) * int(match[2]) for match in large)
        ways.append(
            f"set --config.data.most_pixels={pixels} for the {len(large)} of more than "
            f"{request.most_pixels:,} pixels"
        )
    if total - len(broken) >= 2:
        share = -(-100 * len(broken) // total) / 100
        ways.append(f"set --config.data.unreadable={share:g} to leave them out")
    return UserError(
        f"config.data.directory (={str(root)!r}) must hold at least 2 readable images "
        f"and at most {_limit(request, total)} unreadable ones among its {total} "
        f"(config.data.unreadable={request.unreadable:g}), but it has "
        f"{len(broken)}, {listed}; {', or '.join(ways)}."
    )
