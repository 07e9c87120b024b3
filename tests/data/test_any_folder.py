"""Random folders of good and bad files: each is read as Pillow reads it, or counted."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from infogan_jax.data.dataset import Request
from infogan_jax.data.held_out import order
from infogan_jax.data.rendering import Rules
from infogan_jax.data.sources import folder
from infogan_jax.errors import UserError

MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "jfif": ("L", "RGB"),
    "tif": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "gif": ("L", "P"),
    "webp": ("RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "ppm": ("L", "RGB"),
}
KINDS = [(suffix, mode) for suffix, modes in MODES.items() for mode in modes]
SAVED_AS = {"jpg": "jpeg", "jfif": "jpeg", "tif": "tiff"}
SIDE = 6
CLASSES = ("a b", "Ä", "z")

FILES = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        st.integers(0, 2**31),
        st.integers(1, 8),
        st.sampled_from(["whole", "whole", "whole", "cut", "text", "empty"]),
        st.sampled_from(CLASSES),
        st.sampled_from(["", ".PNG", " copy", "\n", "é", "'"]),
    ),
    min_size=4,
    max_size=14,
)


def content(kind, shape, seed, orientation):
    """The bytes of a picture of random pixels, as Pillow writes it."""
    suffix, mode = kind
    rng = np.random.default_rng(seed)
    if mode == "F":
        image = Image.fromarray(rng.normal(size=shape).astype(np.float32))
    elif mode == "I;16":
        image = Image.fromarray(rng.integers(0, 4096, shape, np.uint16))
    else:
        image = Image.fromarray(rng.integers(0, 256, (*shape, 4), np.uint8), "RGBA")
        image = image.convert("RGB") if mode in ("CMYK", "P", "1") else image
        image = image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"exif": exif} if suffix in ("jpg", "png", "webp", "tif") else {}
    file = io.BytesIO()
    image.save(file, SAVED_AS.get(suffix, suffix), **more)
    return file.getvalue()


def pillow(path, rules):
    """What Pillow alone makes of a file; None if it cannot decode it."""
    try:
        with Image.open(path) as image:
            image.load()
            turned = ImageOps.exif_transpose(image)
    except Exception:
        return None
    if turned.mode[0] in "IF":
        values = np.asarray(turned).astype(np.float64)
        low, high = rules.deep_range
        scaled = np.clip(np.rint((values - low) * 255 / (high - low)), 0, 255)
        turned = Image.fromarray(scaled.astype(np.uint8))
    elif turned.has_transparency_data:
        ground = Image.new("RGBA", turned.size, (rules.background,) * 3 + (255,))
        gray = turned.mode == "LA"
        turned = Image.alpha_composite(ground, turned.convert("RGBA"))
        turned = turned.convert("L" if gray else "RGB")
    side = min(turned.size)
    left, top = (turned.width - side) // 2, (turned.height - side) // 2
    square = turned.crop((left, top, left + side, top + side))
    square = square.convert("L" if rules.channels == 1 else "RGB")
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def write(root, files):
    written = []
    for place, (kind, shape, seed, orientation, state, name, end) in enumerate(files):
        path = root / name / f"{place}{end}.{kind[0]}"
        path.parent.mkdir(exist_ok=True)
        data = content(kind, shape, seed, orientation)
        data = {"cut": data[: len(data) // 2], "text": b"none", "empty": b""}.get(
            state, data
        )
        path.write_bytes(data)
        written.append(path.relative_to(root).as_posix())
    return sorted(written)


@given(FILES, st.sampled_from([0, 1, 3]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_each_file_is_read_as_pillow_reads_it_or_counted(files, channels, labels):
    with TemporaryDirectory() as directory:
        root = Path(directory, "pictures")
        root.mkdir()
        names = write(root, files)
        request = Request(
            "folder",
            directory=str(root),
            size=SIDE,
            channels=channels,
            labels=labels and len({name.split("/")[0] for name in names}) > 1,
            cache=f"{directory}/cache",
        )
        try:
            data = folder.load(request)
        except UserError as error:  # fewer than two can be read, or none is in a split
            assert "at least 2 readable" in str(error) and "\n" not in str(error)
            readable = [pillow(root / name, Rules(channels=3)) for name in names]
            broken = sum(each is None for each in readable)
            assert len(names) - broken < 2 or broken > 10
            return
        rules = Rules.from_record(data.provenance["report"]["rules"])
        read = [*data.test.names, *data.train.names]
        images = np.concatenate([data.test.images, data.train.images])
        expected = {name: pillow(root / name, rules) for name in names}
        assert set(read) == {name for name in names if expected[name] is not None}
        broken = {line.rpartition(": ")[0] for line in data.provenance["unreadable"]}
        assert len(read) + len(data.provenance["unreadable"]) == len(names)
        for name, image in zip(read, images, strict=True):
            pixels = expected[name]
            pixels = pixels[..., None] if pixels.ndim == 2 else pixels
            np.testing.assert_array_equal(image, pixels, err_msg=name)
        if request.labels:
            every = np.concatenate([data.test.labels, data.train.labels])
            classes = [data.provenance["classes"][label] for label in every]
            assert classes == [name.split("/")[0] for name in read]
        else:
            places = [names[place] for place in order(len(names))]
            assert read == [name for name in places if expected[name] is not None]
        assert len(broken) <= len(data.provenance["unreadable"])
