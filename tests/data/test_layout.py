"""Folders as people have them: splits, classes, labels in a CSV, what is left out."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data import decoding, layout
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import folder
from infogan_jax.errors import UserError


def save(path, brightness=200):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 4), 100 + brightness % 156, np.uint8)
    Image.fromarray(pixels).save(path)


def save_class(folder, count, start=0):
    for index in range(count):
        save(folder / f"{index:03}.png", start + index)


def load(root, **options):
    return folder.load(Request("folder", directory=str(root), **options))


def named(split, data):
    """The class of every image of a split, by the name of its file."""
    classes = data.provenance["classes"]
    labels = [classes[label] for label in split.labels]
    return dict(zip(split.names, labels, strict=True))


def skipped(data):
    about = data.provenance["report"]["skipped"]
    return {why: each["count"] for why, each in about.items()}


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "valid", "TEST"),
        ("train2017", "val_set", "test-images"),
        ("set/a/train", "set/a/dev", "set/a/test"),
    ],
)
def test_folders_of_splits_are_splits_and_classes_are_below(root, names):
    train, val, test = names
    for kind in ("cat", "dog"):
        save_class(root / train / kind, 5)
        save_class(root / val / kind, 3, 20)
        save_class(root / test / kind, 2, 40)
    data = load(root, labels=True)
    assert data.provenance["classes"] == ["cat", "dog"]
    assert set(named(data.train, data).items()) == {
        (f"{train}/{kind}/{n:03}.png", kind)
        for kind in ("cat", "dog")
        for n in range(5)
    }
    assert set(named(data.test, data).items()) == {
        (f"{test}/{kind}/{n:03}.png", kind) for kind in ("cat", "dog") for n in range(2)
    }
    assert skipped(data) == {"val, as there is test": 6}
    assert len(load(root).test.images) == 4, "without labels too"


def test_val_is_held_out_where_there_is_no_test(root):
    save_class(root / "train", 5)
    save_class(root / "val", 3, 20)
    data = load(root)
    assert (len(data.train.images), len(data.test.images)) == (5, 3)
    assert skipped(data) == {}


@pytest.mark.parametrize("others", [("validation", "cars"), ("cars",), ()])
def test_other_folders_are_classes_even_beside_one_named_train(root, others):
    for name in ("train", *others):
        save_class(root / name, 5)
    assert len(load(root).test.names) == max(1, round(0.5 * (1 + len(others))))


def test_splits_without_classes_below_have_no_labels(root):
    save_class(root / "train", 5)
    save_class(root / "test", 3, 20)
    with pytest.raises(UserError, match=r"'test/000.png' lies in no class folder; mo"):
        load(root, labels=True)


def test_class_folders_that_are_links_are_classes(root, tmp_path):
    for start, name in ((0, "a"), (20, "b")):
        save_class(tmp_path / "elsewhere" / name, 5, start)
        (root / name).symlink_to(tmp_path / "elsewhere" / name)
    save_class(root / "c", 5, 40)
    data = load(root, labels=True)
    assert data.provenance["classes"] == ["a", "b", "c"]
    assert len(data.train.images) + len(data.test.images) == 15
    (root / "c" / "deeper").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(root / "c")
    (root / "above").symlink_to(tmp_path)
    assert skipped(load(root, labels=True)) == {"links not followed": 3}


def test_links_in_the_folder_of_a_split_are_followed(root, tmp_path):
    save_class(tmp_path / "elsewhere", 5)
    save_class(root / "test" / "a", 2)
    save_class(root / "train" / "a", 4)
    (root / "train" / "b").symlink_to(tmp_path / "elsewhere")
    assert load(root, labels=True).provenance["classes"] == ["a", "b"]


@pytest.mark.parametrize("name", ["@eaDir", "__MACOSX", ".cache", "#recycle"])
def test_folders_of_systems_are_no_classes_and_are_counted(root, name):
    for start, kind in ((0, "a"), (20, "b"), (40, name), (60, f"a/{name}")):
        save_class(root / kind, 3, start)
    save(root / "a" / "._x.png")
    data = load(root, labels=True)
    assert data.provenance["classes"] == ["a", "b"]
    assert skipped(data) == {"hidden": 3}


def test_other_files_are_counted_by_kind_with_three_examples(root):
    save_class(root, 3)
    for name in ("a.svg", "b.svg", "c.SVG", "d.svg", "read me", "x.mp4"):
        (root / name).touch()
    about = load(root).provenance["report"]["skipped"]
    assert skipped(load(root)) == {".svg": 4, "no suffix": 1, ".mp4": 1}
    assert about[".svg"]["examples"] == ["a.svg", "b.svg", "c.SVG"]


def test_one_class_is_refused_and_the_way_out_leads_out(root):
    for name, start in (("a", 0), ("b", 20)):
        save_class(root / "images" / name, 4, start)
    with pytest.raises(
        UserError, match=r"one class, 'images'; if its folders"
    ) as error:
        load(root, labels=True)
    assert f"config.data.directory={root / 'images'}, or" in str(error.value)
    assert load(root / "images", labels=True).provenance["classes"] == ["a", "b"]
    assert load(root).train.labels is None


@pytest.mark.parametrize("where", ["inside", "itself"])
def test_an_archive_is_to_be_unzipped_and_that_leads_out(root, tmp_path, where):
    save_class(tmp_path / "made", 4)
    archive = root / "pictures.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "made").iterdir()):
            file.write(path, path.name)
    with pytest.raises(UserError, match="archive; unzip it"):
        load(root if where == "inside" else archive)
    zipfile.ZipFile(archive).extractall(root)
    assert len(load(root).train.images) == 3


TABLES = {
    "paths": ("file,label\n", "a/{n}.png,{label}\n"),
    "names": ("Filename;Class\r\n", "{n}.png;{label}\r\n"),
    "stems": ("image\tx\tcategory\n", "{n}\t1\t{label}\n"),
    "quoted": ("\ufefffile,label\n", '"./a/{n}.png","{label}"\n'),
    "windows": ("file,label\n", "a\\{n}.png,{label}\n"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_labels_are_read_from_a_csv_beside_the_images(root, kind):
    head, row = TABLES[kind]
    texts = ["=1+1", "dog", "10", "9"]
    rows = "".join(row.format(n=n, label=texts[n % 4]) for n in range(40))
    (root / "any.csv").write_bytes((head + rows).encode())
    for n in range(40):
        save(root / "a" / f"{n}.png", n)
    data = load(root, labels=True, held_out=0.25)
    assert data.provenance["classes"] == ["9", "10", "=1+1", "dog"]
    assert skipped(data) == {}
    every = named(data.train, data) | named(data.test, data)
    assert every == {f"a/{n}.png": texts[n % 4] for n in range(40)}
    assert np.abs(np.bincount(data.test.labels) - 2.5).max() <= 0.5


def test_a_change_of_a_label_is_a_change_of_the_data(root):
    for n in range(4):
        save(root / f"{n}.png", n)
    table = root / "labels.csv"
    table.write_text("file,label\n0,a\n1,a\n2,b\n3,b\n")
    one = load(root, labels=True)
    table.write_text("file,label\n0,b\n1,a\n2,b\n3,b\n")
    two = load(root, labels=True)
    assert one.digest != two.digest
    assert (named(two.train, two) | named(two.test, two))["0.png"] == "b"


CSV_REFUSED = {
    "missing": ("file,label\n0,a\n1,b\n2,a\n", r"no label for 1 of 4 .*'3.png'; add"),
    "empty": ("file,label\n0,a\n1,b\n2,a\n3,\n", r"no label for 1 of 4"),
    "one": ("file,label\n0,a\n1,a\n2,a\n3,a\n", "all images are of one class, 'a'"),
    "other table": ("x,y\n0,a\n", "'0.png' lies in no class folder; .* file,label"),
    "nothing": ("", "'0.png' lies in no class folder"),
}


@pytest.mark.parametrize("case", CSV_REFUSED)
def test_a_csv_that_leaves_images_without_label_is_refused(root, case):
    text, message = CSV_REFUSED[case]
    for n in range(4):
        save(root / f"{n}.png", n)
    (root / "labels.csv").write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        load(root, labels=True)
    assert "\n" not in str(caught.value)
    assert "--config.data.labels=False" in str(caught.value)
    assert load(root).train.labels is None


def test_two_tables_are_one_too_many(root):
    save_class(root, 4)
    for name in ("a.csv", "b.csv"):
        (root / name).write_text("file,label\n000,a\n")
    with pytest.raises(UserError, match="'a.csv' and 'b.csv' all have columns"):
        load(root, labels=True)


def test_the_held_out_images_have_the_classes_in_proportion(root):
    for start, (name, count) in enumerate((("a", 146), ("b", 30), ("c", 1))):
        for index in range(count):
            save(root / name / f"{index:03}.png", start)
    data = load(root, labels=True)
    assert np.bincount(data.test.labels, minlength=3).tolist() == [15, 3, 0]
    assert np.bincount(data.train.labels).tolist() == [131, 27, 1]


def test_names_that_are_not_utf_8_are_kept(root):
    for name in (b"latin\xe4.png", b"new\nline.png", b"=1+1.png", b"a,b.png"):
        save(root / "x.png")
        os.rename(root / "x.png", os.path.join(os.fsencode(root), name))
    data = load(root)
    assert sorted([*data.train.names, *data.test.names]) == sorted(
        ["latin\udce4.png", "new\nline.png", "=1+1.png", "a,b.png"]
    )


def test_numbers_are_sorted_by_value():
    texts = ["b", "10", "9", "a", "²", "-1"]
    assert sorted(texts, key=layout.natural) == ["9", "10", "-1", "a", "b", "²"]


@pytest.mark.skipif(decoding.HEIF, reason="pillow-heif is installed")
def test_of_a_format_that_wants_a_reader_the_reader_is_named(root):
    for i in range(3):
        save(root / f"{i}.png", i)
    (root / "photo.HEIC").write_bytes(b"x")
    [why] = load(root).provenance["report"]["skipped"]
    assert why == ".heic; for it, pip install pillow-heif"
