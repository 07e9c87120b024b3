"""The codes of images as files that other programs read."""

import csv
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl import flags
from PIL import Image

from infogan_jax import encoding, evaluation, experiment
from infogan_jax.commands import eval as command
from infogan_jax.data.sources import digits
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.game import state

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

    def restore(workdir):
        tiny_config.latents.codes = "" if workdir.name == "plain" else CODES
        exp = experiment.build(tiny_config.to_dict())
        return exp, drawn_state(exp.algorithm)

    monkeypatch.setattr(encoding, "restore", restore)
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
        *("split", "index", "label"),
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


def read(path, image_shape, crop):
    run = SimpleNamespace(image_shape=image_shape, crop=crop)
    return encoding._read(run, path)


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
    pixels = read(tmp_path / "x.png", shape, crop)
    assert pixels.shape == shape
    np.testing.assert_array_equal(pixels[0, :, 0], ramp[columns])


def test_a_picture_that_cannot_be_made_to_fit_is_named(tmp_path):
    picture(tmp_path / "x.png", 9, 9)
    with pytest.raises(
        UserError, match=r"x.png is 9 x 9, but .* read 8 x 6; resize it"
    ):
        read(tmp_path / "x.png", (8, 6, 1), 0)


@pytest.mark.parametrize(
    "out, images, message",
    [
        ("codes.txt", None, r"--encode \(=.*codes.txt\) must be a file .npz or .csv"),
        ("", "folder", r"--encode \(=\) must be a file .npz or .csv"),
        ("codes.npz", "none", r"--images \(=.*none\) must be a folder with .png"),
        ("codes.npz", "broken", r"--images: .*x.png cannot be read \(.*\); remove it"),
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
