"""The two builders of this project: archives in, gray images with factors out."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets
from tensorflow_datasets.core.download.checksums import UrlInfo
from tiny_renderings import chairs, picture, serving, tar

import infogan_jax.data
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import renderings, tfds
from infogan_jax.errors import RunFailure, UserError

CHAIRS = tar(chairs())
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
    with serving(CHAIRS) as server:
        monkeypatch.setattr(renderings.RenderedChairs, "url", server.url)
        yield server


def load(root, name="rendered_chairs", **asked):
    return tfds.load(Request("tfds", name, str(root), **asked))


def refused(kind, message, *arguments):
    with pytest.raises(kind, match=message) as caught:
        load(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def shown(part):
    """The model and the view that an image shows, by its brightness."""
    assert part.images.shape[1:] == (6, 6, 1)
    return np.divmod(part.images[:, 0, 0, 0].astype(int), 10)


def test_whole_models_are_held_out_and_the_factors_are_those_of_the_view(root, manual):
    (manual / "rendered_chairs.tar").write_bytes(CHAIRS)
    found = load(root)
    train, test = (set(shown(part)[0]) for part in (found.train, found.test))
    assert (len(train), len(test)) == (11, 1) and train | test == set(range(12))
    assert (len(found.train.images), len(found.test.images)) == (44, 4)
    assert found.factor_names == ("azimuth", "elevation")
    for part in (found.train, found.test):
        _, view = shown(part)
        np.testing.assert_array_equal(part.factors.T, [1 - view % 2, view // 2])
        assert part.labels is None
    assert found.provenance["metadata"]["sha256"] == DIGEST


def test_chairs_are_made_ready_as_a_config_asks(root, manual):
    (manual / "rendered_chairs.tar").write_bytes(tar(chairs(2), "w:gz"))
    assert load(root, size=4, channels=1).image_shape == (4, 4, 1)


def test_the_archive_is_downloaded_once(root, server):
    found, again = load(root), load(root)
    assert server.asked == 1 and len(found.train.images) == 44
    assert found.provenance["metadata"]["sha256"] == DIGEST
    assert found.provenance == again.provenance


def test_a_download_that_stops_half_way_ends_the_run_and_is_begun_again(root, server):
    server.sent = len(CHAIRS) // 2
    refused(RunFailure, "rendered_chairs cannot be prepared .*IncompleteRead", root)
    server.sent = None
    assert len(load(root).train.images) == 44


def test_a_download_cut_unawares_is_found_broken_and_named(root, server):
    server.sent, server.is_sized = len(CHAIRS) // 2, False
    message = refused(
        RunFailure, "is no whole archive .* remove it, and its .INFO", root
    )
    kept = Path(message[: message.index(" is no whole")])
    assert kept.read_bytes() == CHAIRS[: server.sent]
    kept.unlink()
    kept.with_name(f"{kept.name}.INFO").unlink()
    server.sent = None
    assert len(load(root).train.images) == 44


def test_an_address_that_has_gone_ends_the_run(root, server):
    server.status = 404
    refused(RunFailure, "cannot be prepared .*127.0.0.1.* HTTP code: 404. Try", root)


@pytest.mark.parametrize("is_placed", [True, False], ids=["placed", "downloaded"])
def test_a_known_checksum_is_verified(root, manual, server, monkeypatch, is_placed):
    def know(digest):
        info = UrlInfo(len(CHAIRS), digest, "rendered_chairs.tar")
        known = {server.url: info}
        monkeypatch.setattr(renderings.RenderedChairs, "url_infos", known)

    if is_placed:
        (manual / "rendered_chairs.tar").write_bytes(CHAIRS)
    know("0" * 64)
    refused(RunFailure, "rendered_chairs.tar, .* has wrong checksum. Try again", root)
    know(DIGEST)
    assert len(load(root).train.images) == 44
    assert server.asked == (0 if is_placed else 2)


def test_tfds_reads_checksums_from_beside_the_module():
    expected = Path(infogan_jax.data.sources.__file__).with_name("checksums.tsv")
    assert Path(renderings.RenderedChairs._checksums_path) == expected


BROKEN = {
    "cut": (CHAIRS[: 9 * 1024 + 600], "is no whole archive .it ends too early"),
    "cut_at_a_model": (CHAIRS[: 9 * 1024], "is no whole archive .it ends too early"),
    "cut_in_a_header": (CHAIRS[: 9 * 1024 + 7], "is no whole archive .it ends too"),
    "empty": (b"", "is no whole archive .file could not be opened succ"),
    "page": (b"<html>moved</html>" * 99, "is no whole archive"),
    "gz": (tar(chairs(), "w:gz")[:-999], "is no whole archive .Compressed file ended"),
    "one": (tar(chairs(1)), "must hold 2 models or more, .* has 4 views of 1 models"),
    "none": (tar({"a/b.png": picture(1)}), "has 0 views of 0 models; replace it by"),
    "uneven": (
        tar(chairs(2) | {"model03/renders/image_1_p20_t11_r96.png": picture(1)}),
        "with as many views each, .* has 9 views of 3 models",
    ),
    "picture": (
        tar(chairs(2) | {list(chairs(2))[3]: picture(1)[:50]}),
        ".*model00/renders/image_002.*png cannot be decoded .*; replace it",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_archive_that_will_not_do_ends_the_run_in_one_line(root, manual, case):
    content, message = BROKEN[case]
    (manual / "rendered_chairs.tar").write_bytes(content)
    refused(RunFailure, rf"rendered_chairs\.tar.*{message}", root)
    assert not list(root.glob("rendered_chairs/*/dataset_info.json"))


def test_faces_are_taken_from_files_and_archives_of_the_folder(root, manual):
    place = manual / "rendered_faces"
    (place / "deep\nä").mkdir()
    (place / "deep\nä" / "a.PNG").write_bytes(picture(1))
    (place / "b.bmp").write_bytes(picture(2, "bmp"))
    (place / "notes.txt").write_text("none")
    with zipfile.ZipFile(place / "c.zip", "w") as archive:
        archive.writestr("x/c.png", picture(3))
        archive.writestr("x/readme.txt", "none")
    (place / "d.tar.gz").write_bytes(tar({"d.png": picture(4)}, "w:gz"))
    (place / "e.tar").write_bytes(tar({"e.png": picture(5), "f.png": picture(6)}))
    found = load(root, "rendered_faces", held_out=0.3)
    parts = [part.images[:, 0, 0, 0].tolist() for part in (found.train, found.test)]
    assert len(parts[1]) == 2 and sorted(parts[0] + parts[1]) == [1, 2, 3, 4, 5, 6]
    assert found.image_shape == (6, 6, 1) and found.factor_names == ()
    kept = tensorflow_datasets.builder_from_directory(root / "rendered_faces" / "1.0.0")
    assert kept.as_data_source("train")[0]["image"].shape == (6, 6, 1)


def test_without_faces_the_way_to_them_is_said(root, manual):
    message = (
        r"data\.name \(='rendered_faces'\) needs renderings .*manual/rendered_faces: "
        "ask for the licence .* at https://faces.dmi.unibas.ch/bfm/, .* put the images"
    )
    refused(UserError, message, root, "rendered_faces")
    (manual / "rendered_faces").rmdir()
    refused(UserError, message, root, "rendered_faces")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK" * 99, "a.zip is no whole archive"),
        ("a.tgz", b"\x1f\x8b" * 99, "a.tgz is no whole archive"),
        ("a.png", picture(1)[:50], r"a.png cannot be decoded \(.*; replace it"),
        ("a.jpg", b"", r"a.jpg cannot be decoded \(cannot identify image file\)"),
    ],
)
def test_a_broken_face_is_named(root, manual, name, content, message):
    (manual / "rendered_faces" / name).write_bytes(content)
    refused(RunFailure, message, root, "rendered_faces")


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    message = "rendered_chairs cannot be prepared in .*/file: .*Not a directory"
    refused(RunFailure, message, tmp_path / "file")
