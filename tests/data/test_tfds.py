"""Data sets of tfds: prepared once, and read without TensorFlow."""

import subprocess
import sys

import numpy as np
import pytest
from tiny_tfds import FORMATS, prepare_data_sets, skip_without_tfds

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import npz, tfds_builder
from infogan_jax.data.sources import tfds as source
from infogan_jax.errors import UserError

skip_without_tfds()


@pytest.fixture(scope="module", params=FORMATS)
def root(request, tmp_path_factory):
    return prepare_data_sets(tmp_path_factory) / request.param


def load(root, name="tiny", **options):
    return source.load(Request("tfds", name, str(root), **options))


def fail_if_called(*args):
    raise AssertionError("decoded again")


def test_images_and_labels_are_those_that_were_stored(root):
    data = load(root)
    assert data.image_shape == (10, 8, 3)
    assert (len(data.train.images), len(data.test.images)) == (12, 4)
    rng = np.random.default_rng(len("train"))
    expected = rng.integers(0, 256, (16, 10, 8, 3), dtype=np.uint8)
    labels = {image.tobytes(): i % 3 for i, image in enumerate(expected)}
    for split in (data.train, data.test):
        actual = [labels.pop(image.tobytes()) for image in split.images]
        assert actual == split.labels.tolist()
    assert not labels
    assert data.provenance["name"] == "tiny/1.0.0"
    assert data.factor_names == () and data.train.factors is None


def test_a_recipe_is_prepared_once_and_another_recipe_separately(root, monkeypatch):
    small = load(root, crop=6, size=4, channels=1)
    assert small.image_shape == (4, 4, 1)
    monkeypatch.setattr(source, "_tasks", fail_if_called)
    again = load(root, crop=6, size=4, channels=1)
    np.testing.assert_array_equal(again.train.images, small.train.images)
    with pytest.raises(AssertionError, match="decoded again"):
        load(root, crop=6, size=2, channels=1)


def test_reading_array_record_needs_no_tensorflow(tmp_path_factory):
    root = prepare_data_sets(tmp_path_factory) / "array_record"
    code = (
        "import sys; from infogan_jax.data.sources import tfds; "
        "from infogan_jax.data.dataset import Request; "
        f"tfds.load(Request('tfds', 'factored', {str(root)!r}, size=4)); "
        "print('tensorflow' in sys.modules, 'tensorflow_datasets' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_classes_with_the_prefix_label_are_the_factors_of_their_image(root):
    data = load(root, "factored")
    assert data.factor_names == ("a", "b")  # neither instance nor text
    for split in (data.train, data.test):
        pixels = split.images[:, 0, 0, 0]
        np.testing.assert_array_equal(split.factors.T, [pixels, pixels % 3])
        assert split.factors.dtype == np.int32 and split.labels is None


def test_factors_are_prepared_with_their_images(root, monkeypatch):
    first = load(root, "factored", size=3)
    monkeypatch.setattr(source, "_tasks", fail_if_called)
    again = load(root, "factored", size=3)
    np.testing.assert_array_equal(again.train.factors, first.train.factors)
    assert again.factor_names == first.factor_names


@pytest.mark.parametrize(("share", "expected"), [(0.1, 2), (0.5, 10), (0.9, 18)])
def test_a_share_is_held_out_if_there_is_no_test_split(root, share, expected):
    data = load(root, "factored", held_out=share)
    pixels = [split.images[:, 0, 0, 0].tolist() for split in (data.train, data.test)]
    assert len(pixels[1]) == expected
    assert sorted(pixels[0] + pixels[1]) == list(range(20))


def test_the_same_images_are_held_out_in_both_formats(tmp_path_factory):
    base = prepare_data_sets(tmp_path_factory)
    one, two = (load(base / name, "factored", held_out=0.5).test for name in FORMATS)
    np.testing.assert_array_equal(one.images, two.images)
    assert one.images[:, 0, 0, 0].tolist() != list(range(10))


def test_binary_images_of_0_and_1_become_0_and_255(root):
    data = load(root, "binarized_mnist")
    expected = [[[0], [255]], [[255], [0]]]
    np.testing.assert_array_equal(data.train.images, [expected] * 2)


def test_a_file_with_transparency_has_the_three_channels_of_its_data_set(root):
    data = load(root, "mixed")
    images = np.concatenate([data.train.images, data.test.images])
    assert images.shape == (2, 10, 8, 3)
    assert np.sort(np.ptp(images, axis=(1, 2, 3))).tolist()[0] == 0


def test_uint16_is_scaled_by_what_the_set_uses(root):
    data = load(root, "deep")
    values = np.arange(16) * 256 + np.arange(16) % 2
    every = np.concatenate([data.train.images, data.test.images])[:, 0, 0, 0]
    assert sorted(every) == np.rint(values * 255 / values.max()).tolist()
    rules = data.provenance["report"]["rules"]
    assert rules["deep_range"] == [0, values.max()]


def test_floats_from_0_to_1_are_bytes_from_0_to_255(root):
    data = load(root, "floats")
    every = np.concatenate([data.train.images, data.test.images])[:, 0, 0, 0]
    assert sorted(every) == list(range(0, 256, 17))


def test_what_is_transparent_shows_no_colour(root):
    data = load(root, "icons")
    every = np.concatenate([data.train.images, data.test.images])
    assert every.shape == (5, 4, 4, 3)
    assert data.provenance["report"]["changes"]["composited"]["count"] == 5
    assert sorted(every.sum((1, 2, 3)).tolist())[-1] == 255 * 48, "all is white"
    assert {tuple(pixel) for pixel in every.reshape(-1, 3).tolist()} == {
        (255, 255, 255),
        (9, 0, 0),
    }


def test_validation_is_held_out_where_it_is_the_second_split(root):
    data = load(root, "validated")
    assert (len(data.train.images), len(data.test.images)) == (6, 3)


def test_other_channels_are_refused_and_the_way_out_leads_out(root, tmp_path):
    with pytest.raises(UserError, match=r"not of shape \(4, 4, 6\); .*\.npz") as caught:
        load(root, "six")
    assert "\n" not in str(caught.value)
    chosen = np.random.default_rng(0).integers(0, 256, (4, 4, 4, 6), np.uint8)[..., :3]
    np.savez(tmp_path / "chosen.npz", images=chosen)
    data = npz.load(Request("npz", directory=str(tmp_path / "chosen.npz")))
    assert data.image_shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("dsprites", "orientation scale shape x_position y_position"),
        ("shapes3d", "floor_hue object_hue orientation scale shape wall_hue"),
        ("smallnorb", "azimuth category elevation lighting"),
        ("mnist", ""),
    ],
)
def test_the_factors_of_disentanglement_data_sets_are_found(tmp_path, name, factors):
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=tmp_path)
    found = [factor.removeprefix("label_") for factor in source._factors(builder)]
    assert found == factors.split()


def test_a_version_may_be_named(root):
    data = load(root, "factored/1.0.0")
    assert data.provenance["name"] == "factored/1.0.0"


@pytest.mark.parametrize("version", ["1.0.0", "1.*.*"])
def test_a_prepared_version_is_found_by_its_number(root, version):
    data = source.load(Request("tfds", f"tiny:{version}", str(root)))
    assert data.provenance["name"] == "tiny/1.0.0"


def test_another_version_than_the_prepared_one_is_not_taken_for_it(root):
    assert (
        tfds_builder._prepared_builder(Request("tfds", "tiny:2.0.0", str(root))) is None
    )
