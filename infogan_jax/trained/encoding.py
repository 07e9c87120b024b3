"""Encodes images: writes a file with the codes that Q assigns to them."""

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infogan_jax.analysis.encode import posterior_arrays
from infogan_jax.data import decoding, layout
from infogan_jax.data.dataset import Split
from infogan_jax.errors import UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import described
from infogan_jax.run.code_names import shown_category
from infogan_jax.run.files import csv_lines, write_bytes
from infogan_jax.trained import loading
from infogan_jax.trained.infogan import InfoGAN

Arrays = dict[str, np.ndarray]
"""Equally long columns by name; some hold several numbers for each image."""

PART = 8192
NO_CATEGORY = -1
"""Of a picture that cannot be read."""


def encode_images(
    workdir: Path, out: str, images: str | None = None, flag: str = "--encode"
) -> str:
    """Writes Q's posterior of images: categories, probabilities, means and sds.

    Before the columns of `read_codes`, images of the run's own data have `split` (train
    or test), `index` in it, and where they are known `name`, `label` and `class`. The
    pictures of a folder have `name`, their path below it, and at the end `error`: why a
    picture cannot be read, whose numbers are NaN and whose category is -1.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      out: an .npz file of arrays, or a .csv file in which an array of several
        numbers an image becomes several columns, `<name>/0` and so on.
      images: a picture, or a folder of pictures; None takes the run's own data.
      flag: what `out` is called in an error.

    Returns:
      One line on what was written.

    Raises:
      UserError: where `out` has another suffix, there is no run or no code, or the
        folder has no picture, or none that can be read.
    """
    path = Path(out)
    if path.suffix not in (".npz", ".csv"):
        raise UserError(f"{flag} (={out}) must be a file .npz or .csv; name one.")
    processes.refuse_several()
    compilation.use_persistent_cache()
    paths = find_pictures(Path(images)) if images else {}
    model = loading.load(workdir)
    if not model.codes:
        raise UserError(f"--workdir (={workdir}) is a run without codes: none to read.")
    reading = codes_of_pictures(model, paths) if images else _of_run(model)
    parts = list(reading)
    names = parts[0]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in names}
    broken = _check_errors(arrays)
    write_bytes(path, _npz(arrays) if path.suffix == ".npz" else _csv(arrays))
    total = len(next(iter(arrays.values())))
    return f"wrote {out}: {', '.join(names)} of {total} images{broken}"


def read_codes(model: InfoGAN, images: np.ndarray) -> Arrays:
    """Returns what Q reads in images, by the names that the codes have been given.

    `category` is the most probable category of the first categorical code, from 0 on,
    and `confidence` its probability; of further ones they are `<code>/category` and
    `<code>/confidence`. Where categories have names, `category_name` follows. Then come
    the columns of `posterior_arrays`.
    """
    posterior = posterior_arrays(model.posterior(images))
    arrays: Arrays = {}
    categorical = [code for code in model.codes if code.is_categorical]
    for place, code in enumerate(categorical):
        prefix = f"{model.shown(code)}/" if place else ""
        shares = posterior[f"{code.name}/probabilities"]
        category = shares.argmax(axis=1)
        arrays[f"{prefix}category"] = category
        if any(key.startswith(f"{code.name}/") for key in model.names):
            called = [shown_category(model.names, code, k) for k in range(code.size)]
            arrays[f"{prefix}category_name"] = np.array(called)[category]
        arrays[f"{prefix}confidence"] = shares.max(axis=1)
    for code in model.codes:
        for name, array in posterior.items():
            if name.startswith(f"{code.name}/"):
                arrays[f"{model.shown(code)}{name[len(code.name) :]}"] = array
    return arrays


def find_pictures(folder: Path) -> dict[str, Path]:
    """Returns the pictures of a folder, at any depth, by their relative names.

    They are those that training would find (`data.layout`). A single picture is found
    as well.

    Raises:
      UserError: where there is no picture, or a folder cannot be listed.
    """
    if folder.is_file() and folder.suffix.lower() in decoding.SUFFIXES:
        return {folder.name: folder}
    try:
        names = layout.find_files(folder).images if folder.is_dir() else []
        found = {name: folder / name for name in names}
    except OSError as error:
        raise UserError(
            f"--images (={folder}) cannot be listed ({error.strerror}); name another, "
            "or change its permissions."
        ) from error
    if not found:
        raise UserError(
            f"--images (={folder}) must be a picture or a folder with "
            f"{', '.join(decoding.SUFFIXES)} files; it has none."
        )
    return found


def read_pictures(
    model: InfoGAN, paths: Iterable[Path]
) -> tuple[np.ndarray, list[str]]:
    """Reads pictures as the run's own images; black ones stand for those it cannot.

    Returns:
      The images, uint8 [n, height, width, channels], and for each why it cannot be
      read, or "".
    """
    images, errors = [], []
    for path in paths:
        try:
            images.append(model.read(path))
            errors.append("")
        except UserError as error:
            images.append(np.zeros(model.image_shape, np.uint8))
            errors.append(str(error).removeprefix(f"{path} "))
    return np.stack(images), errors


def _of_run(model: InfoGAN) -> Iterator[Arrays]:
    dataset = described(model.workdir).dataset
    splits = {"train": dataset.train, "test": dataset.test}
    classes = np.array(dataset.provenance.get("classes") or [], str)
    total = sum(len(split.images) for split in splits.values())
    with tqdm(total=total, unit="image", disable=None) as bar:
        for name, split in splits.items():
            for start in range(0, len(split.images), PART):
                rows = np.arange(start, min(start + PART, len(split.images)))
                about = _about(splits.values(), split, rows, classes)
                codes = read_codes(model, split.images[start : start + PART])
                yield {"split": np.full(len(rows), name)} | about | codes
                bar.update(len(rows))


def _about(
    splits: Iterable[Split], split: Split, rows: np.ndarray, classes: np.ndarray
) -> Arrays:
    about = {"index": rows}
    if split.names is not None:
        about["name"] = np.array([split.names[row] for row in rows])
    if split.labels is not None and all(each.labels is not None for each in splits):
        about["label"] = split.labels[rows]
        if classes.size:
            about["class"] = classes[about["label"]]
    return about


def codes_of_pictures(model: InfoGAN, paths: dict[str, Path]) -> Iterator[Arrays]:
    """Yields `name`, the columns of `read_codes` and `error`, for a part at a time.

    A picture that cannot be read has NaN for numbers, the category -1 and its reason.
    """
    names = list(paths)
    with tqdm(total=len(names), unit="image", disable=None) as bar:
        for start in range(0, len(names), PART):
            part = names[start : start + PART]
            pictures, errors = read_pictures(model, _counted(bar, part, paths))
            codes = read_codes(model, pictures)
            unread = np.array([error != "" for error in errors])
            codes = {name: _without(codes[name], unread) for name in codes}
            yield {"name": np.array(part)} | codes | {"error": np.array(errors)}


def _without(column: np.ndarray, unread: np.ndarray) -> np.ndarray:
    """Returns the column without the numbers of pictures that were not read."""
    column = column.copy()
    column[unread] = {"f": np.nan, "i": NO_CATEGORY}.get(column.dtype.kind, "")
    return column


def _counted(bar: tqdm, names: Sequence[str], paths: dict[str, Path]) -> Iterator[Path]:
    for name in names:
        yield paths[name]
        bar.update()


def _check_errors(arrays: Arrays) -> str:
    """Returns how many pictures could not be read, in words.

    Raises:
      UserError: where none could.
    """
    errors = arrays.get("error", np.array([], str))
    unread = np.flatnonzero(errors != "")
    if not unread.size:
        return ""
    first = f"{arrays['name'][unread[0]]} {errors[unread[0]]}"
    if len(unread) == len(errors):
        raise UserError(
            f"--images: none of {len(errors)} pictures can be read; {first}"
        )
    return (
        f"; {len(unread)} of them cannot be read, their numbers are NaN and their "
        f"column error says why: {first}"
    )


def _npz(arrays: Arrays) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _csv(arrays: Arrays) -> bytes:
    """Writes one column for each number; those of one array are counted from 0."""
    columns: Arrays = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = array
        else:
            columns |= {f"{name}/{place}": part for place, part in enumerate(array.T)}
    rows = zip(*columns.values(), strict=True)
    return csv_lines([list(columns), *rows])
