"""An evaluation needs the run directory alone, and says how it measured."""

import base64
import csv
import html
import json
import math
import re
import shutil
from functools import partial

import numpy as np
import pytest
from PIL import Image

import infogan_jax
from infogan_jax import evaluation, training
from infogan_jax.analysis.classifier import train_classifier
from infogan_jax.analysis.report import samples
from infogan_jax.analysis.report.meanings import meaning
from infogan_jax.errors import UserError

CONTINUOUS = ["uniform_0", "uniform_1", "uniform_2", "uniform_3"]
CODES = ["categorical_0", *CONTINUOUS]
CLASSIFIER = "200_digits_classifier"
CLUSTERING = "accuracy_test accuracy_test_rematched accuracy_train purity_test nmi_test"
CLUSTERING += " largest_class_test"
ALWAYS = {*(f"mi_bound/{code}" for code in CODES), "jsd_bound", "ari_test"}
ALWAYS |= set(CLUSTERING.split())
ALWAYS |= {f"visible/{part}" for part in (*CODES, "noise")}
DISTANCES = {
    f"{kind}_digits_{space}"
    for space in ("classifier", "rotations")
    for measure in "kernel_distance precision recall density coverage".split()
    for kind in (
        f"{measure}_200",
        f"{measure}_200_held_out",
        f"floor_{measure}_200_held_out",
    )
}
WITH_LABELS = {f"{kind}_{CLASSIFIER}" for kind in ("classes_found", "class_divergence")}
for count in (10, 100, 1000):
    WITH_LABELS |= {f"linear_{what}_{count}_labels" for what in ("trunk", "pixels")}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(autouse=True)
def small_classifier(monkeypatch):
    quick = {"steps": 200, "layers": "fc 32 bn relu"}
    monkeypatch.setattr(samples, "train_classifier", partial(train_classifier, **quick))


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
    named = {re.sub(r"(spearman|eta_squared)_\w+/", r"\1_", name) for name in metrics}
    assert named == {
        *ALWAYS,
        *WITH_LABELS,
        *DISTANCES,
        "accuracy_digits_classifier",
        "accuracy_digits_rotations",
        "reconstruction_error_test",
        "patch_distance_8_200",
        "floor_patch_distance_8_200",
        "eta_squared_categorical_0",
        *(f"spearman_{code}" for code in CONTINUOUS),
    }
    for name, measure in metrics.items():
        assert measure.keys() == {"value", "unit", "protocol"}
        assert math.isfinite(measure["value"]), name
        assert len(measure["protocol"]) > 15


def test_a_quick_evaluation_measures_what_needs_no_classifier(
    evaluated, trained, tmp_path
):
    workdir = shutil.copytree(trained, tmp_path / "run")
    table = evaluation.evaluate(workdir, quick=True)
    metrics = record(evaluated)["metrics"]
    assert record(workdir)["metrics"] == {name: metrics[name] for name in ALWAYS}
    assert "left out" not in table
    page = (workdir / "evaluation" / "report.html").read_text()
    assert "<h3>Classes</h3>" in page and "<h3>Samples</h3>" not in page


@pytest.mark.parametrize(
    "name, unit, low, high",
    [
        ("mi_bound/categorical_0", "nat", -math.inf, math.log(10)),
        ("jsd_bound", "nat", -math.inf, math.log(2)),
        ("accuracy_test", "share", 0, 1),
        ("accuracy_test_rematched", "share", 0.1, 1),
        ("purity_test", "share", 0.1, 1),
        ("nmi_test", "share", 0, 1),
        ("ari_test", "index", -0.5, 1),
        (f"kernel_distance_{CLASSIFIER}", "index", 0.01, math.inf),
        (f"classes_found_{CLASSIFIER}", "share", 0.1, 1),
        (f"class_divergence_{CLASSIFIER}", "nat", 0, math.log(10)),
        ("accuracy_digits_classifier", "share", 0.9, 1),
        ("accuracy_digits_rotations", "share", 0.7, 1),
        ("floor_coverage_200_held_out_digits_rotations", "share", 0.8, 1),
        ("coverage_200_held_out_digits_rotations", "share", 0, 0.5),
        ("linear_pixels_1000_labels", "share", 0.9, 1),
    ],
)
def test_a_number_is_in_its_range(evaluated, name, unit, low, high):
    measure = record(evaluated)["metrics"][name]
    assert measure["unit"] == unit
    assert low <= measure["value"] <= high


@pytest.mark.parametrize(
    "name, words",
    [
        ("mi_bound/categorical_0", r"200 generated images, read .*; H\(c\) = 2\.303"),
        ("mi_bound/uniform_0", r"read 512 at a time; H\(c\) = 0\.693"),
        ("jsd_bound", "360 held-out images and as many generated, instance noise"),
        ("accuracy_test", "360 held-out images, matched .* 1437 training images"),
        ("accuracy_test_rematched", "on the held-out labels themselves"),
        ("nmi_test", "360 held-out images, arithmetic"),
        ("precision_200_digits_classifier", "200 training and as many generated"),
        ("recall_200_held_out_digits_classifier", "200 held-out and as many gener"),
        ("accuracy_digits_classifier", "1437 training .* on 360 held-out images"),
        ("recall_200_digits_rotations", "features of a classifier of rotations"),
        (
            "floor_recall_200_held_out_digits_rotations",
            "200 held-out and as many training images",
        ),
        ("linear_trunk_100_labels", r"trunk's .* 100 labels, .* 5 draws .* sd 0\.\d"),
    ],
)
def test_a_protocol_names_its_images_and_its_method(evaluated, name, words):
    assert re.search(words, record(evaluated)["metrics"][name]["protocol"])


def test_the_record_says_which_run_it_is_of(evaluated):
    run = record(evaluated)["run"]
    assert (run["name"], run["seed"], run["step"]) == ("tiny", 0, 2)


def test_the_record_says_what_was_measured_and_by_which_version(evaluated):
    run = record(evaluated)["run"]
    assert run["sections"] == list(evaluation.SECTIONS)
    assert run["version"] == infogan_jax.__version__


def test_the_table_shows_every_number_and_where_the_rest_is(evaluated):
    table = (evaluated / "table.txt").read_text()
    for name, measure in record(evaluated)["metrics"].items():
        [row] = [row.split() for row in table.splitlines() if row.split()[0] == name]
        assert row[1:] == [f"{measure['value']:.4f}", measure["unit"]]
    assert str(evaluated / "evaluation.json") in table
    assert "left out: factors: the true factors of the images are not known" in table


@pytest.mark.parametrize("name", ["samples", *(f"traversal_{c}" for c in CODES)])
def test_a_traversal_is_ten_by_ten_enlarged_images(evaluated, name):
    with Image.open(evaluated / "evaluation" / f"{name}.png") as picture:
        picture.verify()
        assert (picture.format, picture.size) == ("PNG", (331, 331))  # 10 * 33 + 1


def test_the_confusion_is_drawn(evaluated):
    with Image.open(evaluated / "evaluation" / "confusion.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (660, 600))
        assert len(set(picture.convert("L").resize((60, 60)).tobytes())) > 5


def test_the_tables_are_files_that_agree_with_the_numbers(evaluated):
    def table(name):
        with open(evaluated / "evaluation" / f"{name}.csv") as file:
            head, *rows = csv.reader(file)
        return head[1:], {row[0]: [float(cell) for cell in row[1:]] for row in rows}

    metrics = record(evaluated)["metrics"]
    _, counts = table("confusion")
    assert np.sum(list(counts.values())) == 360
    matched = [row[int(name.split(" → ")[1])] for name, row in counts.items()]
    assert np.sum(matched) / 360 == pytest.approx(metrics["accuracy_test"]["value"])
    attributes, related = table("attributes")
    best = int(np.abs(related["uniform_2"]).argmax())
    strongest = metrics[f"spearman_{attributes[best]}/uniform_2"]
    assert strongest["value"] == related["uniform_2"][best]
    _, shares = table("classes")
    assert np.sum(shares["real"]) == pytest.approx(np.sum(shares["generated"])) == 1


def test_the_page_has_pictures_inside_and_every_number_last(evaluated):
    page = (evaluated / "evaluation" / "report.html").read_text()
    for name, measure in record(evaluated)["metrics"].items():
        assert name in page and html.escape(measure["protocol"]) in page
    samples = (evaluated / "evaluation" / "samples.png").read_bytes()
    assert base64.b64encode(samples).decode() in page
    assert page.count("<img") == page.count('<img alt="') == page.count("data:image/")
    for heading in ("What each code changes", "What Q reads", "Samples", "Training"):
        assert page.index(f"<h2>{heading}") < page.index("<h2>Numbers</h2>")


def test_every_number_says_what_it_means_and_what_is_good(evaluated):
    for name in record(evaluated)["metrics"]:
        assert re.search("[Gg]ood|can be trusted|beat|Neither", meaning(name)), name


def test_every_code_has_its_strip_and_every_category_its_real_images(evaluated):
    page = (evaluated / "evaluation" / "report.html").read_text()
    assert page.count('<figure class="strip"') == len(CODES)
    metrics = record(evaluated)["metrics"]
    visible = metrics["visible/categorical_0"]["value"]
    bound = metrics["mi_bound/categorical_0"]["value"]
    note = f"decides {visible:.0%} of what one sees, L_I {bound:.2f} of 2.30 nats"
    assert note in page
    counts = re.findall(r"<dt>\d+ <small>(\d+) images</small></dt>", page)
    assert len(counts) == 10 and sum(map(int, counts)) == 360
    assert page.count('<figure class="map">') == 2


def test_the_page_has_the_names_that_codes_and_categories_were_given(trained, tmp_path):
    workdir = shutil.copytree(trained, tmp_path / "run")
    given = {"uniform_1": "slant", "categorical_0/3": "a <five>"}
    (workdir / "names.json").write_text(json.dumps(given))
    evaluation.evaluate(workdir, quick=True)
    page = (workdir / "evaluation" / "report.html").read_text()
    assert "<label>slant <input" in page and "upwards" in page
    assert "<dt>a &lt;five&gt; <small>" in page
    assert "&quot;a &lt;five&gt;&quot;" in page  # under the slider of the category


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
        ("checkpoints", "checkpoints does not exist; train the run first"),
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
    evaluation.evaluate(workdir, quick=True)


def test_an_evaluation_counts_only_with_all_its_sections_and_of_this_version(tmp_path):
    def is_done(quick, **run):
        run = {"step": 8, "version": evaluation.__version__} | run
        (tmp_path / "evaluation.json").write_text(json.dumps({"run": run}))
        return evaluation.is_done(tmp_path, 8, quick=quick)

    assert not evaluation.is_done(tmp_path, 8)
    quick, whole = list(evaluation.QUICK), list(evaluation.SECTIONS)
    assert is_done(True, sections=quick) and is_done(True, sections=whole)
    assert is_done(False, sections=whole)
    assert not is_done(False, sections=quick)
    assert not is_done(True, sections=whole, version="0.0.1")
    assert not is_done(True, sections=whole, step=4)
    assert not is_done(True), "of a version that did not say what it measured"
