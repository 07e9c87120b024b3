"""A thousand heads and seats: in two orders, one by one, and in two processes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infogan_jax.data.sources import heads, scenes, seats

ROOT = Path(__file__).parents[2]
SHARE = float(os.environ.get("TORTURE", "1"))
COUNT = max(50, round(1000 * SHARE))
SCENES = {"heads": heads.SCENE, "seats": seats.SCENE}

ONE_BY_ONE = """
import hashlib, sys
import numpy as np
from infogan_jax.data.sources import heads, scenes, seats
scene = {"heads": heads.SCENE, "seats": seats.SCENE}[sys.argv[1]]
for index in np.random.default_rng(int(sys.argv[2])).permutation(scene.total)[
    : int(sys.argv[3])
]:
    image = scenes.render(scene, np.array([index]))
    print(index, hashlib.sha256(image.tobytes()).hexdigest())
"""


def digests(scene, indices):
    images = scenes.render(scene, indices)
    pairs = zip(indices.tolist(), images, strict=True)
    return {index: hashlib.sha256(each.tobytes()).hexdigest() for index, each in pairs}


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_the_same_in_any_order_and_in_another_process(name):
    scene, seed = SCENES[name], 7
    indices = np.random.default_rng(seed).permutation(scene.total)[:COUNT]
    forward = digests(scene, indices)
    assert digests(scene, np.sort(indices)) == forward
    command = [sys.executable, "-c", ONE_BY_ONE, name, str(seed), str(COUNT)]
    printed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    other = dict(line.split() for line in printed.splitlines())
    assert other == {str(index): digest for index, digest in forward.items()}
