"""Data sets of tfds: prepared once, read without TensorFlow, never downloaded twice."""

import subprocess
import sys

import numpy as np
import pytest

from infogan_jax.data import tfds as source
from infogan_jax.data.dataset import Request
from infogan_jax.errors import RunFailure, UserError

MAKE = """
import pathlib
import sys
import numpy as np
import tensorflow_datasets as tfds

class Tiny(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = pathlib.Path(sys.argv[1])

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict({
                "image": tfds.features.Image(shape=(10, 8, 3)),
                "label": tfds.features.ClassLabel(num_classes=3),
            })
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in ("train", "test")}

    def _generate_examples(self, split):
        rng = np.random.default_rng(len(split))
        for i in range({"train": 12, "test": 4}[split]):
            image = rng.integers(0, 256, (10, 8, 3), dtype=np.uint8)
            yield i, {"image": image, "label": i % 3}

Tiny(data_dir=sys.argv[1], file_format=sys.argv[2]).download_and_prepare()
"""


@pytest.fixture(scope="module", params=["array_record", "tfrecord"])
def prepared(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    script = root / "make.py"
    script.write_text(MAKE)
    subprocess.run(
        [sys.executable, script, root, request.param], check=True, capture_output=True
    )
    return request.param, root


def ask(root, **fields):
    return Request("tfds", "tiny", str(root), **fields)


def test_images_and_labels_are_those_that_were_prepared(prepared):
    _, root = prepared
    found = source.load(ask(root))
    assert found.image_shape == (10, 8, 3)
    assert (len(found.train.images), len(found.test.images)) == (12, 4)
    assert sorted(found.train.labels) == sorted(i % 3 for i in range(12))
    rng = np.random.default_rng(len("train"))
    expected = [rng.integers(0, 256, (10, 8, 3), dtype=np.uint8) for _ in range(12)]
    key = lambda image: image.tobytes()  # noqa: E731
    np.testing.assert_array_equal(
        sorted(found.train.images, key=key), sorted(expected, key=key)
    )
    assert found.provenance["name"] == "tiny/1.0.0"


def test_a_recipe_is_prepared_once_and_another_one_apart(prepared, monkeypatch):
    _, root = prepared
    small = source.load(ask(root, crop=6, size=4, channels=1))
    assert small.image_shape == (4, 4, 1)

    def decoded(*args):
        raise AssertionError("decoded again")

    monkeypatch.setattr(source, "_examples", decoded)
    again = source.load(ask(root, crop=6, size=4, channels=1))
    np.testing.assert_array_equal(again.train.images, small.train.images)
    with pytest.raises(AssertionError, match="decoded again"):
        source.load(ask(root, crop=6, size=2, channels=1))


def test_reading_array_record_needs_no_tensorflow(prepared):
    kind, root = prepared
    code = (
        "import sys; from infogan_jax.data import tfds; "
        "from infogan_jax.data.dataset import Request; "
        f"tfds.load(Request('tfds', 'tiny', {str(root)!r}, size=6)); "
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(kind == "tfrecord")


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"config\.data\.name \(='mnits'\) is no data"):
        source.load(Request("tfds", "mnits", str(tmp_path)))


def test_what_cannot_be_downloaded_is_said_in_one_line(tmp_path, monkeypatch):
    from tensorflow_datasets.image_classification import MNIST

    def unreachable(*args, **kwargs):
        raise ConnectionError("no route to host\nsecond line")

    monkeypatch.setattr(MNIST, "download_and_prepare", unreachable)
    monkeypatch.setattr(source, "_keep_tensorflow_off_the_gpus", lambda: None)
    with pytest.raises(
        RunFailure, match="mnist cannot be prepared .* no route to host"
    ):
        source.load(Request("tfds", "mnist", str(tmp_path)))
