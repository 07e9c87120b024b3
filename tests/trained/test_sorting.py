"""Pictures in folders by category; the originals stay as they are."""

import csv
import os

import numpy as np
import pytest
from PIL import Image
from verbs import call

from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError
from infogan_jax.run import code_names
from infogan_jax.trained import sorting

IMAGES = digits.load().test.images[:12, ..., 0]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    for row, image in enumerate(IMAGES):
        path = folder / "ab"[row % 2] / f"{row // 2}.png"  # names that recur
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (folder / "a" / "broken.png").write_bytes(b"\x89PNG")
    return folder


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.png")}


def table(out):
    with open(out / "sorted.csv") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("link", [False, True])
def test_every_picture_comes_into_the_folder_of_its_category(
    model, trained_run, pictures, tmp_path, link
):
    before, out = contents(pictures), tmp_path / "sorted"
    shares = model.encode(IMAGES[..., None])["categorical_0/probabilities"]
    threshold = float(np.median(shares.max(1)))
    said = sorting.sort_images(
        trained_run, str(pictures), str(out), threshold, link=link
    )
    assert contents(pictures) == before, "originals are only read"
    assert "copies of 12" in said or "links to 12" in said
    assert "because they cannot be read: 1" in said
    expected = {}
    for row, share in enumerate(shares):
        name = f"{'ab'[row % 2]}/{row // 2}.png"
        sure = share.max() >= threshold
        expected[f"{share.argmax() if sure else 'unsure'}/{name}"] = name
    found = {str(p.relative_to(out)): p for p in out.rglob("*.png")}
    assert set(found) == set(expected)
    assert {path.split("/")[0] for path in found} > {"unsure"}
    for target, name in expected.items():
        assert found[target].is_symlink() == link
        assert found[target].read_bytes() == (pictures / name).read_bytes()
        if link:
            assert os.readlink(found[target]) == str(pictures / name)
    rows = table(out)
    assert {f"{r['folder']}/{r['name']}" for r in rows if r["folder"]} == set(expected)
    [unread] = [row for row in rows if not row["folder"]]
    assert unread["name"] == "a/broken.png" and "cannot be read" in unread["error"]
    assert (unread["category"], unread["confidence"]) == ("-1", "nan")


def test_folders_have_the_names_of_categories(own_run, model, pictures, tmp_path):
    names = {f"categorical_0/{k}": f"digit {k}" for k in range(10)}
    code_names.write_names(own_run, names, model.codes)
    sorting.sort_images(own_run, str(pictures), str(tmp_path / "out"), 0.0)
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders and folders <= set(names.values())


@pytest.mark.parametrize(
    "images, out, confidence, words",
    [
        ("pictures", "pictures/sorted", 0.9, "lies in --images"),
        ("pictures", "pictures", 0.9, "lies in --images"),
        ("pictures", "", 0.9, "--out is missing"),
        ("pictures", "full", 0.9, "is there already and not an empty folder"),
        ("empty", "out", 0.9, "must be a picture or a folder with .png"),
        ("pictures", "out", 1.5, "--confidence (=1.5) must be 0 to 1"),
        ("pictures", "out", float("nan"), "--confidence (=nan) must be 0 to 1"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    trained_run, pictures, tmp_path, images, out, confidence, words
):
    for name in ("full/of/files", "empty"):
        (tmp_path / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    out = out and str(tmp_path / out)
    with pytest.raises(UserError) as caught:
        sorting.sort_images(trained_run, str(tmp_path / images), out, confidence)
    assert words in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_category_may_not_be_called_as_the_folder_of_the_unsure(
    own_run, model, pictures, tmp_path
):
    code_names.write_names(own_run, {"categorical_0/1": "unsure"}, model.codes)
    with pytest.raises(UserError, match="is called 'unsure'"):
        call(f"infogan sort --workdir={own_run} --images={pictures} --out={tmp_path}/o")
    assert not (tmp_path / "o").exists()


def test_the_verb_says_what_is_missing(trained_run):
    with pytest.raises(UserError, match="--images is missing"):
        call(f"infogan sort --workdir={trained_run} --out=o")
    with pytest.raises(UserError, match="--workdir is missing"):
        call("infogan sort --images=a --out=o")
