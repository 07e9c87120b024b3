"""Sorts a folder of pictures into folders by the category that Q reads in each."""

import os
import shutil
from pathlib import Path

import numpy as np

from infogan_jax.errors import UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.run.code_names import shown_category
from infogan_jax.run.files import csv_lines, explained_errors, new_folder
from infogan_jax.trained import loading
from infogan_jax.trained.encoding import Arrays, codes_of_pictures, find_pictures
from infogan_jax.trained.infogan import InfoGAN

UNSURE = "unsure"
TABLE = "sorted.csv"


def sort_images(
    workdir: Path, images: str, out: str, confidence: float = 0.9, *, link: bool = False
) -> str:
    """Copies pictures into a new folder, one folder for each category.

    A picture keeps its path below the folder of its category. Pictures of less
    confidence come into `unsure`. `sorted.csv` has a row for each picture: `name`,
    `folder`, `category`, `confidence`, and `error` of those that cannot be read, which
    come into no folder. The originals are only read.

    Args:
      workdir: of a run with a categorical code, the first of which is used.
      images: a folder of pictures.
      out: a new or empty folder outside of `images`.
      confidence: the least probability of a category, 0 to 1.
      link: whether to make links to the originals, not copies.

    Returns:
      How many pictures came into which folder.

    Raises:
      UserError: where a folder is not as above, no picture can be read, or the run has
        no categorical code.
      RunFailure: where a copy cannot be written.
    """
    if not 0 <= confidence <= 1:
        raise UserError(f"--confidence (={confidence}) must be 0 to 1; try 0.9.")
    _check_outside(images, out)
    processes.refuse_several()
    paths = find_pictures(Path(images))
    compilation.use_persistent_cache()
    model = loading.load(workdir)
    folders = category_folders(model)
    with new_folder(Path(out)) as folder:
        parts = list(codes_of_pictures(model, paths))
        table = {
            name: np.concatenate([part[name] for part in parts])
            for name in ("name", "category", "confidence", "error")
        }
        table["folder"] = _choose(table, folders, confidence)
        for name, chosen in zip(table["name"], table["folder"], strict=True):
            if chosen:
                _place(paths[name], folder / chosen / name, link)
        columns = ("name", "folder", "category", "confidence", "error")
        rows = zip(*(table[column] for column in columns), strict=True)
        (folder / TABLE).write_bytes(csv_lines([columns, *rows]))
    return _summary(table, out, link)


def category_folders(model: InfoGAN) -> list[str]:
    """Returns the name of the folder of each category.

    Raises:
      UserError: where the run has no categorical code, or a category is called as the
        folder of the unsure ones.
    """
    code = next((code for code in model.codes if code.is_categorical), None)
    if code is None:
        raise UserError(
            f"--workdir (={model.workdir}) is a run without a categorical code; sort "
            "by a column of `infogan encode` instead."
        )
    names = [shown_category(model.names, code, k) for k in range(code.size)]
    if UNSURE in names:
        raise UserError(
            f"a category of {code.name} is called {UNSURE!r}, as the folder of unsure "
            "pictures; give it another name by `infogan name`."
        )
    return names


def _check_outside(images: str, out: str) -> None:
    if not out:
        raise UserError("--out is missing; name a new folder for the sorted pictures.")
    inner, outer = Path(out).resolve(), Path(images).resolve()
    if inner.is_relative_to(outer):
        raise UserError(
            f"--out (={out}) lies in --images (={images}), whose pictures would be "
            "found again; name a folder outside of it."
        )


def _choose(table: Arrays, folders: list[str], confidence: float) -> np.ndarray:
    """Returns the folder of each picture, "" of one that cannot be read."""
    sure = np.array(folders)[np.maximum(table["category"], 0)]
    chosen = np.where(table["confidence"] >= confidence, sure, UNSURE)
    return np.where(table["error"] == "", chosen, "")


def _place(original: Path, target: Path, link: bool) -> None:
    with explained_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            os.symlink(original.resolve(), target)
        else:
            shutil.copy2(original, target)


def _summary(table: Arrays, out: str, link: bool) -> str:
    placed = table["folder"][table["error"] == ""]
    names, counts = np.unique(placed, return_counts=True)
    rows = [f"  {name}: {count}" for name, count in zip(names, counts, strict=True)]
    if unread := len(table["folder"]) - len(placed):
        rows.append(f"  in no folder, because they cannot be read: {unread}")
    what = "links to" if link else "copies of"
    return "\n".join([f"wrote {out}: {what} {len(placed)} pictures", *rows])
