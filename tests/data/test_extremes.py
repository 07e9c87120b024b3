"""Data at its limits: nothing, one image, all alike, odd names, read-only places."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError

ODD = ["a b", "new\nline", "tab\tä漢", "\udce4 latin", "'quoted'"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder whose own name is odd."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "my dätä\n漢").mkdir()
    return tmp_path / "my dätä\n漢"


def save(path, value):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(path, "png")


def load(root, source="folder", **asked):
    return catalog.load(Request(source, directory=str(root), **asked))


def refused(message, *arguments, **asked):
    with pytest.raises(UserError, match=message) as caught:
        load(*arguments, **asked)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_refused(root):
    refused(r"must hold at least 2 PNG, .* images: it has 0, not counting", root)


def test_a_folder_of_broken_pictures_alone_is_refused(root):
    for name in ODD:
        (root / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    refused(r"must hold at least 2 readable images .* among its 5: .* unread", root)


def test_images_that_are_all_alike_are_data(root):
    for index in range(20):
        save(root / f"{index}.png", 7)
    np.savez(root / "alike.npz", images=np.full((20, 4, 4), 7, np.uint8))
    for found in (load(root), load(root / "alike.npz", "npz")):
        assert (len(found.train.images), len(found.test.images)) == (18, 2)
        assert set(np.unique(found.train.images)) == {7}


def test_classes_may_have_names_of_any_kind_and_can_be_recorded(root):
    for value, name in enumerate(sorted(ODD)):
        save(root / name / "x.png", value)
        save(root / name / "y.png", value)
    found = load(root, labels=True)
    assert found.provenance["classes"] == sorted(ODD)
    for part in (found.train, found.test):
        np.testing.assert_array_equal(part.images[:, 0, 0, 0], part.labels)
    assert json.loads(json.dumps(dict(found.provenance)))["name"] == root.name


def test_a_read_only_folder_is_read_and_left_as_it_is(root, tmp_path):
    for index in range(4):
        save(root / f"{index}.png", index)
    before = sorted(os.listdir(root))
    root.chmod(0o555)
    one, two = load(root), load(root)
    np.testing.assert_array_equal(one.train.images, two.train.images)
    assert sorted(os.listdir(root)) == before
    assert (tmp_path / "cache" / "infogan_jax" / prepared.FOLDER).is_dir()


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_arrays_of_other_channels_than_1_or_3_are_refused(root, channels):
    np.savez(root / "a.npz", images=np.zeros((9, 5, 5, channels), np.uint8))
    message = rf"width, 1 or 3\], all above 0, not \[9, 5, 5, {channels}\]; reshape"
    refused(message, root / "a.npz", "npz")
