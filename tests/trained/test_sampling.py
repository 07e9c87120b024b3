"""Samples as files: every form has the same images, and every image its codes."""

import csv
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from verbs import call

from infogan_jax.analysis.grids import split_grid
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.run import code_names
from infogan_jax.trained import sampling

CODES = "categorical_0=3, uniform_1=-2..2"


def contents(path):
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)[..., None]


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


@pytest.fixture
def sample(trained_run, tmp_path):
    def write(name, **options):
        said = sampling.sample_images(trained_run, str(tmp_path / name), **options)
        return tmp_path / name, said

    return write


def test_folder_archive_and_grid_have_the_images_of_python(model, sample):
    expected = model.sample(30, CODES, seed=5)
    options = {"count": 30, "codes": CODES, "seed": 5}
    folder, said = sample("folder", **options)
    assert said == f"wrote {folder}: 30 images and their codes"
    files = sorted(folder.glob("*.png"))
    assert [file.name for file in files][:2] == ["000000.png", "000001.png"]
    read = np.stack([pixels(file) for file in files])
    np.testing.assert_array_equal(read, expected)
    archive, _ = sample("a.npz", **options)
    with np.load(archive, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["images"], expected)
    grid, _ = sample("a.png", **options)
    cells = split_grid(pixels(grid), 3, 10)[:, :32, :32]
    np.testing.assert_array_equal(cells[:, ::4, ::4], expected)


def test_every_image_has_its_codes_beside_it(model, sample):
    drawn = model.latents(30, CODES, seed=5)
    options = {"count": 30, "codes": CODES, "seed": 5}
    folder, _ = sample("folder", **options)
    archive, _ = sample("a.npz", **options)
    grid, _ = sample("a.png", **options)
    manifest, beside = rows(folder / "manifest.csv"), rows(grid.with_suffix(".csv"))
    assert [row["file"] for row in manifest] == sorted(
        file.name for file in folder.glob("*.png")
    )
    assert [row["row"] + row["column"] for row in beside][9:11] == ["09", "10"]
    with np.load(archive, allow_pickle=False) as arrays:
        for name, values in drawn.codes.items():
            np.testing.assert_array_equal(arrays[name], values)
            for table in (manifest, beside):
                there = [float(row[name]) for row in table]
                np.testing.assert_allclose(there, values, rtol=1e-6)


@pytest.mark.parametrize("name", ["folder", "a.npz", "a.png"])
def test_the_same_arguments_give_the_same_bytes(sample, name):
    first, _ = sample(f"first/{name}", count=20, codes=CODES)
    second, _ = sample(f"second/{name}", count=20, codes=CODES)
    other, _ = sample(f"other/{name}", count=20, codes=CODES, seed=1)
    assert contents(first) == contents(second) != contents(other)


def test_held_images_differ_by_the_sweep_alone(model, sample):
    path, _ = sample("a.npz", count=9, codes="uniform_1=-4..4", hold=True)
    with np.load(path, allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["uniform_1"], np.arange(-4, 5))
        assert np.unique(arrays["categorical_0"]).size == 1
        assert np.unique(arrays["images"], axis=0).shape[0] == 9


def test_given_names_are_in_the_manifest(own_run, model, tmp_path):
    names = {"uniform_1": "slant", "categorical_0/3": "five"}
    code_names.write_names(own_run, names, model.codes)
    out = tmp_path / "a"
    sampling.sample_images(own_run, str(out), 4, "categorical_0=2..3, slant=1")
    table = rows(out / "manifest.csv")
    assert [row["categorical_0_name"] for row in table] == ["2", "five"] * 2
    assert {row["slant"] for row in table} == {"1"}


@pytest.mark.parametrize(
    "name, options, words",
    [
        (
            "a.jpg",
            {},
            "must end in .npz (an archive), in .png (a grid)",
        ),
        ("a", {"count": 0}, "--count (=0) must be 1 to 1,000,000,000"),
        ("a.png", {"count": 10_001}, "--count (=10001) must be 1 to 10,000"),
        ("a", {"seed": -1}, "--seed (=-1) must be 0 to"),
        ("a.png", {"columns": 0}, "--columns (=0) must be 1 to"),
        ("a", {"codes": "width=1"}, "'width' is no code of this run"),
        ("a", {"codes": "uniform_1=high"}, "uniform_1 (=high) must be a finite number"),
        ("full", {}, "is there already and not an empty folder"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    sample, tmp_path, name, options, words
):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as caught:
        sample(name, **options)
    assert words in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_was_stopped_amid_leaves_nothing(sample, tmp_path, monkeypatch):
    def stop(*anything):
        raise KeyboardInterrupt

    monkeypatch.setattr(sampling, "write_png", stop)
    monkeypatch.setattr(sampling, "_entry", stop)
    for name in ("a", "a.npz"):
        with pytest.raises(KeyboardInterrupt):
            sample(name, count=4)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(sample, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFailure, match="cannot be written"):
        sample("file/folder", count=4)


def test_memory_does_not_grow_with_the_number_of_images(sample):
    def peak(count):
        tracemalloc.start()
        try:
            sample(f"{count}.npz", count=count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(512)
    few, many = peak(2 * 512), peak(12 * 512)
    codes = 5 * 4  # bytes of an image that are kept, and joined
    assert many - few < 2 * codes * 10 * 512 < 0.7 * 10 * 512 * 64


def test_the_verb_writes_a_grid_into_the_run_unless_told_otherwise(own_run, capsys):
    assert call(f"infogan sample --workdir={own_run} --count=4 --columns=2") == 0
    assert f"wrote {own_run}/samples.png: 4 images" in capsys.readouterr().out
    with Image.open(own_run / "samples.png") as grid:
        assert grid.size == (2 * 33 + 1, 2 * 33 + 1)
