"""The builders of this project: they make gray images and factors from archives."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_renderings import chair_files, encode_image, make_tar, serve
from tiny_tfds import skip_without_tfds

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import tfds
from infogan_jax.errors import RunFailure, UserError

skip_without_tfds()

import tensorflow_datasets  # noqa: E402
from tensorflow_datasets.core.download.checksums import UrlInfo  # noqa: E402

from infogan_jax.data.sources import renderings  # noqa: E402

CHAIRS = make_tar(chair_files())
DIGEST = hashlib.sha256(CHAIRS).hexdigest()


@pytest.fixture
def root(tmp_path):
    """A data directory with an odd name."""
    root = tmp_path / "my dätä 漢"
    (root / "downloads" / "manual" / "rendered_faces").mkdir(parents=True)
    return root


@pytest.fixture
def manual(root):
    return root / "downloads" / "manual"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(CHAIRS) as server:
        monkeypatch.setattr(renderings.RenderedChairs, "url", server.url)
        yield server


def load(root, name="rendered_chairs", **options):
    return tfds.load(Request("tfds", name, str(root), **options))


def check_refused(kind, message, *arguments):
    with pytest.raises(kind, match=message) as caught:
        load(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def model_and_view(split):
    """The model and the view of each image, from its brightness."""
    assert split.images.shape[1:] == (6, 6, 1)
    return np.divmod(split.images[:, 0, 0, 0].astype(int), 10)


def test_whole_models_are_held_out_and_the_factors_are_azimuth_and_elevation(
    root, manual
):
    (manual / "rendered_chairs.tar").write_bytes(CHAIRS)
    data = load(root)
    train, test = (set(model_and_view(split)[0]) for split in (data.train, data.test))
    assert (len(train), len(test)) == (11, 1) and train | test == set(range(12))
    assert (len(data.train.images), len(data.test.images)) == (44, 4)
    assert data.factor_names == ("azimuth", "elevation")
    for split in (data.train, data.test):
        _, view = model_and_view(split)
        np.testing.assert_array_equal(split.factors.T, [1 - view % 2, view // 2])
        assert split.labels is None
    assert data.provenance["metadata"]["sha256"] == DIGEST


def test_chairs_are_prepared_in_the_form_of_the_request(root, manual):
    (manual / "rendered_chairs.tar").write_bytes(make_tar(chair_files(2), "w:gz"))
    assert load(root, size=4, channels=1).image_shape == (4, 4, 1)


def test_the_archive_is_downloaded_once(root, server):
    data, again = load(root), load(root)
    assert server.requests == 1 and len(data.train.images) == 44
    assert data.provenance["metadata"]["sha256"] == DIGEST
    assert data.provenance == again.provenance


def test_an_interrupted_download_ends_the_run_and_is_started_again(root, server):
    server.bytes_sent = len(CHAIRS) // 2
    check_refused(
        RunFailure, "rendered_chairs cannot be prepared .*IncompleteRead", root
    )
    server.bytes_sent = None
    assert len(load(root).train.images) == 44


def test_a_truncated_download_is_detected_and_named(root, server):
    server.bytes_sent, server.is_sized = len(CHAIRS) // 2, False
    message = check_refused(
        RunFailure, "is incomplete or damaged .* remove it, and its .INFO", root
    )
    kept = Path(message[: message.index(" is incomplete")])
    assert kept.read_bytes() == CHAIRS[: server.bytes_sent]
    kept.unlink()
    kept.with_name(f"{kept.name}.INFO").unlink()
    server.bytes_sent = None
    assert len(load(root).train.images) == 44


def test_a_missing_page_ends_the_run(root, server):
    server.status = 404
    check_refused(
        RunFailure, "cannot be prepared .*127.0.0.1.* HTTP code: 404. Try", root
    )


@pytest.mark.parametrize("is_placed", [True, False], ids=["placed", "downloaded"])
def test_a_known_checksum_is_verified(root, manual, server, monkeypatch, is_placed):
    def know(digest):
        info = UrlInfo(len(CHAIRS), digest, "rendered_chairs.tar")
        known = {server.url: info}
        monkeypatch.setattr(renderings.RenderedChairs, "url_infos", known)

    if is_placed:
        (manual / "rendered_chairs.tar").write_bytes(CHAIRS)
    know("0" * 64)
    check_refused(
        RunFailure, "rendered_chairs.tar, .* has wrong checksum. Try again", root
    )
    know(DIGEST)
    assert len(load(root).train.images) == 44
    assert server.requests == (0 if is_placed else 2)


def test_tfds_reads_checksums_from_beside_the_module():
    expected = Path(renderings.__file__).with_name("checksums.tsv")
    assert Path(renderings.RenderedChairs._checksums_path) == expected


DAMAGED = "is incomplete or damaged"
BROKEN = {
    "cut": (CHAIRS[: 9 * 1024 + 600], f"{DAMAGED} .it ends too early"),
    "cut_at_a_model": (
        CHAIRS[: 9 * 1024],
        f"{DAMAGED} .it ends too early",
    ),
    "cut_in_a_header": (
        CHAIRS[: 9 * 1024 + 7],
        f"{DAMAGED} .it ends too",
    ),
    "empty": (b"", "is incomplete or damaged .file could not be opened succ"),
    "page": (b"<html>moved</html>" * 99, "is incomplete or damaged"),
    "gz": (
        make_tar(chair_files(), "w:gz")[:-999],
        "is incomplete or damaged .Compressed file ended",
    ),
    "one": (
        make_tar(chair_files(1)),
        "must hold 2 models or more, .* has 4 views of 1 models",
    ),
    "none": (
        make_tar({"a/b.png": encode_image(1)}),
        "has 0 views of 0 models; replace it by",
    ),
    "uneven": (
        make_tar(
            chair_files(2)
            | {"model03/renders/image_1_p20_t11_r96.png": encode_image(1)}
        ),
        "with as many views each, .* has 9 views of 3 models",
    ),
    "picture": (
        make_tar(chair_files(2) | {list(chair_files(2))[3]: encode_image(1)[:50]}),
        ".*model00/renders/image_002.*png cannot be decoded .*; replace it",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_unusable_archive_ends_the_run_in_one_line(root, manual, case):
    content, message = BROKEN[case]
    (manual / "rendered_chairs.tar").write_bytes(content)
    check_refused(RunFailure, rf"rendered_chairs\.tar.*{message}", root)
    assert not list(root.glob("rendered_chairs/*/dataset_info.json"))


def test_faces_are_loaded_from_files_and_archives_in_the_folder(root, manual):
    folder = manual / "rendered_faces"
    (folder / "deep\nä").mkdir()
    (folder / "deep\nä" / "a.PNG").write_bytes(encode_image(1))
    (folder / "b.bmp").write_bytes(encode_image(2, "bmp"))
    (folder / "notes.txt").write_text("none")
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("x/c.png", encode_image(3))
        archive.writestr("x/readme.txt", "none")
    (folder / "d.tar.gz").write_bytes(make_tar({"d.png": encode_image(4)}, "w:gz"))
    (folder / "e.tar").write_bytes(
        make_tar({"e.png": encode_image(5), "f.png": encode_image(6)})
    )
    data = load(root, "rendered_faces", held_out=0.3)
    parts = [split.images[:, 0, 0, 0].tolist() for split in (data.train, data.test)]
    assert len(parts[1]) == 2 and sorted(parts[0] + parts[1]) == [1, 2, 3, 4, 5, 6]
    assert data.image_shape == (6, 6, 1) and data.factor_names == ()
    stored = tensorflow_datasets.builder_from_directory(
        root / "rendered_faces" / "1.0.0"
    )
    assert stored.as_data_source("train")[0]["image"].shape == (6, 6, 1)


def test_an_error_without_faces_says_how_to_get_them(root, manual):
    message = (
        r"data\.name \(='rendered_faces'\) needs renderings .*manual/rendered_faces: "
        "ask for the licence .* at https://faces.dmi.unibas.ch/bfm/, .* put the images"
    )
    check_refused(UserError, message, root, "rendered_faces")
    (manual / "rendered_faces").rmdir()
    check_refused(UserError, message, root, "rendered_faces")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK" * 99, "a.zip is incomplete or damaged"),
        ("a.tgz", b"\x1f\x8b" * 99, "a.tgz is incomplete or damaged"),
        ("a.png", encode_image(1)[:50], r"a.png cannot be decoded \(.*; replace it"),
        ("a.jpg", b"", r"a.jpg cannot be decoded \(cannot identify image file\)"),
    ],
)
def test_a_broken_face_is_named(root, manual, name, content, message):
    (manual / "rendered_faces" / name).write_bytes(content)
    check_refused(RunFailure, message, root, "rendered_faces")


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    message = "rendered_chairs cannot be prepared in .*/file: .*Not a directory"
    check_refused(RunFailure, message, tmp_path / "file")
