"""The data report: what was found, what was done, and what looks wrong."""

import json

import numpy as np
import pytest
from PIL import ExifTags, Image

from infogan_jax.data import report
from infogan_jax.data.dataset import Dataset, Request, Split
from infogan_jax.data.rendering import Rules, read_picture
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (40, 8, 8, 3), np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path, **options)


def load(root, **options):
    return catalog.load(Request("folder", directory=str(root), **options))


def lines(root, **options):
    return report.lines(load(root, **options))


def having(lines, text):
    found = [line for line in lines if text in line]
    assert found, lines
    return found[0]


def test_kinds_modes_and_sizes_are_counted(root):
    for n in range(7):
        save(root / f"{n}.png", NOISE[n])
    for n in range(6):
        save(root / f"{n}.tif", NOISE[n, :4])
    for n in range(3):
        save(root / f"{n}.gif", NOISE[n])
    save(root / "0.jfif", NOISE[0], format="jpeg")
    (root / "notes.txt").touch()
    said = lines(root, size=4)
    assert said[0] == (
        "data: pictures, 15 training and 2 held-out images of 4 x 4, colour"
    )
    assert having(said, "files of modes") == (
        "data: read PNG 7, TIFF 6, GIF 3, JPEG 1 files of modes RGB 14, P 3, 8 x 4 to "
        "8 x 8 pixels (width x height)"
    )
    assert "6 are cropped, which loses 50% of their area, at most 50%" in having(
        said, "cropped"
    )
    assert having(said, "left out") == "data: left out 1 (.txt): 'notes.txt'"
    assert "prepared images, 0.0 MB, are kept in /" in having(said, "kept in")


def test_frames_after_the_first_are_not_read_and_it_is_said(root):
    frames = [Image.fromarray(image) for image in NOISE[:3]]
    for suffix in ("gif", "webp", "tif"):
        frames[0].save(
            root / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True
        )
    save(root / "one.png", NOISE[5])
    data = load(root)
    assert having(report.lines(data), "several frames").startswith("data: 3 have")
    every = np.concatenate([data.train.images, data.test.images])
    exact = [np.array_equal(image, NOISE[0]) for image in every]
    assert sum(exact) == 3


@pytest.mark.parametrize("turn, is_said", [(None, 0), (1, 0), (3, 1), (6, 1), (99, 0)])
def test_pictures_that_exif_data_turns_are_counted(root, turn, is_said):
    exif = Image.Exif()
    if turn is not None:
        exif[ExifTags.Base.Orientation] = turn
    for i in range(3):
        save(root / f"{i}.png", NOISE[i], exif=exif)
    save(root / "other.png", NOISE[3])
    said = [line for line in lines(root) if "turned" in line]
    assert said == ["data: 3 are turned upright, as their EXIF data says"] * is_said


def test_types_of_numbers_that_share_a_range_are_warned_of(root):
    for i in range(4):
        save(root / f"float{i}.tif", NOISE[i, ..., 0].astype(np.float32) / 300)
        save(root / f"int{i}.tif", 100 * NOISE[i, ..., 0].astype(np.int32))
    said = having(lines(root), "are together")
    assert said.startswith("warning: images of floats and integers are together")


def test_one_type_of_numbers_is_not_warned_of(root):
    for i in range(4):
        save(root / f"{i}.tif", NOISE[i, ..., 0].astype(np.float32) / 300)
    assert not [line for line in lines(root) if "are together" in line]


ICON = np.zeros((8, 8, 4), np.uint8)


def icon(place, gray):
    image = ICON.copy()
    image[place % 8, place // 8 :] = (gray, gray, gray, 255)
    return image


@pytest.mark.parametrize(("gray", "level"), [(0, 255), (60, 255), (255, 0), (190, 0)])
def test_icons_are_seen_on_their_background(root, gray, level):
    for place in range(20):
        save(root / f"{place}.png", icon(place, gray))
    data = load(root)
    assert set(np.unique(data.train.images)) == {gray, level}
    said = having(report.lines(data), "transparent")
    assert f"20 are transparent, and put on a background of gray level {level}" in said
    assert not [line for line in report.lines(data) if "warning" in line]


def test_black_and_white_icons_together_are_put_on_gray(root):
    for place in range(20):
        save(root / f"{place}.png", icon(place, 255 * (place % 2)))
    assert set(np.unique(load(root).train.images)) == {0, 128, 255}


def test_images_of_one_colour_on_their_background_are_named(root):
    for place in range(20):
        save(root / f"{place}.png", icon(place, 255 * (place % 10 == 0)))
    said = having(lines(root, background="white"), "warning")
    assert "2 transparent images show nothing on their background: '" in said
    with pytest.raises(UserError, match=r"all \d+ .* are of one gray level, 255.*gray"):
        for place in range(20):
            save(root / f"{place}.png", icon(place, 255))
        load(root, background="white")
    assert len(load(root, background="gray").train.images) == 18, "the way out"


def test_ct_slices_of_12_bits_use_the_whole_range_and_it_is_said_once(root):
    values = RNG.integers(0, 4096, (12, 8, 8)).astype(np.uint16)
    values[0, 0, 0], values[0, 0, 1] = 0, 4095
    for place, image in enumerate(values):
        save(root / f"{place}.{'png' if place % 2 else 'tif'}", image)
    data = load(root)
    every = dict(zip(data.train.names, data.train.images, strict=True))
    every |= dict(zip(data.test.names, data.test.images, strict=True))
    for place, image in enumerate(values):
        name = f"{place}.{'png' if place % 2 else 'tif'}"
        np.testing.assert_array_equal(
            every[name][..., 0], np.rint(image * 255.0 / 4095)
        )
    (said,) = [line for line in report.lines(data) if "became" in line]
    assert said.startswith("data: 12 are rescaled: 0 to 4095 became 0 to 255")
    fixed = load(root, range="0 65535")
    assert fixed.train.images.max() == 16
    said = having(report.lines(fixed), "warning: the images use only 0 to 16")
    assert said.endswith('set --config.data.range="0 16".')


def test_one_hot_pixel_is_warned_of_and_the_way_out_leads_out(root):
    values = RNG.integers(0, 1000, (20, 32, 32)).astype(np.uint16)
    values[3, 4, 5] = 65_535
    for place, image in enumerate(values):
        save(root / f"{place}.png", image)
    said = having(lines(root), "warning: 999 of 1,000 pixels use less than a quarter")
    fixed = load(root, range=said.partition('data.range="')[2].partition('"')[0])
    assert np.quantile(fixed.train.images, 0.99) > 190
    assert not [line for line in report.lines(fixed) if "warning" in line]


def test_masks_of_0_and_1_are_black_and_white_in_a_folder(root):
    for place, image in enumerate(NOISE[:10, ..., 0] > 128):
        save(root / f"{place}.png", image.astype(np.uint8))
    data = load(root)
    assert set(np.unique(data.train.images)) == {0, 255}
    assert "0 to 1 became 0 to 255" in having(report.lines(data), "rescaled")
    save(root / "photo.png", NOISE[0, ..., 0])
    assert set(np.unique(load(root).train.images)) > {0, 1}, "not beside photographs"


def test_panoramas_are_warned_of_and_the_ways_out_lead_out(root):
    for place in range(10):
        image = np.full((8, 24, 3), 90, np.uint8)
        image[place % 8, :6] = NOISE[place, 0, :6]
        save(root / f"{place}.png", image)
    with pytest.raises(UserError, match="cropped: try --config.data.crop=0 and --con"):
        load(root, size=8)
    for fit in ("pad", "squash"):
        assert len(load(root, size=8, fit=fit).train.images) == 9
        done = {"pad": "padded", "squash": "squashed"}[fit]
        assert f"10 are {done} to a square" in having(
            lines(root, size=8, fit=fit), done
        )
    save(root / "other.png", NOISE[0])
    said = having(lines(root, size=8), "warning")
    assert "cropping loses 100% of what is in 10 images" in said and "fit=pad" in said


def test_small_pictures_are_enlarged_and_it_is_said_once(root):
    for place in range(10):
        save(root / f"{place}.png", NOISE[place, :3, :4])
    said = [line for line in lines(root, size=8) if "enlarged" in line]
    (line,) = said
    assert line.startswith("data: 10 are smaller than config.data.size, and enlarged: ")
    assert len(set(line.split("'")) & {f"{place}.png" for place in range(10)}) == 3


def test_16_bits_a_colour_are_read_by_their_upper_8_and_it_is_said(root, tmp_path):
    import struct
    import zlib

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    for place in range(3):
        rows = NOISE[place].astype(">u2") * 257
        raw = b"".join(b"\0" + row.tobytes() for row in rows)
        head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
        parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw))
        content = b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")
        (root / f"{place}.png").write_bytes(content)
    data = load(root)
    assert "of 3 images with 16 bits a colour" in having(report.lines(data), "warning")
    every = np.concatenate([data.test.images, data.train.images])
    assert {image.tobytes() for image in every} == {x.tobytes() for x in NOISE[:3]}


def test_equal_pixels_are_counted_in_and_across_the_splits():
    train, test = Split(NOISE[[0, 1, 1, 2, 2, 2]]), Split(NOISE[[2, 2, 3]])
    data = Dataset(train, test, {"name": "x"})
    expected = {"train": 3, "test": 1, "test_in_train": 2}
    assert report.duplicates(data) == expected
    said = having(report.lines(data), "repeat")
    assert "3 training and 1 held-out images repeat another one, and 2 held" in said


def test_classes_are_counted_by_name_and_a_missing_one_is_warned_of():
    train = Split(NOISE[:6], np.array([0, 0, 0, 1, 2, 2]))
    test = Split(NOISE[6:8], np.array([0, 1]))
    data = Dataset(train, test, {"name": "x", "classes": ["cat", "dog", "=1+1"]})
    said = report.lines(data)
    assert "data: classes in train: cat 3, dog 1, =1+1 2" in said
    assert "data: classes in test: cat 1, dog 1, =1+1 0" in said
    assert said[-1] == ("warning: classes of train without an image in test: '=1+1'.")
    counts = report.record(data)["class_counts"]
    assert counts["test"] == {"cat": 1, "dog": 1, "=1+1": 0}


def test_the_sheet_has_64_images_as_the_networks_see_them():
    images = RNG.integers(0, 256, (1000, 2, 2, 1), np.uint8)
    sheet = report.sheet(Dataset(Split(images), Split(images[:1]), {}))
    assert sheet.shape == (64, 2, 2, 1)
    np.testing.assert_array_equal(sheet[[0, -1]], images[[0, -1]])
    assert len(report.sheet(Dataset(Split(images[:5]), Split(images[:1]), {}))) == 5


def test_the_digest_is_of_pixels_and_labels_and_not_of_place_or_name(root, tmp_path):
    for place in range(6):
        save(root / f"{place}.png", NOISE[place])
        save(tmp_path / "moved" / f"x{place}.webp", NOISE[place], lossless=True)
    one, two = load(root), load(tmp_path / "moved")
    assert one.digest == two.digest
    save(tmp_path / "moved" / "x3.webp", NOISE[9], lossless=True)
    assert load(tmp_path / "moved").digest != one.digest


def test_the_record_is_json_and_has_the_lines(root):
    for place in range(6):
        save(root / f"{place}\udce4.png", NOISE[place])
    (root / "broken.png").touch()
    data = load(root)
    found = json.loads(json.dumps(report.record(data)))
    assert found["lines"] == report.lines(data)
    assert having(found["lines"], "unreadable").endswith("identify image file'")


def test_another_picture_is_read_by_the_rules_of_the_record(root, tmp_path):
    values = RNG.integers(0, 4096, (20, 12, 9)).astype(np.uint16)
    for place, image in enumerate(values):
        save(root / f"{place}.png", image)
    data = load(root, size=6, crop=8, fit="crop")
    rules = json.loads(json.dumps(report.record(data)))["rules"]
    names = [*data.train.names, *data.test.names]
    images = np.concatenate([data.train.images, data.test.images])
    for name, image in zip(names, images, strict=True):
        made = read_picture(root / name, Rules.from_record(rules))
        np.testing.assert_array_equal(made, image)
    save(tmp_path / "done.png", values[0, :6, :6])
    made = read_picture(tmp_path / "done.png", Rules.from_record(rules))
    low, high = rules["deep_range"]
    expected = np.rint((values[0, :6, :6] - low) * 255.0 / (high - low))
    np.testing.assert_array_equal(made[..., 0], expected)


def test_many_broken_files_are_listed_and_each_way_out_leads_out(root):
    for place in range(30):
        save(root / f"{place:02}.png", NOISE[place])
    for place in range(12):
        content = (root / f"{place:02}.png").read_bytes()
        (root / f"{place:02}.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"at most 10 unrea.* but it has 12") as caught:
        load(root)
    text = str(caught.value)
    listed = text.partition("listed in ")[2].partition(";")[0]
    with open(listed) as file:
        names = [line.split(": ")[0] for line in file]
    assert sorted(names) == [f"{place:02}.png" for place in range(12)]
    share = float(text.partition("--config.data.unreadable=")[2].split()[0])
    assert len(load(root, unreadable=share).provenance["unreadable"]) == 12
    for name in names:
        (root / name).unlink()
    assert load(root).provenance["unreadable"] == []


def test_large_pictures_are_listed_and_the_way_out_leads_out(root):
    for place in range(30):
        save(root / f"{place:02}.png", NOISE[place, : 8 - place % 2])
    with pytest.raises(UserError, match=r"the 15 of more than 60 pixels") as caught:
        load(root, most_pixels=60, size=4)
    most = int(str(caught.value).partition("--config.data.most_pixels=")[2].split()[0])
    assert most == 64
    assert load(root, most_pixels=most, size=4).provenance["unreadable"] == []
