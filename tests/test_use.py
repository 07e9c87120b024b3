"""What docs/use.md tells people to do with a trained run works as it says."""

import csv
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import VECTORS
from verbs import call

import infogan_jax
from infogan_jax.data.sources import digits

PAGE = (Path(__file__).parents[1] / "docs" / "use.md").read_text()
PART = re.compile(r"^### (.*?)\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
JOURNEYS = dict(PART.findall(PAGE.replace("\\\n", "")))
COMMAND = re.compile(r"^    (infogan .*)\n", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

USES_ONNX = {"Use G from another framework", "Use Q from another framework"}
USES_SAFETENSORS = {"Share a model"}
TINY = [
    *(f"'--config.networks.{name}={layers}'" for name, layers in VECTORS.items()),
    "--config.data.batch_size=16 --config.training.steps=2 --config.name=mine",
    "--config.training.steps_per_call=2 --config.training.log_every=2",
    "--config.training.picture_every=2 --config.training.checkpoint_every=2",
]


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def size(path):
    with Image.open(path) as picture:
        return picture.size


def check_threes():
    manifest = rows("threes/manifest.csv")
    assert {row["categorical_0"] for row in manifest} == {"3"}
    assert len(manifest) == len(list(Path("threes").glob("*.png"))) == 1000


def check_codes():
    table = rows("codes.csv")
    assert [row["name"] for row in table] == [*(f"scan{i:02}.png" for i in range(40))]
    for row in table:
        shares = [float(row[f"categorical_0/probabilities/{k}"]) for k in range(10)]
        assert int(row["category"]) == np.argmax(shares)
        assert float(row["confidence"]) == max(shares)


def check_sorted():
    placed = {path.name: path.parent.name for path in Path("sorted").rglob("*.png")}
    assert placed == {row["name"]: row["folder"] for row in rows("sorted/sorted.csv")}
    assert len(placed) == len(list(Path("my/images").iterdir())) == 40


def check_names():
    named = infogan_jax.load("runs/digits")
    assert named.code("slant").name == "uniform_1"
    table = rows("fives.csv")
    assert len(table) == 50 and {row["categorical_0_name"] for row in table} == {"five"}
    assert [table[at]["slant"] for at in (0, -1)] == ["-2", "2"]


def check_continued():
    before, after = (infogan_jax.load(f"runs/{name}") for name in ("digits", "mine"))
    assert (before.step, after.step) == (8, 2)
    near, far = (
        np.abs(np.int32(after.sample(20)) - np.int32(other)).mean()
        for other in (before.sample(20), before.sample(20, seed=1))
    )
    assert near < far


def check_slides():
    names = {path.name for path in Path("slides").iterdir()}
    assert names == {f"uniform_{k}.gif" for k in range(4)}


def check_shared():
    assert {"README.md", "config.json", "model.safetensors"} < {
        path.name for path in Path("digits_shared").iterdir()
    }
    assert size("shared.png") == (331, 331)


def check_sweep():
    assert [float(row["uniform_1"]) for row in rows("sweep.csv")] == [*range(-4, 5)]
    assert size("sweep.png") == (9 * 33 + 1, 34)


CHECKS = {
    "Make 1,000 images of category 3": check_threes,
    "See the codes of new images, with confidence": check_codes,
    "Sort a folder of images": check_sorted,
    "Name a code": check_names,
    "Use G from another framework": lambda: None,
    "Use Q from another framework": lambda: None,
    "Continue on new data": check_continued,
    "Make a GIF for slides": check_slides,
    "Share a model": check_shared,
    "Sweep beyond the prior": check_sweep,
    "Find images like this one": lambda: size("nearest.png") == (6 * 65 + 1, 66),
}


def test_the_page_has_these_journeys():
    assert [name for name in JOURNEYS if name in CHECKS] == list(CHECKS)


@pytest.fixture
def place(trained_run, tmp_path, monkeypatch):
    """A folder with a run and forty pictures, as the page takes it to be."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained_run, "runs/digits")
    Path("my/images").mkdir(parents=True)
    for row, image in enumerate(digits.load().test.images[:40]):
        Image.fromarray(image[..., 0]).save(f"my/images/scan{row:02}.png")


@pytest.mark.filterwarnings("ignore:the load_module")  # of ml_collections
@pytest.mark.parametrize("journey", [name for name in CHECKS if name not in USES_ONNX])
def test_a_journey_does_what_the_page_says(place, journey, capsys):
    if journey in USES_SAFETENSORS and find_spec("safetensors") is None:
        pytest.skip("needs safetensors")
    commands = COMMAND.findall(JOURNEYS[journey])
    assert commands
    for command in commands:
        words = [command, *(TINY if " train " in command else [])]
        assert call(" ".join(words)) == 0
    assert "warning" not in capsys.readouterr().out
    CHECKS[journey]()


def test_generator_and_encoder_run_without_jax_as_the_page_says(place, capsys):
    if not all(map(find_spec, ("jax2onnx", "onnxruntime", "safetensors"))):
        pytest.skip("needs jax2onnx, onnxruntime and safetensors")
    texts = [JOURNEYS[name] for name in sorted(USES_ONNX)]
    for command in COMMAND.findall("".join(texts)):
        call(command)
    capsys.readouterr()
    left = {}
    for block in PYTHON.findall("".join(texts)):
        assert "jax" not in block
        exec(compile(block, "use.md", "exec"), left)
    images, model = left["images"], infogan_jax.load("runs/digits")
    assert images.shape == (4, 8, 8, 1) and 0 <= images.min() < images.max() <= 1
    category, share = capsys.readouterr().out.split()
    table = model.encode(digits.load().test.images[:1])["categorical_0/probabilities"]
    assert int(category) == table.argmax()
    assert float(share) == pytest.approx(float(table.max()), rel=1e-4)
