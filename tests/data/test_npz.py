"""Image arrays in .npz archives: what is loaded, and what is refused in one line."""

import hashlib
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.rendering import to_bytes
from infogan_jax.data.sources import npz
from infogan_jax.data.survey import used_range
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
    assert not prepared.place(Request("npz")).exists()


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
    assert len(list(prepared.place(Request("npz")).iterdir())) == 1
    assert list(path.parent.iterdir()) == [path]


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
    assert not prepared.place(Request("npz")).exists()


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
        ({"images": IMAGES.astype("c8")}, "as numbers, not complex64; save bytes"),
        ({"images": IMAGES[0]}, r"of shape \[n, height, width\] or .*, not \[6, 6\]"),
        ({"images": IMAGES[:, None]}, r"not \[10, 1, 6, 6\]; save np.moveaxis\(im"),
        ({"images": IMAGES.reshape(10, 36)}, r"not \[10, 36\]; reshape or transp"),
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
            {"images": IMAGES, "label": np.eye(10, dtype=int)},
            r"'label' as 10 .*shape \[10, 10\]; save np.argmax\(label, 1\) if it",
        ),
        ({"images": IMAGES, "labels": ZEROS / 1}, r"not float64 .*labels.astype\(int"),
        (
            {"images": IMAGES, "labels": ZEROS - 1},
            r"from 0 to 65535, not from -1 to -1",
        ),
        (
            {"images": IMAGES, "labels": ZEROS + 70_000},
            "not from 70000 to 70000; number",
        ),
        ({"test_image": IMAGES}, "has the split test only; add 'train_images'"),
        (
            {"x_train": IMAGES, "x_test": IMAGES, "y_test": ZEROS},
            "has labels for one split only; add or remove them",
        ),
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


BYTES = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
SCALED = {
    "bytes": BYTES,
    "unit": BYTES / 255,
    "unit32": (BYTES / 255).astype(np.float32),
    "unit16": (BYTES / 255).astype(np.float16),
    "symmetric": (BYTES / 127.5 - 1).astype(np.float32),
    "whole": BYTES.astype(np.float32),
    "int64": BYTES.astype(np.int64),
    "uint16": BYTES * np.uint16(257),
    "12 bits": np.round(BYTES * (4095 / 255)).astype(np.int16),
    "standardised": (BYTES - 33.0) / 78.6,
}


@pytest.mark.parametrize("name", SCALED)
def test_the_same_images_as_other_numbers_are_read_as_the_same_bytes(path, name):
    data = save_and_load(path, x_train=SCALED[name], x_test=SCALED[name][:1])
    np.testing.assert_array_equal(data.train.images[..., 0], BYTES)


@given(
    st.sampled_from(["unit", "symmetric", "whole"]),
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=4, max_dims=4, max_side=5)),
    st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=40, deadline=None)
def test_bytes_survive_the_way_to_numbers_and_back(kind, images, dtype):
    numbers = {
        "unit": images.astype(dtype) / 255,
        "symmetric": images.astype(dtype) / 127.5 - 1,
        "whole": images.astype(dtype),
    }
    low, high = {"unit": (0, 1), "symmetric": (-1, 1), "whole": (0, 255)}[kind]
    np.testing.assert_array_equal(to_bytes(numbers[kind], (low, high)), images)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, (0, 1)),
        (0, 0.3, (0, 1)),
        (-1, 1, (-1, 1)),
        (-0.4, 0.6, (-1, 1)),
        (0, 255, (0, 255)),
        (3, 200, (0, 255)),
        (0, 4095, (0, 4095)),
        (-1024, 3071, (-1024, 3071)),
        (0, 16, (0, 16)),
        (0, 0.01, (0, 0.01)),
        (5, 5, (5, 6)),
    ],
)
def test_a_natural_range_is_taken_where_a_quarter_of_it_is_used(low, high, expected):
    assert used_range(low, high) == expected


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32, np.int64])
def test_masks_of_0_and_1_become_black_and_white(path, dtype):
    masks = (IMAGES > 99).astype(dtype)
    data = save_and_load(path, x_train=masks, x_test=masks[:1])
    np.testing.assert_array_equal(data.train.images[..., 0], 255 * (IMAGES > 99))


def test_a_range_that_was_fixed_is_taken_and_clips(path):
    numbers = np.array([-10.0, 0, 50, 100, 900]).reshape(5, 1, 1)
    data = save_and_load(path, {"range": "0 100"}, x_train=numbers, x_test=numbers[:1])
    assert data.train.images.ravel().tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_and_both_ways_out_lead_out(path, value):
    images = (IMAGES / 255).astype(np.float32)
    images[3, 2, 2] = value
    with pytest.raises(UserError, match="image 3 of 'images' has NaN") as caught:
        save_and_load(path, images=images)
    way = "images[np.isfinite(images).reshape(len(images), -1).all(1)]"
    assert way in str(caught.value) and "np.nan_to_num(images)" in str(caught.value)
    kept = images[np.isfinite(images).reshape(len(images), -1).all(1)]
    data = save_and_load(path, images=kept)
    assert len(data.train.images) + len(data.test.images) == 9
    mended = np.nan_to_num(images, posinf=1, neginf=0)
    assert len(save_and_load(path, images=mended).train.images) == 9


def test_the_way_out_for_channels_first_and_one_hot_labels_leads_out(path):
    first, one_hot = np.moveaxis(COLOUR, -1, 1), np.eye(10)
    with pytest.raises(UserError, match=r"save np.moveaxis\(images, 1, -1\)"):
        save_and_load(path, images=first)
    images = np.moveaxis(first, 1, -1)
    with pytest.raises(UserError, match=r"save np.argmax\(labels, 1\)"):
        save_and_load(path, images=images, labels=one_hot)
    data = save_and_load(path, images=images, labels=np.argmax(one_hot, 1))
    np.testing.assert_array_equal(data.test.images, COLOUR[data.test.labels])


def test_the_names_of_keras_are_known(path):
    data = save_and_load(
        path,
        x_train=IMAGES[:7],
        y_train=np.arange(7),
        x_test=IMAGES[7:],
        y_test=np.arange(3),
    )
    np.testing.assert_array_equal(data.train.images[..., 0], IMAGES[:7])
    assert data.test.labels.tolist() == [0, 1, 2]


def test_medmnist_is_read_and_its_val_is_left_out_and_said(path):
    parts = {"train": IMAGES[:6], "val": IMAGES[6:8], "test": IMAGES[8:]}
    arrays = {f"{name}_images": part for name, part in parts.items()}
    arrays |= {f"{name}_labels": part[:, 0, :1] for name, part in parts.items()}
    data = save_and_load(path, **arrays)
    assert (len(data.train.images), len(data.test.images)) == (6, 2)
    assert data.test.labels.tolist() == [8, 9]
    skipped = data.provenance["report"]["skipped"]
    assert [about["count"] for about in skipped.values()] == [2]
    del arrays["test_images"], arrays["test_labels"]
    assert save_and_load(path, **arrays).test.labels.tolist() == [6, 7]


def test_a_share_of_train_is_held_out_where_it_is_alone(path):
    data = save_and_load(path, train_images=IMAGES)
    assert (len(data.train.images), len(data.test.images)) == (9, 1)


@pytest.mark.parametrize("kind", ["U", "S"])
def test_labels_can_be_texts(path, kind):
    texts = np.array(["dog", "cat", "10", "9"])[np.arange(10) % 4].astype(kind)
    data = save_and_load(path, images=IMAGES, labels=texts)
    assert data.provenance["classes"] == ["9", "10", "cat", "dog"]
    named = np.array(data.provenance["classes"])
    for split in (data.train, data.test):
        rows = split.images[:, 0, 0, 0]
        np.testing.assert_array_equal(
            named[split.labels], np.array(["dog", "cat", "10", "9"])[rows % 4]
        )


def test_rgba_is_composited_as_in_a_folder(path):
    icons = np.zeros((4, 6, 6, 4), np.uint8)
    icons[..., :3] = 77  # a colour that shows only where alpha is 0
    for place in range(4):
        icons[place, place, :, :] = (0, 0, 0, 255)
    data = save_and_load(path, x_train=icons, x_test=icons[:1])
    expected = np.where(icons[..., 3:] > 0, np.zeros((4, 6, 6, 3), np.uint8), 255)
    np.testing.assert_array_equal(data.train.images, expected)


def test_a_zip_of_pictures_is_named_as_such(path):
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(150):
            archive.writestr(f"pictures/{index}.png", b"\x89PNG")
    message = r"is a zip of 150 pictures, such as 'pictures/0.png'; unzip it, and set"
    with pytest.raises(UserError, match=message):
        load(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_stream_has_the_same_images_and_is_mapped_from_a_file(path, compressed):
    save = np.savez_compressed if compressed else np.savez
    save(path, images=COLOUR, labels=np.arange(10))
    data, streamed = load(path), load(path, stream=True)
    for one, two in ((data.train, streamed.train), (data.test, streamed.test)):
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_array_equal(one.labels, two.labels)
        assert isinstance(two.images, np.memmap)
    assert data.digest == streamed.digest
