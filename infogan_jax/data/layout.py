"""The layout of a folder: which files are images, in which split and of which class.

Folders `train`, `val` and `test` are splits. Below them, or at once, the folders of the
first level are the classes; or a CSV file beside the images has the labels.
"""

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from infogan_jax.data import decoding
from infogan_jax.errors import UserError

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders that are splits."""

_SPLIT = re.compile(r"([a-z]+)([-_ ]?(\d+|set|data|images?))?")

SYSTEM = ("@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", "lost+found")
"""Folders that systems make, with thumbnails or deleted files."""

EARLIER = "infogan_jax_prepared"
"""Where earlier versions kept prepared images, in the folder of the images."""

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")
FILE_COLUMNS = ("file", "filename", "file_name", "image", "name", "path")
LABEL_COLUMNS = ("label", "class", "category", "labels")


@dataclass
class Files:
    """What a folder holds.

    Attributes:
      images: the sorted relative names of the image files.
      tables: of the CSV files beside the images.
      skipped: by the reason, the relative names of what is left out.
    """

    images: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, name: str) -> None:
        """Leaves something out."""
        self.skipped.setdefault(reason, []).append(name)


@dataclass(frozen=True)
class Layout:
    """The images of a folder by split, with their labels.

    Attributes:
      splits: the sorted names of the images of `train`, `test` and `val`, or of "".
      classes: the names of the classes, in the order of their labels.
      labels: by the name of an image; empty where labels were not asked for.
    """

    splits: dict[str, list[str]]
    classes: list[str]
    labels: dict[str, int]


def find_files(root: Path) -> Files:
    """Looks through a folder, at any depth.

    Links to files are followed. Links to folders are followed at the top level and
    directly in the folder of a split, unless they lead into the folder itself.

    Raises:
      OSError: if a folder cannot be listed.
    """

    def fail(error: OSError) -> NoReturn:
        raise error

    files, starts = Files(), [root]
    for start in starts:
        for folder, subfolders, names in os.walk(start, onerror=fail):
            kept = []
            for path in (Path(folder, name) for name in sorted(subfolders)):
                name = path.relative_to(root).as_posix()
                if path.name == EARLIER:
                    files.skip("prepared by an earlier version, remove it", name)
                elif path.name.startswith(".") or path.name in SYSTEM:
                    files.skip("hidden", name)
                elif not path.is_symlink():
                    kept.append(path.name)
                elif _is_followed(path, root):
                    starts.append(path)
                else:
                    files.skip("links not followed", name)
            subfolders[:] = kept
            for path in (Path(folder, name) for name in names):
                _sort(path, path.relative_to(root).as_posix(), files)
    files.images.sort()
    return files


def _is_followed(path: Path, root: Path) -> bool:
    parent = path.parent
    is_top = parent == root
    is_in_split = parent.parent == root and bool(split_of(parent.name))
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    is_apart = not (target.is_relative_to(root) or root.is_relative_to(target))
    return (is_top or is_in_split) and is_apart


def _sort(path: Path, name: str, files: Files) -> None:
    suffix = path.suffix.lower()
    is_image = suffix in decoding.SUFFIXES
    if path.name.startswith("."):
        if is_image:
            files.skip("hidden", name)
    elif is_image and not path.is_file():
        files.skip("not files, or links to nothing", name)
    elif is_image:
        files.images.append(name)
    else:
        reader = decoding.READERS.get(suffix, "")
        why = f"{suffix}; for it, {reader}" if reader else suffix
        files.skip(why or "no suffix", name)
        if suffix == ".csv":
            files.tables.append(name)


def arrange(root: Path, files: Files, *, wants_labels: bool) -> Layout:
    """Finds splits, and labels where they are asked for.

    Raises:
      UserError: if labels are asked for and not every image has one, or all have the
        same.
    """
    splits, depth = _splits(files.images)
    if not wants_labels:
        return Layout(splits, [], {})
    found = [table for table in files.tables if "/" not in table]
    tables = {name: texts for name in found if (texts := _read_table(root / name))}
    if len(tables) > 1:
        raise _labels_error(
            root,
            f"{' and '.join(map(repr, sorted(tables)))} all have columns for file and "
            "label; leave one of them",
        )
    if tables:
        ((table, texts),) = tables.items()
        files.skipped[".csv"].remove(table)
        by_name = _from_table(root, files.images, table, texts)
    else:
        by_name = _from_folders(root, splits, depth)
    classes = sorted(set(by_name.values()), key=natural)
    if len(classes) < 2:
        raise _labels_error(
            root,
            f"all images are of one class, {classes[0]!r}; if its folders are the "
            f"classes, set --config.data.directory={root / classes[0]}",
        )
    labels = {text: label for label, text in enumerate(classes)}
    return Layout(splits, classes, {name: labels[by_name[name]] for name in by_name})


def _labels_error(root: Path, reason: str) -> UserError:
    return UserError(
        f"config.data.labels (=True) needs a class for every image of {str(root)!r}: "
        f"{reason}, or set --config.data.labels=False."
    )


def natural(text: str) -> tuple[bool, int, str]:
    """Sorts whole numbers by their value, before other texts."""
    is_number = text.isdecimal() and text.isascii()
    return not is_number, int(text) if is_number else 0, text


def split_of(folder: str) -> str:
    """Returns `train`, `val`, `test` or "", for names such as Train or val2017."""
    match = _SPLIT.fullmatch(folder.lower())
    return SPLITS.get(match[1], "") if match else ""


def _splits(images: Sequence[str]) -> tuple[dict[str, list[str]], int]:
    """Returns the images of every split, and the level of the folders below.

    The images are of "" where folders are no splits. The folders of the splits may lie
    together in one folder, and this in another.
    """
    paths = [name.split("/") for name in images]
    for level in range(min(map(len, paths)) - 1):
        tops = {path[level] for path in paths}
        kinds = {split_of(top) for top in tops}
        if "" not in kinds and "train" in kinds and len(kinds) > 1:
            splits: dict[str, list[str]] = {kind: [] for kind in sorted(kinds)}
            for name, path in zip(images, paths, strict=True):
                splits[split_of(path[level])].append(name)
            return splits, level + 1
        if len(tops) > 1:
            break
    return {"": list(images)}, 0


def _from_folders(
    root: Path, splits: dict[str, list[str]], depth: int
) -> dict[str, str]:
    classes = {}
    for name in (name for names in splits.values() for name in names):
        parts = name.split("/")
        if len(parts) < depth + 2:
            raise _labels_error(
                root,
                f"{name!r} lies in no class folder; move it into one, or add a CSV "
                "file with the columns file,label",
            )
        classes[name] = parts[depth]
    return classes


def _read_table(path: Path) -> dict[str, str] | None:
    """Returns the label of every file in a CSV file; None if it is another table."""
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    file, label = (
        next((head.index(name) for name in names if name in head), None)
        for names in (FILE_COLUMNS, LABEL_COLUMNS)
    )
    if file is None or label is None:
        return None
    return {
        row[file].strip().replace("\\", "/").removeprefix("./"): row[label].strip()
        for row in rows[1:]
        if len(row) > max(file, label)
    }


def _from_table(
    root: Path, images: Sequence[str], table: str, texts: dict[str, str]
) -> dict[str, str]:
    """Returns the label of every image by its path, its name, or that without suffix.

    A name alone counts only where no other image has it.
    """
    ends: dict[str, int] = {}
    for name in images:
        for end in {name.split("/")[-1], name.split("/")[-1].rpartition(".")[0]}:
            ends[end] = ends.get(end, 0) + 1
    labels, without = {}, []
    for name in images:
        last = name.split("/")[-1]
        keys = [name, name.rpartition(".")[0]]
        keys += [end for end in (last, last.rpartition(".")[0]) if ends[end] == 1]
        text = next((texts[key] for key in keys if texts.get(key)), None)
        if text is None:
            without.append(name)
        else:
            labels[name] = text
    if without:
        raise _labels_error(
            root,
            f"{table!r} has no label for {len(without)} of {len(images)} images, such "
            f"as {without[0]!r}; add them to it",
        )
    return labels


def is_archive(name: str) -> bool:
    """Returns whether a file is an archive, by its suffix."""
    return name.lower().endswith(ARCHIVES)
