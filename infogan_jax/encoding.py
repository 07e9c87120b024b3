"""Encodes images: writes a file with the codes that Q assigns to them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from infogan_jax.analysis.encode import encode, posterior_arrays
from infogan_jax.data import decoding, prepared
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import restore
from infogan_jax.run.files import write_bytes

Arrays = dict[str, np.ndarray]
"""Equally long columns by name; some hold several numbers for each image."""

PART = 8192


def encode_images(workdir: Path, out: str, images: str | None = None) -> str:
    """Writes Q's posterior of images: probabilities of categories, means and sds.

    The columns of the codes are those of `posterior_arrays`. Before them, images of
    the run's own data have `split` (train or test), `index` in it and, where it is
    known, `label`; images of a folder have `name`, their path below it.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      out: an .npz file of arrays, or a .csv file in which an array of several
        numbers an image becomes several columns, `<name>/0` and so on.
      images: a folder of pictures; None takes all images of the run's own data.

    Returns:
      One line on what was written.

    Raises:
      UserError: where `out` has another suffix, there is no run or no code, or the
        folder has no picture, or none that fits.
    """
    path = Path(out)
    if path.suffix not in (".npz", ".csv"):
        raise UserError(f"--encode (={out}) must be a file .npz or .csv; name one.")
    processes.refuse_several()
    compilation.use_persistent_cache()
    paths = _pictures(Path(images)) if images else {}
    exp, state = restore(workdir)
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    if not spec.codes:
        raise UserError(f"--workdir (={workdir}) is a run without codes: none to read.")
    parts = _of_folder(exp, paths) if images else _of_run(exp.dataset)
    columns: list[Arrays] = []
    for about, pictures in parts:
        posterior = encode(spec, nets, state.params, state.stats, pictures)
        columns.append(about | posterior_arrays(posterior))
    names = columns[0]
    arrays = {name: np.concatenate([part[name] for part in columns]) for name in names}
    write_bytes(path, _npz(arrays) if path.suffix == ".npz" else _csv(arrays))
    images_read = len(next(iter(arrays.values())))
    return f"wrote {out}: {', '.join(names)} of {images_read} images"


def _of_run(dataset: Dataset) -> Iterator[tuple[Arrays, np.ndarray]]:
    splits = {"train": dataset.train, "test": dataset.test}
    is_labelled = all(split.labels is not None for split in splits.values())
    for name, split in splits.items():
        for start in tqdm(range(0, len(split.images), PART), name, disable=None):
            yield _rows(name, split, start, is_labelled)


def _rows(
    name: str, split: Split, start: int, is_labelled: bool
) -> tuple[Arrays, np.ndarray]:
    images = split.images[start : start + PART]
    index = np.arange(start, start + len(images))
    about = {"split": np.full(len(index), name), "index": index}
    if is_labelled and split.labels is not None:
        about["label"] = split.labels[index]
    return about, images


def _pictures(folder: Path) -> dict[str, Path]:
    """Returns the pictures of a folder, at any depth, by their relative names."""
    names = {path.relative_to(folder): path for path in sorted(folder.rglob("*"))}
    found = {
        name.as_posix(): path
        for name, path in names.items()
        if path.suffix.lower() in decoding.SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in name.parts)
    }
    if not found:
        raise UserError(
            f"--images (={folder}) must be a folder with "
            f"{', '.join(decoding.SUFFIXES)} files; it has none."
        )
    return found


def _of_folder(
    exp: Experiment, paths: dict[str, Path]
) -> Iterator[tuple[Arrays, np.ndarray]]:
    for start in range(0, len(paths), PART):
        names = list(paths)[start : start + PART]
        read = [_read(exp, paths[name]) for name in tqdm(names, disable=None)]
        yield {"name": np.array(names)}, np.stack(read)


def _read(exp: Experiment, path: Path) -> UInt8[np.ndarray, "height width channels"]:
    """Decodes a picture, and crops, resizes and colours it as the run's own data.

    One that has the networks' size already is taken as it is; one that is smaller
    than the crop is cut to its largest square.
    """
    try:
        picture = decoding.decode(path)
    except Exception as error:  # Pillow raises nearly anything on broken files
        reason = decoding.reason(error, path)
        raise UserError(
            f"--images: {path} cannot be read ({reason}); remove it."
        ) from error
    height, width, channels = exp.image_shape
    if picture.size == (width, height):
        return prepared.fit(picture, 0, 0, channels)
    if height != width:
        raise UserError(
            f"--images: {path} is {picture.height} x {picture.width}, but the networks "
            f"read {height} x {width}; resize it."
        )
    crop = exp.crop if exp.crop <= min(picture.size) else 0
    return prepared.fit(picture, crop, height, channels)


def _npz(arrays: Arrays) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _csv(arrays: Arrays) -> bytes:
    """Writes one column for each number; those of one array are counted from 0."""
    columns: Arrays = {}
    for name, array in arrays.items():
        texts = np.char.mod("%.7g", array) if array.dtype.kind == "f" else array
        if texts.ndim == 1:
            columns[name] = texts
        else:
            columns |= {f"{name}/{place}": part for place, part in enumerate(texts.T)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode(errors="surrogateescape")
