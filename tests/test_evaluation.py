"""An evaluation needs the run directory alone, and says how it measured."""

import json
import math
import re
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from conftest import build_tiny
from PIL import Image

from infogan_jax import encode, evaluation, latents, measures, training
from infogan_jax.errors import UserError
from infogan_jax.latents import Code
from infogan_jax.state import TrainState

CODES = ["categorical_0", "uniform_0", "uniform_1", "uniform_2", "uniform_3"]
DIGIT = Code("digit", "categorical", 3)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture
def trained(directory, tiny_config):
    """A run of 2 steps, not evaluated; shared: copy it before changing it."""
    workdir = directory / "trained"
    if not workdir.exists():
        tiny_config.training.steps = 2
        assert training.train(tiny_config.to_dict(), workdir) == 0
    return workdir


@pytest.fixture
def evaluated(directory, trained):
    """The same, moved elsewhere and evaluated there; shared."""
    workdir = directory / "evaluated"
    if not workdir.exists():
        shutil.copytree(trained, workdir)
        (workdir / "table.txt").write_text(evaluation.evaluate(workdir))
    return workdir


def record(workdir):
    return json.loads((workdir / "evaluation.json").read_text())


def test_every_number_has_its_unit_and_protocol(evaluated):
    metrics = record(evaluated)["metrics"]
    assert metrics.keys() == {
        *(f"mi_bound/{code}" for code in CODES),
        "jsd_bound",
        "accuracy_test",
        "accuracy_test_rematched",
        "accuracy_train",
        "nmi_test",
        "ari_test",
    }
    for name, measure in metrics.items():
        assert measure.keys() == {"value", "unit", "protocol"}
        assert math.isfinite(measure["value"]), name
        assert len(measure["protocol"]) > 15


@pytest.mark.parametrize(
    "name, unit, low, high",
    [
        ("mi_bound/categorical_0", "nat", -math.inf, math.log(10)),
        ("jsd_bound", "nat", -math.inf, math.log(2)),
        ("accuracy_test", "share", 0, 1),
        ("accuracy_test_rematched", "share", 0.1, 1),
        ("nmi_test", "share", 0, 1),
        ("ari_test", "index", -0.5, 1),
    ],
)
def test_a_number_is_in_its_range(evaluated, name, unit, low, high):
    measure = record(evaluated)["metrics"][name]
    assert measure["unit"] == unit
    assert low <= measure["value"] <= high


@pytest.mark.parametrize(
    "name, words",
    [
        ("mi_bound/categorical_0", r"200 generated images; H\(c\) = 2\.303"),
        ("mi_bound/uniform_0", r"200 generated images; H\(c\) = 0\.693"),
        ("jsd_bound", "360 held-out and as many generated images, instance noise"),
        ("accuracy_test", "360 held-out images, matched .* 1437 training images"),
        ("accuracy_test_rematched", "on the held-out labels themselves"),
        ("nmi_test", "360 held-out images, arithmetic"),
    ],
)
def test_a_protocol_names_its_images_and_its_method(evaluated, name, words):
    assert re.search(words, record(evaluated)["metrics"][name]["protocol"])


def test_a_fixed_sd_is_refitted_and_the_protocol_says_so(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 4000).astype(np.float32)
    means = values + rng.normal(0, 0.1, 4000).astype(np.float32)
    drawn = latents.Latents(
        codes={"uniform_0": jnp.asarray(values)}, noise=jnp.zeros((4000, 5))
    )
    monkeypatch.setattr(measures, "_generated", lambda *args: (drawn, None))
    monkeypatch.setattr(encode, "judge", lambda *args: (None, means[:, None]))
    state = TrainState(0, 0, {}, {}, {}, {})
    measure = measures.mi_bounds(build_tiny("uniform", fixed_sd=1.0), state, 0, 4000)
    gaussian = math.log(2) - 0.5 * math.log(2 * math.pi * math.e * 0.1**2)
    assert measure["mi_bound/uniform_0"].value == pytest.approx(gaussian, abs=0.05)
    assert "sd fitted on the first half" in measure["mi_bound/uniform_0"].protocol


def test_the_record_says_which_run_it_is_of(evaluated):
    assert record(evaluated)["run"] == {"name": "tiny", "seed": 0, "step": 2}


def test_the_table_shows_every_number_and_where_the_rest_is(evaluated):
    table = (evaluated / "table.txt").read_text()
    for name, measure in record(evaluated)["metrics"].items():
        [row] = [row.split() for row in table.splitlines() if row.split()[0] == name]
        assert row[1:] == [f"{measure['value']:.4f}", measure["unit"]]
    assert str(evaluated / "evaluation.json") in table


@pytest.mark.parametrize("name", ["samples", *(f"traversal_{c}" for c in CODES)])
def test_a_traversal_is_ten_by_ten_enlarged_images(evaluated, name):
    with Image.open(evaluated / "evaluation" / f"{name}.png") as picture:
        picture.verify()
        side = 10 * (4 * 8 + 1) + 1
        assert (picture.format, picture.size) == ("PNG", (side, side))


def test_the_confusion_is_drawn(evaluated):
    with Image.open(evaluated / "evaluation" / "confusion.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (660, 600))
        assert len(set(picture.convert("L").resize((60, 60)).tobytes())) > 5


def test_evaluating_twice_gives_the_same_numbers(evaluated, tmp_path):
    workdir = shutil.copytree(evaluated, tmp_path / "run")
    (workdir / "evaluation.json").unlink()
    evaluation.evaluate(workdir)
    assert record(workdir) == record(evaluated)


def test_an_evaluation_changes_nothing_of_the_run(trained, evaluated):
    for path in (p for p in trained.rglob("*") if p.is_file()):
        again = evaluated / path.relative_to(trained)
        assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "missing, message",
    [
        (".", r"has no readable config\.json"),
        ("config.json", r"has no readable config\.json"),
        ("checkpoints", "checkpoints does not exist; run train.py first"),
        ("checkpoints/2", "checkpoints holds no checkpoint"),
    ],
)
def test_what_is_missing_is_named(trained, tmp_path, missing, message):
    workdir = shutil.copytree(trained, tmp_path / "run")
    gone = workdir / missing
    gone.unlink() if gone.is_file() else shutil.rmtree(gone)
    with pytest.raises(UserError, match=message):
        evaluation.evaluate(workdir)
    assert not (workdir / "evaluation.json").exists()


def test_the_number_of_devices_may_differ_from_that_of_the_training(trained, tmp_path):
    workdir = shutil.copytree(trained, tmp_path / "run")
    config = json.loads((workdir / "config.json").read_text())
    config["data"]["batch_size"] = 15
    (workdir / "config.json").write_text(json.dumps(config))
    evaluation.evaluate(workdir)


def labelled(*groups):
    """Categories and labels from (category, label, how many)."""
    return tuple(
        np.concatenate([np.full(n, group[place]) for *group, n in groups])
        for place in (0, 1)
    )


def test_accuracy_on_held_out_images_uses_the_matching_of_the_training_labels():
    train = labelled((0, 0, 6), (0, 1, 4), (1, 1, 6), (1, 0, 4), (2, 2, 5))
    test = labelled((0, 0, 1), (0, 1, 3), (1, 1, 1), (1, 0, 3), (2, 2, 2))
    found = {
        name: m.value for name, m in measures.agreement(DIGIT, train, test).items()
    }
    assert found["accuracy_test"] == pytest.approx(4 / 10)
    assert found["accuracy_test_rematched"] == pytest.approx(8 / 10)
    assert found["accuracy_train"] == pytest.approx(17 / 25)


def test_perfect_categories_agree_whatever_their_names():
    split = labelled((0, 2, 5), (1, 0, 4), (2, 1, 3))
    for name, measure in measures.agreement(DIGIT, split, split).items():
        assert measure.value == pytest.approx(1.0), name


def test_categories_that_say_nothing_agree_by_chance_alone():
    split = labelled((0, 0, 5), (0, 1, 5), (0, 2, 5))
    found = {
        name: m.value for name, m in measures.agreement(DIGIT, split, split).items()
    }
    assert found["accuracy_test"] == pytest.approx(1 / 3)
    assert found["nmi_test"] == pytest.approx(0.0, abs=1e-9)
    assert found["ari_test"] == pytest.approx(0.0, abs=1e-9)
