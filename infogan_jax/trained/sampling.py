"""Samples of a trained run as files: pictures, one archive, or one grid."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from tqdm import tqdm

from infogan_jax.analysis.grids import grid
from infogan_jax.errors import UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.model.latents import Latents
from infogan_jax.run.code_names import shown_category
from infogan_jax.run.files import csv_lines, new_file, new_folder, write_png
from infogan_jax.trained import loading
from infogan_jax.trained.encoding import Arrays
from infogan_jax.trained.infogan import InfoGAN

MOST = 10**9
MOST_IN_GRID = 10_000
MANIFEST = "manifest.csv"
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, so that the same images are the same bytes."""

Batch = tuple[np.ndarray, Arrays]
"""Images as bytes, and the values of their codes by the names of the codes."""


def sample_images(
    workdir: Path,
    out: str,
    count: int = 100,
    codes: str = "",
    seed: int = 0,
    *,
    hold: bool = False,
    columns: int = 10,
) -> str:
    """Writes generated images with the codes of each; same arguments, same bytes.

    A name that ends in .npz is one archive: `images` and an array for each code. One
    that ends in .png is one grid, with the codes in a .csv file beside it. Any other
    name is a new folder of PNG files and `manifest.csv`. Archive and folder are written
    512 images at a time, so that memory does not depend on their number.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      out: where to write.
      count: how many images.
      codes: the values of codes, as in `InfoGAN.sample`.
      seed: of everything else.
      hold: whether everything else is the same in every image.
      columns: of a grid.

    Returns:
      One line on what was written.

    Raises:
      UserError: for a code or value that is not there, a count that is too large, or an
        `out` that is a folder with files, or has another suffix.
      RunFailure: where it cannot be written.
    """
    path = Path(out)
    most = MOST_IN_GRID if path.suffix == ".png" else MOST
    _check(out, path, count, most, seed, columns)
    processes.refuse_several()
    compilation.use_persistent_cache()
    model = loading.load(workdir)
    model.ranges(codes)  # a mistake is told before anything is written
    batches = _batches(model, count, codes, seed, hold)
    if path.suffix == ".npz":
        _write_archive(path, batches, (count, *model.image_shape))
    elif path.suffix == ".png":
        _write_grid(path, batches, columns)
    else:
        _write_folder(path, batches, count)
    return f"wrote {out}: {count} images and their codes"


def _check(
    out: str, path: Path, count: int, most: int, seed: int, columns: int
) -> None:
    if path.suffix not in ("", ".npz", ".png") or not path.name:
        raise UserError(
            f"--out (={out}) must end in .npz (an archive), in .png (a grid), or be a "
            "folder without a suffix; name one of these."
        )
    if not 1 <= count <= most:
        raise UserError(
            f"--count (={count}) must be 1 to {most:,} for {out}; for more images let "
            "--out be a folder or an .npz file."
        )
    if not 0 <= seed < 2**32:
        raise UserError(f"--seed (={seed}) must be 0 to {2**32 - 1}; take another.")
    if not 1 <= columns <= MOST_IN_GRID:
        raise UserError(f"--columns (={columns}) must be 1 to {MOST_IN_GRID}; try 10.")


def _batches(
    model: InfoGAN, count: int, codes: str, seed: int, hold: bool
) -> Iterator[Batch]:
    with tqdm(total=count, unit="image", disable=None) as bar:
        for drawn in model.latents_in_batches(count, codes, seed, hold=hold):
            yield model.generate(drawn), code_columns(model, drawn)
            bar.update(len(drawn.noise))


def code_columns(model: InfoGAN, drawn: Latents) -> Arrays:
    """Returns the values of the codes, by the names that the codes have been given.

    `<code>_name` follows where categories of a code have names.
    """
    columns: Arrays = {}
    for code in model.codes:
        values: Any = np.asarray(drawn.codes[code.name])
        columns[model.shown(code)] = values
        if any(key.startswith(f"{code.name}/") for key in model.names):
            called = [shown_category(model.names, code, k) for k in range(code.size)]
            columns[f"{model.shown(code)}_name"] = np.array(called)[values]
    return columns


def _write_folder(path: Path, batches: Iterable[Batch], count: int) -> None:
    digits = max(6, len(str(count - 1)))
    with new_folder(path) as folder, open(folder / MANIFEST, "wb") as manifest:
        first = 0
        for images, columns in batches:
            names = [f"{first + row:0{digits}}.png" for row in range(len(images))]
            if not first:
                manifest.write(csv_lines([["file", *columns]]))
            manifest.write(csv_lines(zip(names, *columns.values(), strict=True)))
            for name, image in zip(names, images, strict=True):
                write_png(folder / name, image)
            first += len(images)


def _write_grid(path: Path, batches: Iterable[Batch], columns: int) -> None:
    pictures, parts = zip(*batches, strict=True)
    images, values = np.concatenate(pictures), _join(parts)
    rows, places = np.divmod(np.arange(len(images)), columns)
    table = {"row": rows, "column": places} | values
    write_png(path, grid(images, min(columns, len(images))))
    with new_file(path.with_suffix(".csv")) as partial:
        lines = zip(*table.values(), strict=True)
        partial.write_bytes(csv_lines([list(table), *lines]))


def _write_archive(
    path: Path, batches: Iterable[Batch], shape: tuple[int, ...]
) -> None:
    """Writes the images as they come; of the codes all are kept, 4 bytes each."""
    kept: list[Arrays] = []
    with (
        new_file(path) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        with _entry(archive, "images") as file:
            _write_header(file, np.dtype(np.uint8), shape)
            for images, columns in batches:
                file.write(np.ascontiguousarray(images).tobytes())
                kept.append(columns)
        for name, values in _join(kept).items():
            with _entry(archive, name) as file:
                np.lib.format.write_array(file, values, allow_pickle=False)


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    about = zipfile.ZipInfo(f"{name}.npy", BEGINNING)
    about.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(about, "w", force_zip64=True)


def _write_header(file: IO[bytes], dtype: np.dtype, shape: tuple[int, ...]) -> None:
    about = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)


def _join(parts: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
