"""Data sets of tfds: prepared once, read without TensorFlow, never downloaded twice."""

import subprocess
import sys

import numpy as np
import pytest
from tiny_tfds import FORMATS, made

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import tfds as source


@pytest.fixture(scope="module", params=FORMATS)
def root(request, tmp_path_factory):
    return made(tmp_path_factory) / request.param


def load(root, name="tiny", **asked):
    return source.load(Request("tfds", name, str(root), **asked))


def never(*args):
    raise AssertionError("decoded again")


def test_images_and_labels_are_those_that_were_prepared(root):
    found = load(root)
    assert found.image_shape == (10, 8, 3)
    assert (len(found.train.images), len(found.test.images)) == (12, 4)
    rng = np.random.default_rng(len("train"))
    expected = rng.integers(0, 256, (16, 10, 8, 3), dtype=np.uint8)
    labels = {image.tobytes(): i % 3 for i, image in enumerate(expected)}
    for part in (found.train, found.test):
        given = [labels.pop(image.tobytes()) for image in part.images]
        assert given == part.labels.tolist()
    assert not labels
    assert found.provenance["name"] == "tiny/1.0.0"
    assert found.factor_names == () and found.train.factors is None


def test_a_recipe_is_prepared_once_and_another_one_apart(root, monkeypatch):
    small = load(root, crop=6, size=4, channels=1)
    assert small.image_shape == (4, 4, 1)
    monkeypatch.setattr(source, "_examples", never)
    again = load(root, crop=6, size=4, channels=1)
    np.testing.assert_array_equal(again.train.images, small.train.images)
    with pytest.raises(AssertionError, match="decoded again"):
        load(root, crop=6, size=2, channels=1)


def test_reading_array_record_needs_no_tensorflow(tmp_path_factory):
    root = made(tmp_path_factory) / "array_record"
    code = (
        "import sys; from infogan_jax.data.sources import tfds; "
        "from infogan_jax.data.dataset import Request; "
        f"tfds.load(Request('tfds', 'turned', {str(root)!r}, size=4)); "
        "print('tensorflow' in sys.modules, 'tensorflow_datasets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_classes_called_label_something_are_the_factors_of_their_image(root):
    found = load(root, "turned")
    assert found.factor_names == ("a", "b")  # neither instance nor text
    for part in (found.train, found.test):
        shown = part.images[:, 0, 0, 0]
        np.testing.assert_array_equal(part.factors.T, [shown, shown % 3])
        assert part.factors.dtype == np.int32 and part.labels is None


def test_factors_are_remembered_with_their_images(root, monkeypatch):
    first = load(root, "turned", size=3)
    monkeypatch.setattr(source, "_examples", never)
    again = load(root, "turned", size=3)
    np.testing.assert_array_equal(again.train.factors, first.train.factors)
    assert again.factor_names == first.factor_names


@pytest.mark.parametrize(("share", "expected"), [(0.1, 2), (0.5, 10), (0.9, 18)])
def test_of_a_set_without_a_test_split_a_share_is_held_out(root, share, expected):
    found = load(root, "turned", held_out=share)
    shown = [part.images[:, 0, 0, 0].tolist() for part in (found.train, found.test)]
    assert len(shown[1]) == expected
    assert sorted(shown[0] + shown[1]) == list(range(20))


def test_the_same_images_are_held_out_in_both_formats(tmp_path_factory):
    base = made(tmp_path_factory)
    one, two = (load(base / name, "turned", held_out=0.5).test for name in FORMATS)
    np.testing.assert_array_equal(one.images, two.images)
    assert one.images[:, 0, 0, 0].tolist() != list(range(10))


def test_black_and_white_kept_as_0_and_1_become_0_and_255(root):
    found = load(root, "binarized_mnist")
    expected = [[[0], [255]], [[255], [0]]]
    np.testing.assert_array_equal(found.train.images, [expected] * 2)


def test_a_file_with_transparency_has_the_three_channels_of_its_set(root):
    found = load(root, "mixed")
    images = np.concatenate([found.train.images, found.test.images])
    assert images.shape == (2, 10, 8, 3)
    assert np.sort(np.ptp(images, axis=(1, 2, 3))).tolist()[0] == 0


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("dsprites", "orientation scale shape x_position y_position"),
        ("shapes3d", "floor_hue object_hue orientation scale shape wall_hue"),
        ("smallnorb", "azimuth category elevation lighting"),
        ("mnist", ""),
    ],
)
def test_the_factors_of_the_sets_made_for_them_are_found(tmp_path, name, factors):
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=tmp_path)
    found = [factor.removeprefix("label_") for factor in source._factors(builder)]
    assert found == factors.split()


def test_a_version_may_be_named(root):
    found = load(root, "turned/1.0.0")
    assert found.provenance["name"] == "turned/1.0.0"
