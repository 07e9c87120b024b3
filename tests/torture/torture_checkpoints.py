"""Damage of every kind to the newest checkpoint: noticed, or without effect.

Run by `make torture`, or a part of it by `TORTURE=0.1 make torture`.
"""

import os
import random
import re
import shutil

import pytest
from checkpoint_files import bits, files, restored, saved, state_at

from infogan_jax.errors import UserError

TRIALS = max(20, round(2000 * float(os.environ.get("TORTURE", "1"))))
SEED = int(os.environ.get("TORTURE_SEED", "0"))


def flip(rng, content):
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def cut(rng, content):
    del content[rng.randrange(len(content)) :]


def empty(rng, content):
    content.clear()


def overwrite(rng, content):
    start = rng.randrange(len(content))
    content[start : start + 512] = bytes(len(content[start : start + 512]))


def swap(rng, content):
    start = rng.randrange(len(content))
    content[start : start + 64] = reversed(content[start : start + 64])


DAMAGES = (flip, cut, empty, overwrite, swap)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("original") / "checkpoints", 4, 8)


def test_a_damaged_checkpoint_gives_its_own_state_or_the_one_before(
    checkpoints, capsys
):
    """Orbax alone gives other arrays, without a word, for some of these."""
    rng, newest, before = random.Random(SEED), bits(state_at(8)), bits(state_at(4))
    paths = [path for path, good in files(checkpoints / "8").items() if good]
    noticed = 0
    for trial in range(TRIALS):
        path, damage = rng.choice(paths), rng.choice(DAMAGES)
        good = path.read_bytes()
        content = bytearray(good)
        damage(rng, content)
        path.write_bytes(content)
        found = bits(restored(checkpoints))
        assert found in (newest, before), f"{trial}: {damage.__name__} of {path.name}"
        noticed += found == before
        path.write_bytes(good)
    with capsys.disabled():
        print(f"\n{TRIALS} damages, {noticed} noticed, the others without effect")
    assert noticed > TRIALS / 4
    assert bits(restored(checkpoints)) == newest


def test_where_both_are_damaged_nothing_is_overwritten(checkpoints, tmp_path, capsys):
    """Or, where a file was cut behind its last byte in use, a whole one is found."""
    rng, whole = random.Random(SEED), (bits(state_at(8)), bits(state_at(4)))
    trials, refused = max(3, TRIALS // 20), 0
    for trial in range(trials):
        copy = shutil.copytree(checkpoints, tmp_path / str(trial))
        for step in ("4", "8"):
            path = max(files(copy / step), key=lambda path: path.stat().st_size)
            content = bytearray(path.read_bytes())
            rng.choice((cut, empty))(rng, content)
            path.write_bytes(content)
        spoilt = files(copy)
        try:
            assert bits(restored(copy, read_only=False)) in whole
        except UserError as error:
            assert re.search("every checkpoint in .* is damaged", str(error))
            assert files(copy) == spoilt
            refused += 1
    with capsys.disabled():
        print(f"\n{trials} damages to both checkpoints, {refused} refused")
    assert refused > 0.8 * trials
