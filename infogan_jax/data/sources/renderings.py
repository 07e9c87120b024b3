"""Builders of TensorFlow Datasets for the two sets of 3D renderings in the paper.

tfds has neither data set. The import of this module registers both builders.
`sources/tfds.py` imports it only to prepare a data set, because tfds is slow to import.
"""

import hashlib
import os
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Set
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from PIL import Image

from infogan_jax.data import held_out
from infogan_jax.data.decoding import SUFFIXES, from_pixels, reason
from infogan_jax.data.rendering import Rules, read_picture
from infogan_jax.errors import RunFailure, UserError

VIEW = re.compile(r"([^/]+)/renders/image_\d+_p(\d+)_t(\d+)_r\d+\.png$")
TEST_SHARE = 0.1  # of the models
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
BROKEN = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error)


class RenderedChairs(tfds.core.GeneratorBasedBuilder):
    """1,393 chairs from 62 sides each (Aubry et al. 2014, "Seeing 3D chairs").

    If `downloads/manual/rendered_chairs.tar` is in the data directory, it is used.
    Otherwise the archive is downloaded from `url`, an address that this project has
    never reached itself. The SHA-256 of the archive is recorded. tfds verifies it if a
    file `checksums.tsv` beside this module has a line with address, bytes, SHA-256 and
    file name, separated by tabs.

    Images are gray and keep their size (600 x 600). A fixed random tenth of the models
    is the split `test`; none of these models is in training. The factors are in the
    file names: azimuth (`t`) and elevation (`p`), each counted from 0 in the order of
    its degrees.
    """

    VERSION = tfds.core.Version("1.0.0")
    url = (
        "https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar"
    )

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(None, None, 1)),
            "model": tfds.features.Text(),
            "label_azimuth": tfds.features.ClassLabel(),
            "label_elevation": tfds.features.ClassLabel(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            homepage="https://www.di.ens.fr/willow/research/seeing3Dchairs/",
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        archive = self._archive(dl_manager)
        views = [view for name, _ in _members(archive) if (view := VIEW.search(name))]
        train, test = self._split_models(archive, views)
        for group, factor in ((2, "label_elevation"), (3, "label_azimuth")):
            degrees = {view[group] for view in views}
            self.info.features[factor].names = sorted(degrees, key=int)
        with open(archive, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.info.metadata.update(archive=str(archive), sha256=digest)
        return {
            "train": self._generate_examples(archive, train),
            "test": self._generate_examples(archive, test),
        }

    def _archive(self, dl_manager: Any) -> Path:
        manual = Path(dl_manager.download_dir, "manual", "rendered_chairs.tar")
        has_checksum = self.url in (self.url_infos or {})
        if manual.exists() and not has_checksum:
            return manual
        return Path(dl_manager.download(self.url))  # verifies the manual file, if any

    def _split_models(
        self, archive: Path, views: list[re.Match[str]]
    ) -> tuple[set[str], set[str]]:
        """Returns the models of the splits `train` and `test`."""
        counts = Counter(view[1] for view in views)
        if len(counts) < 2 or len(set(counts.values())) > 1:
            raise RunFailure(
                f"{archive} must hold 2 models or more, with as many views each, as "
                "<model>/renders/image_<n>_p<elevation>_t<azimuth>_r<n>.png, but has "
                f"{len(views)} views of {len(counts)} models; replace it by that of "
                f"{self.url}."
            )
        chosen = held_out.order(len(counts))[: held_out.count(len(counts), TEST_SHARE)]
        models = sorted(counts)
        test = {models[index] for index in chosen}
        return set(models) - test, test

    def _generate_examples(
        self, archive: Path, models: Set[str]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, file in _members(archive):
            if (view := VIEW.search(name)) and view[1] in models:
                image = _gray(f"{archive}: {name}", file.read())
                factors = {"label_elevation": view[2], "label_azimuth": view[3]}
                yield name, {"image": image, "model": view[1], **factors}


class RenderedFaces(tfds.core.GeneratorBasedBuilder):
    """Renderings of faces, which users make themselves because of the model's licence.

    The paper renders its faces with the Basel Face Model (Paysan et al. 2009). The
    folder `downloads/manual/rendered_faces` of the data directory has the images, of
    any size, or archives of them (.tar, .tar.gz, .tgz, .zip). They are stored in gray.
    To use other images later, remove `rendered_faces` from the data directory.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        image = tfds.features.Image(shape=(None, None, 1))
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict({"image": image}),
            homepage="https://faces.dmi.unibas.ch/bfm/",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        folder = Path(dl_manager.download_dir, "manual", "rendered_faces")
        names = (path.name.lower() for path in folder.rglob("*"))
        if not any(name.endswith(SUFFIXES + ARCHIVES) for name in names):
            raise UserError(
                "config.data.name (='rendered_faces') needs renderings of your own in "
                f"{folder}: ask for the licence of the Basel Face Model at "
                "https://faces.dmi.unibas.ch/bfm/, render faces with it, and put the "
                "images, or a .zip or .tar of them, there."
            )
        return {"train": self._generate_examples(folder)}

    def _generate_examples(self, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, (name, file) in enumerate(_image_files(folder)):
            yield index, {"image": _gray(name, file.read())}


def _image_files(folder: Path) -> Iterator[tuple[str, BufferedIOBase]]:
    """Yields the image files in a folder and in its archives, sorted by file name."""
    for path in sorted(folder.rglob("*")):
        name = path.name.lower()
        if name.endswith(SUFFIXES):
            with open(path, "rb") as file:
                yield str(path), file
        elif name.endswith(ARCHIVES):
            for member, content in _members(path):
                if member.lower().endswith(SUFFIXES):
                    yield f"{path}: {member}", content


def _members(archive: Path) -> Iterator[tuple[str, BufferedIOBase]]:
    """Yields the files of an archive; read each before you ask for the next."""
    methods = tfds.download.ExtractMethod
    method = methods.ZIP if archive.suffix.lower() == ".zip" else methods.TAR
    try:
        with open(archive, "rb") as file:
            _check_end(file)
            yield from tfds.download.iter_archive(file, method)
    except BROKEN as error:
        why = reason(error, archive).splitlines()[0].rstrip(":")
        raise RunFailure(
            f"{archive} is incomplete or damaged ({why}); remove it, and its .INFO if "
            "there is one, or replace it by a whole one, and run the command again."
        ) from error


def _check_end(file: BufferedIOBase) -> None:
    """Checks that a tar file is not cut in or before a header, which Python ignores."""
    is_plain_tar = file.read(512)[257:262] == b"ustar"
    if is_plain_tar and file.seek(-512, os.SEEK_END) and any(file.read()):
        raise tarfile.ReadError("it ends too early")
    file.seek(0)


def _gray(name: str, content: bytes) -> Image.Image:
    file = BytesIO(content)
    try:
        return from_pixels(read_picture(file, Rules(channels=1)))
    except Exception as error:  # Pillow raises nearly anything on broken files
        raise RunFailure(
            f"{name} cannot be decoded ({reason(error, file)}); replace it, and run "
            "the same command again."
        ) from error
