"""Feeds folders of mutated pictures to the reader until its time is over.

Prints one line of JSON. Only a refusal in words is allowed to stop a reading:
everything else ends the process, which says which round of which seed it was.

    python tests/torture/fuzz_folder.py SECONDS SEED DIRECTORY
"""

import io
import json
import random
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError

FORMATS = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpeg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "tiff": ("1", "L", "RGB", "RGBA", "CMYK", "I;16"),
    "gif": ("L", "P"),
    "ppm": ("L", "RGB"),
}
FILES = 24


def originals(rng):
    """One picture of each format and mode, as bytes, by suffix."""
    made = []
    for kind, modes in FORMATS.items():
        for mode in modes:
            pixels = rng.integers(0, 256, (17, 23, 3), np.uint8)
            image = Image.fromarray(pixels)
            if mode == "I;16":
                image = Image.fromarray(rng.integers(0, 2**16, (17, 23), np.uint16))
            buffer = io.BytesIO()
            (image if mode in ("I;16", "RGB") else image.convert(mode)).save(
                buffer, kind
            )
            made.append((kind, buffer.getvalue()))
    return made


def mutated(rng, content, others):
    """Some of the bytes changed, cut, doubled, or taken from another picture."""
    content = bytearray(content)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2, 16))):
        at = rng.randrange(len(content) + 1)
        length = rng.choice((1, 1, 2, 4, 64))
        act = rng.randrange(6)
        if act == 0 and content:
            content[at % len(content)] ^= 1 << rng.randrange(8)
        elif act == 1:
            content[at : at + length] = rng.choice((b"\0", b"\xff")) * length
        elif act == 2:
            del content[at : at + length]
        elif act == 3:
            content[at:at] = content[at : at + length]
        elif act == 4:
            other = rng.choice(others)[1]
            content[at : at + length] = other[at : at + length]
        else:
            del content[at:]
    return bytes(content)


def main(seconds, seed, directory):
    """Reads folder after folder."""
    pictures, end = originals(np.random.default_rng(seed)), time.monotonic() + seconds
    cache = f"{directory}/cache"
    counts = dict.fromkeys(("folders", "files", "read", "unreadable", "refused"), 0)
    while time.monotonic() < end:
        rng = random.Random(f"{seed} {counts['folders']}")
        folder = Path(directory, str(counts["folders"]))
        folder.mkdir()
        for index in range(FILES):
            kind, content = rng.choice(pictures)
            suffix = kind if rng.random() < 0.9 else rng.choice(list(FORMATS))
            mutant = mutated(rng, content, pictures)
            (folder / f"{index}.{suffix}").write_bytes(mutant)
        counts["folders"] += 1
        counts["files"] += FILES
        try:
            request = Request("folder", directory=str(folder), size=16, cache=cache)
            found = catalog.load(request)
        except UserError:
            counts["refused"] += 1
        except BaseException:
            print(f"round {counts['folders'] - 1} of seed {seed}", file=sys.stderr)
            raise
        else:
            images = found.train.images, found.test.images
            assert all(part.shape[1:3] == (16, 16) for part in images)
            counts["read"] += sum(map(len, images))
            counts["unreadable"] += len(found.provenance["unreadable"])
        shutil.rmtree(folder)
        shutil.rmtree(cache, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(counts | {"peak_mib": round(peak)}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
