"""The codes of images as files that other programs read."""

import csv
import json
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl import flags
from PIL import Image

from infogan_jax import evaluation, experiment
from infogan_jax.commands import eval as command
from infogan_jax.data.rendering import Rules
from infogan_jax.data.sources import digits
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.game import state
from infogan_jax.trained import encoding, loading
from infogan_jax.trained.pictures import read_picture

ENCODE = ("encode_images", Path("run"))
CODES = "digit=categorical(3), uniform @ 0.1"


def drawn_state(algorithm):
    """Random parameters; positive, since they hold variances too."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(partial(state.create_state, algorithm), jnp.uint32(0))
    return jax.tree.map(
        lambda leaf: jnp.abs(0.2 * rng.normal(size=leaf.shape)).astype(leaf.dtype),
        shapes,
    )


@pytest.fixture
def export(tiny_config, monkeypatch):
    """The function for a run of which no file is looked at."""

    def described(workdir):
        tiny_config.latents.codes = "" if workdir.name == "plain" else CODES
        return experiment.build(tiny_config.to_dict())

    def restore(workdir, extensions):
        exp = described(workdir)
        return exp, drawn_state(exp.algorithm)

    monkeypatch.setattr(loading, "restore", restore)
    monkeypatch.setattr(encoding, "described", described)
    return partial(encoding.encode_images, Path("run"))


@pytest.fixture
def arrays(export, tmp_path):
    path = tmp_path / "all.npz"
    said = export(str(path))
    assert str(path) in said and "1797 images" in said
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def read_csv(path):
    with open(path) as file:
        head, *rows = csv.reader(file)
    return dict(zip(head, zip(*rows, strict=True), strict=True))


def test_every_image_of_the_run_has_its_codes(arrays):
    data = digits.load()
    assert list(arrays) == [
        *("split", "index", "label", "category", "confidence"),
        *("digit/probabilities", "uniform_0/mean", "uniform_0/sd"),
    ]
    assert arrays["digit/probabilities"].shape == (1797, 3)
    np.testing.assert_allclose(arrays["digit/probabilities"].sum(1), 1, rtol=1e-5)
    assert arrays["uniform_0/sd"].min() > 0.29, "the floor is 0.3"
    assert np.unique(arrays["uniform_0/mean"]).size > 1000
    for name, split in (("train", data.train), ("test", data.test)):
        rows = arrays["split"] == name
        np.testing.assert_array_equal(arrays["label"][rows], split.labels)
        np.testing.assert_array_equal(arrays["index"][rows], np.arange(rows.sum()))


def test_csv_has_the_same_numbers_one_in_each_column(export, arrays, tmp_path):
    path = tmp_path / "codes.csv"
    export(str(path))
    columns = read_csv(path)
    assert columns["split"] == tuple(arrays["split"])
    assert np.array_equal(np.int32(columns["label"]), arrays["label"])
    for name in ("uniform_0/mean", "uniform_0/sd"):
        np.testing.assert_allclose(np.float32(columns[name]), arrays[name], rtol=1e-6)
    for place in range(3):
        np.testing.assert_allclose(
            np.float32(columns[f"digit/probabilities/{place}"]),
            arrays["digit/probabilities"][:, place],
            rtol=1e-6,
        )


def test_pictures_of_a_folder_are_read_as_the_same_images_of_the_run(
    export, arrays, tmp_path
):
    images = digits.load().test.images[:3, ..., 0]
    folder = tmp_path / "pictures"
    (folder / "b").mkdir(parents=True)
    (folder / ".hidden.png").write_bytes(b"not looked at")
    (folder / "notes.txt").write_text("nor this")
    Image.fromarray(images[0]).save(folder / "b" / "first.png")
    Image.fromarray(images[1]).convert("RGB").save(folder / "a.png")
    large = images[2].repeat(4, axis=0).repeat(4, axis=1)
    Image.fromarray(np.pad(large, ((0, 0), (8, 8)))).save(folder / "c.bmp")
    path = tmp_path / "codes.csv"
    assert "of 3 images" in export(str(path), str(folder))
    columns = read_csv(path)
    assert columns["name"] == ("a.png", "b/first.png", "c.bmp")
    held_out = arrays["uniform_0/mean"][arrays["split"] == "test"]
    means = np.float32(columns["uniform_0/mean"])
    np.testing.assert_allclose(means[:2], held_out[[1, 0]], rtol=1e-4, atol=1e-6)
    assert abs(means[2] - held_out[2]) < 0.1 * np.ptp(held_out)


def picture(path, height, width):
    """A ramp from left to right, saved; its columns are told apart by their level."""
    columns = np.linspace(0, 250, width).astype(np.uint8)
    Image.fromarray(np.tile(columns, (height, 1))).save(path)
    return columns


@pytest.mark.parametrize(
    "size, shape, crop, columns",
    [
        ((8, 8), (8, 8, 3), 4, slice(0, 8)),  # of the networks' size: as it is
        ((8, 6), (8, 6, 1), 4, slice(0, 6)),
        ((20, 16), (8, 8, 1), 8, slice(4, 12)),  # cut as the run's data
        ((8, 12), (8, 8, 1), 10, slice(2, 10)),  # too small for that: its square
    ],
)
def test_a_picture_is_cut_as_the_run_s_own_images_were(
    tmp_path, size, shape, crop, columns
):
    ramp = picture(tmp_path / "x.png", *size)
    pixels = read_picture(tmp_path / "x.png", shape, Rules(crop))
    assert pixels.shape == shape
    np.testing.assert_array_equal(pixels[0, :, 0], ramp[columns])


def test_a_picture_that_cannot_be_made_to_fit_is_named(tmp_path):
    picture(tmp_path / "x.png", 9, 9)
    with pytest.raises(
        UserError, match=r"x.png is 9 x 9, but .* read 8 x 6; resize it"
    ):
        read_picture(tmp_path / "x.png", (8, 6, 1), Rules())


HOSTILE = ("=1+1.png", "a,b.png", "new\nline.png", "-2.png", '"q".png', b"\xff.png")


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures with names that a table has to be careful with."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for image, name in zip(digits.load().test.images, HOSTILE, strict=False):
        Image.fromarray(image[..., 0]).save(folder / os.fsdecode(name))
    return folder


def test_a_picture_that_cannot_be_read_has_a_row_that_says_so(
    export, pictures, tmp_path
):
    (pictures / "broken.png").write_bytes(b"\x89PNG")
    said = export(str(tmp_path / "codes.npz"), str(pictures))
    assert "of 7 images; 1 of them cannot be read" in said
    assert "broken.png cannot be read (" in said
    with np.load(tmp_path / "codes.npz", allow_pickle=False) as archive:
        found = dict(archive)
    assert sorted(map(os.fsencode, found["name"])) == sorted(
        [*map(os.fsencode, HOSTILE), b"broken.png"]
    )
    unread = found["name"] == "broken.png"
    assert found["category"][unread] == [-1]
    assert set(found["category"][~unread]) <= {0, 1, 2}
    assert "cannot be read" in found["error"][unread][0]
    assert set(found["error"][~unread]) == {""}
    for name in ("confidence", "uniform_0/mean", "digit/probabilities"):
        assert np.isnan(found[name][unread]).all()
        assert np.isfinite(found[name][~unread]).all()


def test_no_name_is_executed_by_a_spreadsheet_or_breaks_the_table(
    export, pictures, tmp_path
):
    export(str(tmp_path / "codes.csv"), str(pictures))
    columns = read_csv(tmp_path / "codes.csv")  # in UTF-8
    shown = {"'=1+1.png", "a,b.png", "new\nline.png", "'-2.png", '"q".png'}
    assert set(columns["name"]) == shown | {"\\xff.png"}
    assert all(map(np.isfinite, map(float, columns["uniform_0/mean"])))


def test_a_category_has_a_confidence_for_one_picture_as_for_a_folder(
    export, arrays, pictures, tmp_path
):
    shares = arrays["digit/probabilities"]
    np.testing.assert_array_equal(arrays["category"], shares.argmax(1))
    np.testing.assert_array_equal(arrays["confidence"], shares.max(1))
    one = pictures / "a,b.png"
    assert "of 1 images" in export(str(tmp_path / "one.csv"), str(one))
    export(str(tmp_path / "all.csv"), str(pictures))
    every, single = (read_csv(tmp_path / f"{name}.csv") for name in ("all", "one"))
    row = every["name"].index("a,b.png")
    assert single["name"] == ("a,b.png",)
    assert single["category"][0] == every["category"][row]
    assert float(single["confidence"][0]) == pytest.approx(
        float(every["confidence"][row]), rel=1e-5
    )


def test_further_categories_and_given_names_have_columns(export, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "CODES", "digit=categorical(3), categorical(2)")
    names = {"digit/1": "one", "categorical_1": "style"}
    monkeypatch.setattr(loading.code_names, "read_names", lambda *run: names)
    export(str(tmp_path / "codes.npz"))
    with np.load(tmp_path / "codes.npz", allow_pickle=False) as archive:
        found = dict(archive)
    assert list(found)[3:] == [
        *("category", "category_name", "confidence"),
        *("style/category", "style/confidence"),
        *("digit/probabilities", "style/probabilities"),
    ]
    called = np.array(["0", "one", "2"])[found["category"]]
    np.testing.assert_array_equal(found["category_name"], called)


@pytest.fixture
def own_folder(tmp_path):
    """Two classes of twenty pictures, one of them broken."""
    folder = tmp_path / "own"
    for row, image in enumerate(digits.load().train.images[:40]):
        path = folder / "ab=c"[row % 2 :: 2] / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    (path.parent / "broken.png").write_bytes(b"")
    return folder


def test_images_of_one_s_own_folder_have_their_names(
    tiny_config, export, own_folder, tmp_path
):
    tiny_config.data.update(source="folder", directory=str(own_folder), labels=True)
    export(str(tmp_path / "run.csv"))
    export(str(tmp_path / "folder.csv"), str(own_folder))
    run, folder = (read_csv(tmp_path / f"{name}.csv") for name in ("run", "folder"))
    assert len(run["name"]) == 40 and set(run["split"]) == {"train", "test"}
    row_of = {name: row for row, name in enumerate(folder["name"])}
    rows = [row_of[name] for name in run["name"]]
    for column in ("uniform_0/mean", "digit/probabilities/2"):
        there = np.float32([folder[column][row] for row in rows])
        np.testing.assert_allclose(np.float32(run[column]), there, rtol=1e-4, atol=1e-6)
    assert [name.split("/")[0] for name in run["name"]] == list(run["class"])


@pytest.mark.parametrize(
    "out, images, message",
    [
        ("codes.txt", None, r"--encode \(=.*codes.txt\) must be a file .npz or .csv"),
        ("", "folder", r"--encode \(=\) must be a file .npz or .csv"),
        ("codes.npz", "none", r"--images \(=.*none\) must be a picture or a"),
        (
            "codes.npz",
            "broken",
            r"--images: none of 1 pictures can be read; x.png cannot",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    export, tmp_path, out, images, message
):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.png").write_bytes(b"\x89PNG")
    images = images and str(tmp_path / images)
    with pytest.raises(UserError, match=message):
        export(out and str(tmp_path / out), images)
    assert not list(tmp_path.glob("codes*"))


def test_a_run_without_codes_has_nothing_to_write(export, tmp_path):
    with pytest.raises(UserError, match=r"--workdir \(=plain\) is a run without codes"):
        export.func(Path("plain"), str(tmp_path / "codes.npz"))


def test_a_place_that_cannot_be_written_is_named(export, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFailure, match=r"file/codes.npz cannot be written"):
        export(str(tmp_path / "file" / "codes.npz"))


@pytest.mark.parametrize(
    "words, called",
    [
        ([], ("evaluate", Path("run"), {"quick": False, "data": ""})),
        (["--quick"], ("evaluate", Path("run"), {"quick": True, "data": ""})),
        (["--data=d"], ("evaluate", Path("run"), {"quick": False, "data": "d"})),
        (["--encode=a.csv"], (*ENCODE, "a.csv", None, {})),
        (["--encode=a.csv", "--images=b"], (*ENCODE, "a.csv", "b", {})),
    ],
)
def test_the_program_evaluates_or_writes_codes_by_its_flags(monkeypatch, words, called):
    values, calls = flags.FlagValues(), []
    for name in command.TEXTS:
        flags.DEFINE_string(name, None, "-", flag_values=values)
    flags.DEFINE_bool("quick", False, "-", flag_values=values)
    values(["eval.py", "--workdir=run", *words])
    monkeypatch.setattr(command, "flags", SimpleNamespace(FLAGS=values))
    for module, name in ((evaluation, "evaluate"), (encoding, "encode_images")):
        note = partial(lambda name, *args, **kw: calls.append((name, *args, kw)), name)
        monkeypatch.setattr(module, name, note)
    assert command.main() == 0
    assert calls == [called]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--images=b"], r"--images \(=b\) needs --encode"),
        (["--encode=a.csv", "--data=d"], r"--data \(=d\) is for an evaluation"),
    ],
)
def test_flags_that_do_not_belong_together_are_refused(monkeypatch, words, message):
    values = flags.FlagValues()
    for name in command.TEXTS:
        flags.DEFINE_string(name, None, "-", flag_values=values)
    values(["eval.py", "--workdir=run", *words])
    monkeypatch.setattr(command, "flags", SimpleNamespace(FLAGS=values))
    with pytest.raises(UserError, match=message):
        command.main()


def test_other_images_and_samples_need_no_data(own_run, pictures, tmp_path):
    config = json.loads((own_run / "config.json").read_text())
    config["data"].update(source="folder", directory=str(tmp_path / "gone"))
    (own_run / "config.json").write_text(json.dumps(config))
    out = tmp_path / "codes.csv"
    assert "of 6 images" in encoding.encode_images(own_run, str(out), str(pictures))
    loaded = loading.load(own_run)
    assert loaded.sample(3).shape == (3, 8, 8, 1)
    assert loaded.traverse("uniform_0", rows=1, steps=2).shape == (1, 2, 8, 8, 1)
    with pytest.raises(UserError, match="the data of --workdir .* cannot be read"):
        encoding.encode_images(own_run, str(tmp_path / "own.csv"))
    assert not (tmp_path / "own.csv").exists()
