"""The built-in digits, the types of a data set, and packages that are missing."""

import dataclasses
import hashlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from sklearn.datasets import load_digits

from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.sources import catalog, digits
from infogan_jax.errors import UserError

SPLIT_SHA256 = {
    "train": "6612d0a064c751fd7079814cd865c2d615efca2a3c305c612a4b5f50d85d97ad",
    "test": "eb33daa4a6fa9662340916fc06c6496d7fcc2d666ea677c26e4ccd0a62cbdc8c",
}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits.load()


def image_bytes(split: Split) -> list[bytes]:
    return [image.tobytes() for image in split.images]


@pytest.mark.parametrize(("name", "count"), [("train", 1437), ("test", 360)])
def test_each_image_has_8_by_8_pixels_and_a_label(data, name, count):
    split = getattr(data, name)
    assert split.images.shape == (count, 8, 8, 1)
    assert split.images.dtype == np.uint8
    assert split.labels.shape == (count,)
    assert set(split.labels.tolist()) == set(range(10))
    assert data.provenance[name] == count


def test_the_shape_of_an_image_is_height_width_channels(data):
    assert data.image_shape == (8, 8, 1)


def test_training_and_held_out_images_are_disjoint_and_complete(data):
    train, test = image_bytes(data.train), image_bytes(data.test)
    assert not set(train) & set(test)
    source = np.round(load_digits().images * 255 / 16).astype(np.uint8)
    assert sorted(train + test) == sorted(image.tobytes() for image in source)


@pytest.mark.parametrize("name", ["train", "test"])
def test_the_split_is_stratified_to_one_image_per_class(data, name):
    split = getattr(data, name)
    everything = np.bincount(load_digits().target)
    expected = everything * len(split.labels) / 1797
    assert np.all(np.abs(np.bincount(split.labels) - expected) <= 1)


def test_each_image_keeps_its_own_label(data):
    bunch = load_digits()
    labels = {
        np.round(image * 255 / 16).astype(np.uint8).tobytes(): label
        for image, label in zip(bunch.images, bunch.target, strict=True)
    }
    for split in (data.train, data.test):
        assert [labels[row] for row in image_bytes(split)] == split.labels.tolist()


def test_the_17_gray_levels_cover_0_to_255(data):
    levels = np.unique(np.concatenate([data.train.images, data.test.images]))
    assert len(levels) == 17
    assert (levels[0], levels[-1]) == (0, 255)
    np.testing.assert_allclose(np.diff(levels.astype(int)), 255 / 16, atol=1)


def test_the_recorded_checksum_is_that_of_the_fixed_split(data):
    assert data.provenance["name"] == "digits"
    assert data.provenance["sha256"] == SPLIT_SHA256


@pytest.mark.parametrize("name", ["train", "test"])
def test_the_split_never_changes(data, name):
    split = getattr(data, name)
    content = split.images.tobytes() + split.labels.astype("<i4").tobytes()
    assert hashlib.sha256(content).hexdigest() == SPLIT_SHA256[name]


def test_digits_loaded_twice_are_the_same(data):
    again = catalog.load(Request("digits"))
    assert again.provenance == data.provenance and again.digest == data.digest
    for name in ("train", "test"):
        one, two = getattr(data, name), getattr(again, name)
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_array_equal(one.labels, two.labels)


def test_a_split_may_have_no_labels():
    images = np.zeros((3, 4, 5, 1), np.uint8)
    data = Dataset(Split(images), Split(images[:1]), {})
    assert data.train.labels is None
    assert data.image_shape == (4, 5, 1)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((3, 4, 4, 1), np.float32), None),
        (np.zeros((3, 4, 4), np.uint8), None),
        (np.zeros((3, 4, 4, 1), np.uint8), np.zeros(2, int)),
        (np.zeros((3, 4, 4, 1), np.uint8), np.zeros(3)),
    ],
    ids=["not_bytes", "no_channels", "labels_missing", "labels_not_whole"],
)
def test_a_split_of_wrong_types_or_shapes_is_refused(images, labels):
    with pytest.raises(TypeCheckError, match="Split"):
        Split(images, labels)


def test_a_data_set_is_immutable(data):
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train = data.test


TFDS = "tensorflow_datasets"
WAYS_OUT = (
    r"run 'make tfds' in a checkout, or "
    r"'pip install tensorflow-datasets tensorflow'\."
)


def check_refused(message, name, directory):
    with pytest.raises(UserError, match=message) as caught:
        catalog.load(Request("tfds", name, str(directory)))
    assert "\n" not in str(caught.value)


def test_tfds_that_is_not_installed_is_an_error_with_ways_out(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, TFDS, None)
    message = r"^config\.data\.source \(='tfds'\) needs TensorFlow Datasets, which is "
    check_refused(f"{message}not installed; {WAYS_OUT}$", "mnist", tmp_path)


def test_a_wrong_name_is_found_without_tfds(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, TFDS, None)
    check_refused(r"data\.name \(='\.\./x'\) must be a name", "../x", tmp_path)


def test_preparing_without_tensorflow_is_an_error_with_ways_out(monkeypatch, tmp_path):
    empty = module_from_spec(ModuleSpec(TFDS, None))
    monkeypatch.setitem(sys.modules, TFDS, empty)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    message = rf"preparing mnist needs TensorFlow, which is not installed; {WAYS_OUT} "
    hint = r"Data prepared elsewhere as ArrayRecord can be read without it\.$"
    check_refused(message + hint, "mnist", tmp_path)
