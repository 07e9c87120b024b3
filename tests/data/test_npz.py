"""Image arrays in .npz archives: what is loaded, and what is refused in one line."""

import hashlib

import numpy as np
import pytest

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import npz
from infogan_jax.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 6, 6), np.uint8)
IMAGES[:, 0, 0] = np.arange(10)
COLOUR = np.stack([IMAGES, IMAGES // 2, 255 - IMAGES], -1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "my data").mkdir()
    return tmp_path / "my data" / "array.npz"


def load(path, **options):
    return npz.load(Request("npz", directory=str(path), **options))


def save_and_load(path, options=None, **arrays):
    np.savez_compressed(path, **arrays)
    return load(path, **(options or {}))


@pytest.mark.parametrize("key", ["image", "images"])
def test_images_and_labels_are_unchanged_and_a_share_is_held_out(path, key):
    data = save_and_load(path, **{key: IMAGES, "labels": np.arange(10, dtype=np.uint8)})
    order = np.random.default_rng(0).permutation(10)
    for split, part in ((data.test, order[:1]), (data.train, order[1:])):
        np.testing.assert_array_equal(split.images[..., 0], IMAGES[part])
        np.testing.assert_array_equal(split.labels, part)
    assert data.image_shape == (6, 6, 1)
    assert not (path.parent / prepared.FOLDER).exists()


def test_the_splits_of_the_archive_keep_their_order(path):
    data = save_and_load(
        path,
        train_image=COLOUR[:7],
        test_images=COLOUR[7:],
        train_label=np.arange(7),
        test_labels=np.arange(3),
    )
    np.testing.assert_array_equal(data.train.images, COLOUR[:7])
    np.testing.assert_array_equal(data.test.images, COLOUR[7:])
    np.testing.assert_array_equal(data.test.labels, [0, 1, 2])
    assert (data.provenance["train"], data.provenance["test"]) == (7, 3)


def test_without_labels_the_labels_are_none(path):
    assert save_and_load(path, images=COLOUR).train.labels is None


def test_other_arrays_are_ignored_even_if_they_hold_objects(path):
    data = save_and_load(path, images=IMAGES, metadata=np.array([{"a": 1}], object))
    assert data.image_shape == (6, 6, 1)


def test_the_provenance_has_the_checksum_of_the_file(path):
    data = save_and_load(path, images=IMAGES)
    assert data.provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (data.provenance["name"], data.provenance["source"]) == ("array", "npz")


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"crop": 4}, (4, 4, 3)),
        ({"size": 3}, (3, 3, 3)),
        ({"channels": 1}, (6, 6, 1)),
        ({"crop": 4, "size": 8, "channels": 1}, (8, 8, 1)),
    ],
)
def test_another_form_is_prepared_once_and_images_keep_their_labels(
    path, options, shape
):
    data = save_and_load(path, options, images=COLOUR, labels=np.arange(10))
    again = load(path, **options)
    assert data.image_shape == shape
    order = np.random.default_rng(0).permutation(10)
    labels = np.concatenate([data.test.labels, data.train.labels])
    np.testing.assert_array_equal(labels, order)
    np.testing.assert_array_equal(data.train.images, again.train.images)
    assert len(list((path.parent / prepared.FOLDER).iterdir())) == 1


def test_a_crop_is_the_centre_of_each_image(path):
    data = save_and_load(path, {"crop": 2}, images=COLOUR)
    order = np.random.default_rng(0).permutation(10)
    np.testing.assert_array_equal(data.test.images, COLOUR[order[:1], 2:4, 2:4])


def test_each_split_of_the_archive_is_prepared(path):
    options = {"size": 3}
    data = save_and_load(path, options, train_images=IMAGES[:6], test_images=IMAGES[6:])
    assert (data.train.images.shape, data.test.images.shape) == (
        (6, 3, 3, 1),
        (4, 3, 3, 1),
    )


def test_images_that_have_the_form_already_are_not_prepared(path):
    save_and_load(path, {"crop": 6, "size": 6, "channels": 1}, images=IMAGES)
    assert not (path.parent / prepared.FOLDER).exists()


def test_a_changed_file_is_prepared_again(path):
    save_and_load(path, {"size": 3}, images=IMAGES)
    data = save_and_load(path, {"size": 3}, images=0 * IMAGES)
    assert data.train.images.max() == 0


ZEROS = np.zeros(10, int)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": IMAGES, "y": ZEROS},
            "must have the array 'images', or .* has 'x', 'y'; re",
        ),
        ({}, "has none; rename"),
        (
            {"images": IMAGES / 255},
            r"as uint8, not float64; multiply .* by 255 and save np",
        ),
        ({"images": IMAGES > 9}, "as uint8, not bool; multiply"),
        (
            {"images": IMAGES.astype(int)},
            "as uint8, not int64; save bytes from 0 to 255",
        ),
        ({"images": IMAGES[0]}, r"of shape \[n, height, width\] or .*, not \[6, 6\]"),
        ({"images": IMAGES[:, None]}, r"not \[10, 1, 6, 6\]; reshape or transpose"),
        ({"images": COLOUR[..., :2]}, r"not \[10, 6, 6, 2\]"),
        ({"images": IMAGES[:, :0]}, r"all above 0, not \[10, 0, 6\]"),
        ({"images": IMAGES[:0]}, r"all above 0, not \[0, 6, 6\]"),
        ({"images": IMAGES[:1]}, "must have 2 images or more, not 1"),
        (
            {"images": np.array([1, "a"], object)},
            r"without objects \(Object arrays.*savez",
        ),
        (
            {"images": IMAGES, "labels": ZEROS[1:]},
            r"'labels' as 10 whole .*shape \[9\]",
        ),
        (
            {"images": IMAGES, "label": ZEROS[:, None]},
            r"'label' as 10 .*shape \[10, 1\]",
        ),
        ({"images": IMAGES, "labels": ZEROS / 1}, "10 whole numbers, .* not float64"),
        (
            {"images": IMAGES, "labels": ZEROS - 1},
            r"from 0 to 65535, not from -1 to -1",
        ),
        (
            {"images": IMAGES, "labels": ZEROS + 70_000},
            "not from 70000 to 70000; number",
        ),
        ({"train_images": IMAGES}, "has the split 'train_' only; add the other"),
        ({"test_image": IMAGES}, "has the split 'test_' only; add the other"),
        (
            {"train_images": IMAGES, "test_images": COLOUR},
            r"different shapes, \(6, 6, 1\) and \(6, 6, 3\); make",
        ),
    ],
)
def test_unusable_arrays_are_refused_in_one_line(path, arrays, message):
    with pytest.raises(UserError, match=message) as caught:
        save_and_load(path, **arrays)
    assert str(caught.value).startswith(f"config.data.directory (='{path}') ")
    assert "\n" not in str(caught.value)


def test_a_crop_larger_than_the_images_is_refused(path):
    with pytest.raises(UserError, match=r"crop \(=7\) must be at most .* is 6 x 6"):
        save_and_load(path, {"crop": 7}, images=IMAGES)


@pytest.mark.parametrize(
    "name", ["", "missing.npz", "folder", "new\nline.npz", "nul\0"]
)
def test_a_missing_file_is_refused_in_one_line(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"must be an existing .npz file") as caught:
        load(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "text", "npy", "object", "cut", "flipped"])
def test_a_damaged_archive_is_refused(path, damage):
    np.savez(path, images=IMAGES)
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    if damage == "npy":
        with open(path, "wb") as file:
            np.save(file, IMAGES)
    else:
        path.write_bytes(
            {
                "empty": b"",
                "text": b"a,b\n1,2\n",
                "object": b"\x80\x04N.",
                "cut": bytes(content[:-30]),
                "flipped": bytes(content),
            }[damage]
        )
    with pytest.raises(
        UserError, match=r"must be a whole .npz file.*save plain arrays"
    ):
        load(path)
