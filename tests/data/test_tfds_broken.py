"""Data sets of tfds that are not there, not whole, or not what is needed: one line."""

import shutil

import numpy as np
import pytest
from tiny_tfds import made

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import tfds as source
from infogan_jax.errors import RunFailure, UserError


@pytest.fixture
def root(tmp_path, tmp_path_factory, monkeypatch):
    """A copy to be damaged, in a directory with an odd name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = made(tmp_path_factory) / "array_record"
    odd = tmp_path / "my dätä\n漢"
    return shutil.copytree(kept, odd, ignore=lambda *_: {prepared.FOLDER})


def load(root, name="tiny", **asked):
    return source.load(Request("tfds", name, str(root), **asked))


def refused(kind, message, *arguments, **asked):
    with pytest.raises(kind, match=message) as caught:
        load(*arguments, **asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mnits", "", "a b", "../x", "mnist:9.9.9", "a\nb"])
def test_what_tfds_does_not_know_is_refused(tmp_path, name):
    refused(UserError, r"data\.name \(=.* tfds.*catalog", tmp_path, name)


def test_a_set_without_images_is_refused(root):
    message = r"\(='blind'\) must .* feature image and the split train; it has label "
    refused(UserError, message, root, "blind")


def test_one_image_cannot_be_held_out_from_itself(root):
    refused(
        UserError, r"\(='single'\) must have 2 images or more.*not 1", root, "single"
    )


def test_images_of_several_sizes_need_one(root):
    refused(UserError, r"size \(=0\) keeps .* one is \d x 8 and one is", root, "uneven")
    assert load(root, "uneven", size=4).image_shape == (4, 4, 3)


@pytest.mark.parametrize("damage", ["cut", "gone", "text"])
def test_examples_that_cannot_be_read_end_the_run(root, damage):
    (shard,) = (root / "tiny" / "1.0.0").glob("*train.array_record*")
    content = shard.read_bytes()
    shard.unlink()
    if damage != "gone":
        shard.write_bytes(content[: len(content) // 2] if damage == "cut" else b"text")
    refused(RunFailure, "tiny/1.0.0 cannot be read: .*. Restore it, or remove it", root)
    assert not [*root.glob(f"tiny/*/{prepared.FOLDER}/*")]


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json"])
def test_a_description_that_cannot_be_read_ends_the_run(root, name):
    (root / "tiny" / "1.0.0" / name).write_text("{")
    refused(RunFailure, "tiny/1.0.0 cannot be read: .*. Restore it, or remove it", root)


def test_what_a_killed_preparation_left_is_not_taken_for_data(root):
    left = root / "tiny" / "incomplete.AB12CD_1.0.0"
    shutil.copytree(root / "tiny" / "1.0.0", left)
    assert len(load(root).train.images) == 12
    shutil.rmtree(root / "tiny" / "1.0.0")
    refused(UserError, r"\(='tiny'\) is no data set that tfds can make", root)


def test_data_marked_read_only_is_read_and_kept_ready_in_the_cache(root, tmp_path):
    place = root / "tiny" / "1.0.0"
    place.chmod(0o555)
    one, two = load(root), load(root)
    np.testing.assert_array_equal(one.train.images, two.train.images)
    assert not (place / prepared.FOLDER).exists()
    kept = tmp_path / "cache" / "infogan_jax" / prepared.FOLDER
    assert len(list(kept.iterdir())) == 2


def test_what_cannot_be_downloaded_is_said_in_one_line(tmp_path, monkeypatch):
    from tensorflow_datasets.image_classification import MNIST

    def unreachable(*args, **kwargs):
        raise ConnectionError("no route to host.\nsecond line")

    monkeypatch.setattr(MNIST, "download_and_prepare", unreachable)
    monkeypatch.setattr(source, "_keep_tensorflow_off_the_gpus", lambda: None)
    message = "mnist cannot be prepared in .*: no route to host. Try again, or name"
    refused(RunFailure, message, tmp_path, "mnist")
