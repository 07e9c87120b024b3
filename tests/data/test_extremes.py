"""Extreme data: no images, equal images, odd names and read-only folders."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError

ODD_NAMES = ["a b", "new\nline", "tab\tä漢", "\udce4 latin", "'quoted'"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder with an odd name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "my dätä\n漢").mkdir()
    return tmp_path / "my dätä\n漢"


def save(path, brightness):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((4, 4), brightness, np.uint8)).save(path, "png")


def load(root, source="folder", **options):
    return catalog.load(Request(source, directory=str(root), **options))


def check_refused(message, *arguments, **options):
    with pytest.raises(UserError, match=message) as caught:
        load(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_refused(root):
    check_refused(r"must hold at least 2 images \(PNG, .*\): it has 0; add some", root)


def test_a_folder_with_only_broken_images_is_refused(root):
    for name in ODD_NAMES:
        (root / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    check_refused(
        r"must hold at least 2 readable images .* among its 5 .* has 5, listed", root
    )


def test_a_data_set_of_equal_images_is_refused(root):
    for index in range(20):
        save(root / f"{index}.png", 7)
    np.savez(root / "alike.npz", images=np.full((20, 4, 4), 7, np.uint8))
    message = "all 18 training images of .* are of one gray level, 7, from which"
    check_refused(message, root)
    check_refused(message, root / "alike.npz", "npz")


def test_class_names_of_any_characters_are_accepted_and_recorded(root):
    for brightness, name in enumerate(sorted(ODD_NAMES)):
        save(root / name / "x.png", brightness)
        save(root / name / "y.png", brightness)
    data = load(root, labels=True)
    assert data.provenance["classes"] == sorted(ODD_NAMES)
    for split in (data.train, data.test):
        np.testing.assert_array_equal(split.images[:, 0, 0, 0], split.labels)
    assert json.loads(json.dumps(dict(data.provenance)))["name"] == root.name


def test_a_read_only_folder_is_loaded_and_not_changed(root, tmp_path):
    for index in range(4):
        save(root / f"{index}.png", index)
    before = sorted(os.listdir(root))
    root.chmod(0o555)
    one, two = load(root), load(root)
    np.testing.assert_array_equal(one.train.images, two.train.images)
    assert sorted(os.listdir(root)) == before
    assert (tmp_path / "cache" / "infogan_jax" / prepared.FOLDER).is_dir()


@pytest.mark.parametrize("channels", [0, 2, 5, 6])
def test_arrays_with_other_than_1_3_or_4_channels_are_refused(root, channels):
    np.savez(root / "a.npz", images=np.zeros((9, 5, 5, channels), np.uint8))
    message = rf"width, 1, 3 or 4\], all above 0, not \[9, 5, 5, {channels}\]; reshape"
    check_refused(message, root / "a.npz", "npz")
