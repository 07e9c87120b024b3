"""Missing, damaged and unusable data sets of tfds: each is an error in one line."""

import shutil

import numpy as np
import pytest
from tiny_tfds import prepare_data_sets, skip_without_tfds

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import tfds as source
from infogan_jax.data.sources import tfds_builder
from infogan_jax.errors import RunFailure, UserError

skip_without_tfds()


@pytest.fixture
def root(tmp_path, tmp_path_factory, monkeypatch):
    """A copy that a test may damage, in a directory with an odd name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    original = prepare_data_sets(tmp_path_factory) / "array_record"
    odd = tmp_path / "my dätä\n漢"
    return shutil.copytree(original, odd, ignore=lambda *_: {prepared.FOLDER})


def load(root, name="tiny", **options):
    return source.load(Request("tfds", name, str(root), **options))


def check_refused(kind, message, *arguments, **options):
    with pytest.raises(kind, match=message) as caught:
        load(*arguments, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mnits", "", "a b", "../x", "mnist:9.9.9", "a\nb"])
def test_an_unknown_name_is_refused(tmp_path, name):
    check_refused(UserError, r"data\.name \(=.* tfds.*catalog", tmp_path, name)


def test_a_set_without_images_is_refused(root):
    message = r"\(='blind'\) must .* feature image and the split train; it has label "
    check_refused(UserError, message, root, "blind")


def test_a_data_set_of_one_image_is_refused(root):
    check_refused(
        UserError, r"\(='single'\) must have 2 images or more.*not 1", root, "single"
    )


def test_images_of_several_sizes_need_a_size(root):
    check_refused(
        UserError, r"size \(=0\) keeps .* one is \d x 8 and one is", root, "uneven"
    )
    assert load(root, "uneven", size=4).image_shape == (4, 4, 3)


@pytest.mark.parametrize("damage", ["cut", "gone", "text"])
def test_examples_that_cannot_be_read_end_the_run(root, damage):
    (shard,) = (root / "tiny" / "1.0.0").glob("*train.array_record*")
    content = shard.read_bytes()
    shard.unlink()
    if damage != "gone":
        shard.write_bytes(content[: len(content) // 2] if damage == "cut" else b"text")
    check_refused(
        RunFailure, "tiny/1.0.0 cannot be read: .*. Restore it, or remove it", root
    )
    assert not [*prepared.place(Request("tfds")).glob("*")]


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_metadata_that_cannot_be_read_ends_the_run(root, name):
    (root / "tiny" / "1.0.0" / name).write_text("{")
    check_refused(
        RunFailure, "tiny/1.0.0 cannot be read: .*. Restore it, or remove it", root
    )


def test_an_incomplete_preparation_is_not_used_as_data(root):
    incomplete = root / "tiny" / "incomplete.AB12CD_1.0.0"
    shutil.copytree(root / "tiny" / "1.0.0", incomplete)
    assert len(load(root).train.images) == 12
    shutil.rmtree(root / "tiny" / "1.0.0")
    check_refused(UserError, r"\(='tiny'\) is no data set that tfds can make", root)


def test_read_only_data_is_loaded_and_prepared_in_the_cache(root, tmp_path):
    place = root / "tiny" / "1.0.0"
    place.chmod(0o555)
    one, two = load(root), load(root)
    np.testing.assert_array_equal(one.train.images, two.train.images)
    assert not list(place.glob("*prepared*"))
    in_cache = tmp_path / "cache" / "infogan_jax" / prepared.FOLDER
    assert len(list(in_cache.iterdir())) == 1


def test_a_failed_download_is_an_error_in_one_line(tmp_path, monkeypatch):
    from tensorflow_datasets.image_classification import MNIST

    def unreachable(*args, **kwargs):
        raise ConnectionError("no route to host.\nsecond line")

    monkeypatch.setattr(MNIST, "download_and_prepare", unreachable)
    monkeypatch.setattr(tfds_builder, "_check_network", lambda *_: None)
    monkeypatch.setattr(tfds_builder, "keep_tensorflow_off_the_gpus", lambda: None)
    message = "mnist cannot be prepared in .*: no route to host. Try again, or name"
    check_refused(RunFailure, message, tmp_path, "mnist")
