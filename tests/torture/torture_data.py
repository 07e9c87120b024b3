"""Preparing that is killed again and again, and a stream of a million images.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
SHARE = float(os.environ.get("TORTURE", "1"))
SEED = int(os.environ.get("TORTURE_SEED", "0"))
KILLS = max(3, round(40 * SHARE))
FILES = 600
MILLION = max(20_000, round(1_000_000 * SHARE))
MOST_GROWTH_MIB = 200

LOAD = """
import sys
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog
data = catalog.load(Request("folder", directory=sys.argv[1], size=8, cache=sys.argv[2]))
print(data.digest, len(data.provenance["unreadable"]), data.test.names[0])
"""

STREAM = """
import json, sys, time
import numpy as np
from infogan_jax.data import batches
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog

def private():
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Anonymous"):
            return int(line.split()[1]) / 1024

request = Request("npz", directory=sys.argv[1], cache=sys.argv[2], stream=True)
begun = time.perf_counter()
data = catalog.load(request)
loaded = time.perf_counter() - begun
images, rows = data.train.images, np.arange(128)
calls = batches.streamed(images, 0, range(0, 5000, 25), 128).calls(rows)
first, used, kept = time.perf_counter(), [], None
for number, call in enumerate(calls):
    used.append(private())
    kept = call if number == 150 else kept
seconds = time.perf_counter() - first
resumed = next(batches.streamed(images, 0, range(3750, 5000, 25), 128).calls(rows))
print(json.dumps({
    "images": len(images), "load_s": round(loaded, 1),
    "images_per_second": round(200 * 25 * 128 / seconds),
    "private_mib_first": round(used[5]), "private_mib_last": round(used[-1]),
    "resume_is_exact": bool((resumed == kept).all()),
}))
"""


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT)}


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_written_since(begun, cache):
    """Whether parts of prepared images were written after a moment."""
    with contextlib.suppress(OSError):  # it is renamed or removed at this moment
        for partial in cache.glob("*.partial"):
            return any(path.stat().st_mtime > begun for path in partial.iterdir())
    return False


def test_preparing_that_is_killed_at_any_moment_ends_in_the_same_bytes(
    tmp_path, capsys
):
    rng = random.Random(SEED)
    images = np.random.default_rng(0).integers(0, 256, (FILES, 90, 120, 3), np.uint8)
    (tmp_path / "pictures").mkdir()
    for place, image in enumerate(images):
        path = tmp_path / "pictures" / f"{place}.png"
        if place % 50:
            Image.fromarray(image).save(path)
        else:
            path.write_bytes(b"broken")
    straight = start(LOAD, tmp_path / "pictures", tmp_path / "straight")
    expected, said = straight.communicate(timeout=300)
    assert straight.returncode == 0, said
    amid = 0
    for number in range(KILLS):
        cache = tmp_path / f"killed{number % 3}"
        begun = time.time()
        process = start(LOAD, tmp_path / "pictures", cache)
        if rng.random() < 0.25:
            time.sleep(rng.uniform(0.0, 4.0))
        else:
            while process.poll() is None and not is_written_since(begun, cache):
                time.sleep(0.005)
            time.sleep(rng.uniform(0.0, 0.2))
        process.kill()
        process.communicate()
        amid += bool(list(cache.glob("*.partial")))
        if number % 3 == 2 or number == KILLS - 1:
            last = start(LOAD, tmp_path / "pictures", cache)
            assert last.communicate(timeout=300)[0] == expected
            names = [path.name for path in cache.iterdir()]
            assert not [name for name in names if name.endswith(".partial")]
    with capsys.disabled():
        print(f"\n{KILLS} kills, {amid} amid preparing")
    assert amid > 0, "the kills must hit a program that prepares"


def test_a_stream_of_a_million_images_needs_no_memory_for_them(tmp_path, capsys):
    rng = np.random.default_rng(0)
    images = np.lib.format.open_memmap(
        tmp_path / "images.npy", "w+", np.uint8, (MILLION, 32, 32)
    )
    for begin in range(0, MILLION, 10_000):
        shape = (min(10_000, MILLION - begin), 32, 32)
        images[begin : begin + shape[0]] = rng.integers(0, 256, shape, np.uint8)
    images.flush()
    stored = tmp_path / "stored.npz"
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.write(tmp_path / "images.npy", "images.npy")
    process = start(STREAM, stored, tmp_path / "cache")
    out, said = process.communicate(timeout=1500)
    assert process.returncode == 0, said[-2000:]
    found = json.loads(out.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{found}")
    assert found["resume_is_exact"]
    assert found["private_mib_last"] - found["private_mib_first"] < MOST_GROWTH_MIB
