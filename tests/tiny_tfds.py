"""Tiny data sets of tfds, which another process prepares once in both file formats.

The tests that load them need no TensorFlow in their own process.
"""

import subprocess
import sys
from importlib.util import find_spec

import pytest

FORMATS = ["array_record", "tfrecord"]

PROGRAM = """
import io
import pathlib
import sys
import numpy as np
import tensorflow_datasets as tfds
from PIL import Image as Picture

Image, Class = tfds.features.Image, tfds.features.ClassLabel
rng = np.random.default_rng(len("train"))
noise = rng.integers(0, 256, (16, 10, 8, 3), dtype=np.uint8)
features = {"image": Image(shape=(6, 6, 1)), "image2": Image(shape=(6, 6, 1))}
features |= {"label_b": Class(num_classes=3), "instance": Class(num_classes=5)}
features |= {"label_a": Class(num_classes=20), "label_text": tfds.features.Text()}
gray = np.ones((6, 6, 1), np.uint8)
factored = [
    {"image": i * gray, "image2": 255 * gray, "label_a": i, "label_b": i % 3}
    | {"instance": i % 5, "label_text": "x"}
    for i in range(20)
]
icons = [{"image": np.full((4, 4, 4), (9, 9, 9, 0), np.uint8)} for _ in range(5)]
for i in range(4):
    icons[i + 1]["image"][i] = (9, 0, 0, 255)
png_file = io.BytesIO()
Picture.new("RGBA", (8, 10), (7, 7, 7, 255)).save(png_file, "png")
SETS = {
    "tiny": (
        {"image": Image(shape=(10, 8, 3)), "label": Class(num_classes=3)},
        [{"image": image, "label": i % 3} for i, image in enumerate(noise)],
        4,
    ),
    "factored": (features, factored, 0),
    "binarized_mnist": (
        {"image": Image(shape=(2, 2, 1))},
        [{"image": np.uint8([[[0], [1]], [[1], [0]]])}] * 4,
        2,
    ),
    "uneven": (
        {"image": Image()},
        [{"image": np.zeros((4 + 2 * (i % 2), 8, 3), np.uint8)} for i in range(9)],
        2,
    ),
    "mixed": (
        {"image": Image()},
        [{"image": png_file.getvalue()}, {"image": noise[0]}],
        1,
    ),
    "deep": (
        {"image": Image(shape=(4, 4, 1), dtype=np.uint16)},
        [{"image": np.full((4, 4, 1), i * 256 + i % 2, np.uint16)} for i in range(16)],
        1,
    ),
    "floats": (
        {"image": Image(shape=(4, 4, 1), dtype=np.float32)},
        [{"image": np.full((4, 4, 1), i / 15, np.float32)} for i in range(16)],
        1,
    ),
    "icons": ({"image": Image(shape=(4, 4, 4))}, icons, 1),
    "six": (
        {"image": tfds.features.Tensor(shape=(4, 4, 6), dtype=np.uint8)},
        [{"image": np.zeros((4, 4, 6), np.uint8)}] * 4,
        1,
    ),
    "validated": (
        {"image": Image(shape=(2, 2, 1))},
        [{"image": np.full((2, 2, 1), 50 + i, np.uint8)} for i in range(9)],
        3,
    ),
    "single": ({"image": Image()}, [{"image": noise[0]}], 0),
    "blind": ({"label": Class(num_classes=3)}, [{"label": 0}], 0),
}

class TinyBuilder(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = pathlib.Path(sys.argv[1])

    def _info(self):
        features = tfds.features.FeaturesDict(SETS[self.name][0])
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        _, examples, held_out = SETS[self.name]
        cut = len(examples) - held_out
        second = "validation" if self.name == "validated" else "test"
        parts = {"train": examples[:cut], second: examples[cut:]}
        return {name: self._generate_examples(p) for name, p in parts.items() if p}

    def _generate_examples(self, examples):
        yield from enumerate(examples)

for name in SETS:
    kind = type(name, (TinyBuilder,), {})
    for file_format in sys.argv[2:]:
        root = f"{sys.argv[1]}/{file_format}"
        kind(data_dir=root, file_format=file_format).download_and_prepare()
"""


def skip_without_tfds():
    """Skips a test module if tfds or TensorFlow is missing, without importing them."""
    for package in ("tensorflow_datasets", "tensorflow"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed", allow_module_level=True)


def prepare_data_sets(tmp_path_factory):
    """Returns a directory with one data directory for each format in FORMATS."""
    root = tmp_path_factory.getbasetemp() / "tiny_tfds"
    if not root.exists():
        root.mkdir()
        (root / "prepare.py").write_text(PROGRAM)
        command = [sys.executable, root / "prepare.py", root, *FORMATS]
        subprocess.run(command, check=True, capture_output=True)
    return root
