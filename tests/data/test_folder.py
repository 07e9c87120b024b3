"""Folders of images: which files are used, how they are decoded, what is refused."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from infogan_jax.data import layout, prepared
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import folder
from infogan_jax.errors import UserError

COLOUR = np.random.default_rng(1).integers(0, 256, (2, 2, 3), np.uint8)
ALPHA = np.array([[255, 0], [255, 255]], np.uint8)
RGBA = np.dstack([COLOUR, ALPHA])
RGB_ON_BLACK = COLOUR * (ALPHA > 0)[..., None]
GRAY_ON_WHITE = np.where(ALPHA > 0, COLOUR[..., 2], 255)
HALF_WHITE = np.repeat([[0, 255]], 8, axis=1).repeat(16, 0).astype(np.uint8)
UINT16 = np.array([[0, 257], [32896, 65535]], np.uint16)
RED = np.full((8, 8, 3), (255, 0, 0))

TRANSPARENT_FIRST = {"transparency": b"\0\xff"}


def save(path, picture, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(picture, int):
        picture = np.full((4, 4), picture % 256, np.uint8)
    array = isinstance(picture, np.ndarray)
    (Image.fromarray(picture) if array else picture).save(path, **options)


def save_images(root, good, bad=0):
    root.mkdir(exist_ok=True)
    for index in range(good):
        save(root / f"{index:03}.png", index)
    for index in range(bad):
        (root / f"bad{index}.png").touch()


def load(root, **options):
    return folder.load(Request("folder", directory=str(root), **options))


def all_rows(data, field="images"):
    """The rows of both splits, in the fixed random order."""
    return np.concatenate([getattr(data.test, field), getattr(data.train, field)])


def sorted_brightness(data):
    return sorted(all_rows(data)[:, 0, 0, 0].tolist())


@pytest.mark.parametrize(("share", "cut"), [(0.0, 1), (0.1, 2), (0.5, 10), (1.0, 19)])
def test_the_split_is_a_fixed_permutation_of_the_sorted_names(root, share, cut):
    save_images(root, 20)
    data = load(root, held_out=share)
    expected = np.random.default_rng(0).permutation(20)
    np.testing.assert_array_equal(data.test.images[:, 0, 0, 0], expected[:cut])
    np.testing.assert_array_equal(data.train.images[:, 0, 0, 0], expected[cut:])
    assert data.image_shape == (4, 4, 1) and data.train.labels is None


def test_the_folder_of_the_first_level_is_the_label_at_any_depth(root):
    for index, name in enumerate(["b/x.png", "a b/z/y.png", "c/0.png", "a b/1.png"]):
        save(root / name, index)
    data = load(root, labels=True)
    assert data.provenance["classes"] == ["a b", "b", "c"]
    order = np.argsort(all_rows(data)[:, 0, 0, 0])
    assert all_rows(data, "labels")[order].tolist() == [1, 0, 2, 0]


def skipped(data):
    return data.provenance["report"]["skipped"]


def test_what_is_left_out_is_counted_and_links_that_the_user_made_are_followed(
    root, tmp_path
):
    save_images(root, 3)
    save(tmp_path / "outside" / "a.png", 99)
    save(tmp_path / "class" / "a.png", 7)
    for name in ("._hidden.png", "@eaDir/a.png", f"{layout.EARLIER}/a.png"):
        save(root / name, 100)
    (root / "notes.txt").write_text("none")
    (root / "folder.png").mkdir()
    os.mkfifo(root / "pipe.png")
    (root / "inside.png").symlink_to(root / "002.png")
    (root / "outside.png").symlink_to(tmp_path / "outside" / "a.png")
    (root / "class").symlink_to(tmp_path / "class")
    (tmp_path / "class" / "deeper").symlink_to(tmp_path / "outside")
    (root / "round").symlink_to(root)
    (root / "broken.png").symlink_to(root / "nothing.png")
    (root / "loop.png").symlink_to(root / "loop.png")
    data = load(root)
    assert sorted_brightness(data) == [0, 1, 2, 2, 7, 99]
    assert {why: about["count"] for why, about in skipped(data).items()} == {
        "hidden": 2,
        "prepared by an earlier version, remove it": 1,
        ".txt": 1,
        "links not followed": 2,
        "not files, or links to nothing": 3,
    }


def test_file_names_of_any_bytes_are_loaded_and_recorded(root):
    save(root / "a b.png", 7)
    for name in (b"new\nline.png", "ä漢.png".encode(), b"latin\xe4.png"):
        os.link(root / "a b.png", os.path.join(os.fsencode(root), name))
    (root / "bad\n\udce4.png").touch()
    data = load(root)
    assert sorted_brightness(data) == [7] * 4
    json.dumps(dict(data.provenance))
    (line,) = data.provenance["unreadable"]
    assert line == "bad\n\udce4.png: cannot identify image file"
    assert load(root).provenance == data.provenance


def palette_image(*colours):
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette(colours)
    return image


def exif_orientation(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return {"exif": block}


DECODED = {
    "colour.PNG": (COLOUR, {}, COLOUR),
    "colour.bmp": (COLOUR, {}, COLOUR),
    "colour.webp": (COLOUR, {"lossless": True}, COLOUR),
    "gray.png": (COLOUR[..., 0], {}, COLOUR[..., :1]),
    "bits.png": (Image.new("1", (1, 1), 1), {}, [[[255]]]),
    "palette.png": (palette_image(9, 9, 9, 8, 7, 6), {}, [[[9, 9, 9], [8, 7, 6]]]),
    "palette_of_grays.png": (palette_image(9, 9, 9, 8, 8, 8), {}, [[[9], [8]]]),
    "see_through.png": (
        palette_image(9, 9, 9, 8, 7, 6),
        TRANSPARENT_FIRST,
        [[[255, 255, 255], [8, 7, 6]]],
    ),
    "alpha.png": (RGBA, {}, RGB_ON_BLACK),
    "gray_alpha.png": (RGBA[..., 2:], {}, GRAY_ON_WHITE[..., None]),
    "16_bits.png": (UINT16, {}, [[[0], [1]], [[128], [255]]]),
    "cmyk.JPG": (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), {}, RED),
    "turned.jpeg": (HALF_WHITE, exif_orientation(6), HALF_WHITE.T[..., None]),
    "turned.png": (HALF_WHITE, exif_orientation(3), HALF_WHITE[:, ::-1, None]),
    "broken_exif.jpg": (HALF_WHITE, {"exif": b"Exif\0\0x"}, HALF_WHITE[..., None]),
}


@pytest.mark.parametrize("name", DECODED)
def test_an_image_file_is_decoded_to_upright_opaque_pixels(root, name):
    picture, options, expected = DECODED[name]
    save(root / name, picture, **options)
    expected = np.asarray(expected)
    save(root / "Other.png", np.zeros(expected.shape[:2], np.uint8))
    rank = sorted(["Other.png", name]).index(name)
    decoded = all_rows(load(root))[np.random.default_rng(0).permutation(2) == rank][0]
    assert decoded.shape == expected.shape
    np.testing.assert_allclose(decoded, expected, atol=6 if ".j" in name.lower() else 0)
    channels = 4 - expected.shape[-1]
    assert load(root, channels=channels).image_shape[-1] == channels


@pytest.mark.parametrize("side", [8_001, 50_000])
def test_a_file_that_claims_too_many_pixels_is_not_decoded(root, side):
    save_images(root, 2)
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    content = b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + check + b"\0\0\0\0IDAT"
    (root / "bomb.png").write_bytes(content)
    (line,) = load(root).provenance["unreadable"]
    assert line == f"bomb.png: {side} x {side}, more than 64,000,000 pixels"


@pytest.mark.parametrize(("good", "bad"), [(300, 15), (20, 10), (2, 3)])
def test_a_few_unreadable_files_are_left_out_and_listed(root, good, bad):
    save_images(root, good, bad)
    (root / "bad0.png").write_bytes((root / "001.png").read_bytes()[:50])
    data = load(root)
    assert len(all_rows(data)) == good and len(data.provenance["unreadable"]) == bad


REFUSED = {
    "too_many": (
        300,
        16,
        {},
        r"at most 15 unreadable ones among its 316 .*has 16.*rep",
    ),
    "over_ten_bad": (20, 11, {}, r"at most 10 unreadable ones among its 31"),
    "one_good": (1, 1, {}, r"at least 2 readable images .* among its 2"),
    "one": (1, 0, {}, r"at least 2 .* it has 1; add some, or set --config.data.dir"),
    "no_class": (2, 0, {"labels": True}, r"labels \(=True\).*'000.png' lies in no cla"),
    "crop": (2, 0, {"crop": 5}, r"crop \(=5\) .* but '00\d.png' is 4 x 4; lower it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unusable_folder_is_refused_in_one_line(root, case):
    good, bad, options, message = REFUSED[case]
    save_images(root, good, bad)
    with pytest.raises(UserError, match=message) as caught:
        load(root, **options)
    assert str(root) in str(caught.value) or case == "crop"


def test_images_of_two_shapes_need_a_size(root):
    save(root / "a.png", np.zeros((4, 6), np.uint8))
    save(root / "b.png", np.zeros((8, 6), np.uint8))
    message = r"size \(=0\).*'a.png' is 4 x 6 and 'b.png' is 8 x 6; .*data.size=4\."
    with pytest.raises(UserError, match=message):
        load(root)


@pytest.mark.parametrize("name", ["", "no", "a file", "new\nline", "nul\0", "n" * 999])
def test_a_path_that_is_not_a_folder_is_refused_in_one_line(
    tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    with pytest.raises(UserError, match=r"^config.data.directory \(='.*be a folder"):
        load(name)


def test_a_folder_that_cannot_be_listed_is_refused(root, monkeypatch):
    error = PermissionError(13, "Permission denied", "pictures/secret")
    monkeypatch.setattr(os, "walk", lambda *_, onerror: onerror(error))
    with pytest.raises(
        UserError, match="must be readable: .*/secret.*; change its permissions, or"
    ):
        load(root)


def test_images_are_prepared_again_only_if_files_or_options_change(root):
    save_images(root / "a", 2)
    save(root / "b" / "002.png", 2)
    for path in (root, root / ".." / root.name):
        assert sorted_brightness(load(path)) == [0, 1, 2]
    for options in ({"size": 2}, {"crop": 3}, {"channels": 3}, {"labels": True}):
        data = load(root, **options)
        assert data.image_shape[0] == options.get("size", options.get("crop", 4))
    cache = prepared.place(Request("folder"))
    known = set(cache.iterdir())
    load(root, held_out=0.5)
    assert len(known) == 5 and set(cache.iterdir()) == known
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]
    save(root / "b" / "002.png", 9)
    assert sorted_brightness(load(root)) == [0, 1, 9]
