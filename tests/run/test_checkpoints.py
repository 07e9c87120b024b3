"""A checkpoint comes back bit for bit, or is known to be damaged."""

import errno
import logging
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from checkpoint_files import bits, files, restored, saved, state_at

from infogan_jax.errors import RunFailure, UserError
from infogan_jax.run.checkpoints import KEPT, Checkpoints

OFFSETS = 8


def steps_in(directory):
    return sorted(int(path.name) for path in directory.iterdir())


def largest(directory):
    return max(files(directory), key=lambda path: path.stat().st_size)


def damage(directory):
    path = largest(directory)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("original") / "checkpoints", 4, 8)


@pytest.fixture
def pair(original, tmp_path):
    """Two checkpoints, of steps 4 and 8, to be damaged."""
    return shutil.copytree(original, tmp_path / "checkpoints")


def test_a_state_comes_back_bit_for_bit(pair):
    assert bits(restored(pair)) == bits(state_at(8))


def test_no_checkpoint_is_none(tmp_path):
    assert restored(tmp_path / "checkpoints", read_only=False) is None


def test_a_flipped_bit_is_noticed_or_harmless_but_never_another_state(pair):
    shutil.rmtree(pair / "4")
    expected, noticed, unharmed = bits(state_at(8)), 0, 0
    for path, good in files(pair).items():
        for place, offset in enumerate(np.linspace(0, len(good) - 1, OFFSETS)):
            bad = bytearray(good)
            bad[int(offset)] ^= 1 << place % 8
            path.write_bytes(bad)
            try:
                found = restored(pair)
            except UserError as error:
                noticed += 1
                assert "damaged" in str(error)
            else:
                unharmed += 1
                assert bits(found) == expected, f"{path.name}, byte {int(offset)}"
        path.write_bytes(good)
    assert noticed > 2 * OFFSETS, "the flips must reach the arrays"
    assert unharmed > 0
    assert bits(restored(pair)) == expected


def test_a_flipped_bit_that_orbax_lets_pass_is_noticed_by_its_digest(pair, monkeypatch):
    shutil.rmtree(pair / "4")
    with Checkpoints(pair, read_only=True) as checkpoints:
        manager, wrong = checkpoints._manager, state_at(8)
        wrong.params["generator"]["w"] = wrong.params["generator"]["w"].at[3, 5].add(1)
        digests = manager.restore(8).digests
        answer = type("Restored", (), {"state": wrong, "digests": digests})
        monkeypatch.setattr(manager, "restore", lambda *args, **kwargs: answer)
        with pytest.raises(UserError, match="8: digest of params/generator/w differs"):
            checkpoints.restore_newest(state_at(0))


def test_the_one_before_is_used_where_the_newest_is_damaged(pair, caplog):
    damage(pair / "8")
    with caplog.at_level(logging.WARNING), Checkpoints(pair) as checkpoints:
        found = checkpoints.restore_newest(state_at(0))
        assert bits(found) == bits(state_at(4))
        [warning] = [r.getMessage() for r in caplog.records if r.name == "root"]
        assert "checkpoint 8 is damaged" in warning
        assert "using 4" in warning
        assert steps_in(pair) == [4]
        checkpoints.save(state_at(8))
    assert bits(restored(pair)) == bits(state_at(8))


@pytest.mark.parametrize("kept", [0, 0.5], ids=["emptied", "cut in half"])
def test_a_file_that_lost_its_end_is_noticed(pair, kept):
    path = largest(pair / "8")
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert bits(restored(pair)) == bits(state_at(4))


def test_a_file_that_is_gone_is_noticed(pair):
    largest(pair / "8").unlink()
    assert bits(restored(pair)) == bits(state_at(4))


def test_where_every_checkpoint_is_damaged_nothing_is_changed(pair):
    damage(pair / "4")
    damage(pair / "8")
    before = files(pair)
    with pytest.raises(UserError, match=r"every checkpoint in .* 8: .*; 4: ") as caught:
        restored(pair, read_only=False)
    assert "\n" not in str(caught.value)
    assert files(pair) == before


def test_the_newest_three_are_kept(tmp_path):
    directory = saved(tmp_path / "checkpoints", 2, 4, 6, 8, 10)
    assert KEPT == 3
    assert steps_in(directory) == [6, 8, 10]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["params", "stats", "opt_state"])
def test_what_is_not_finite_is_never_saved(tmp_path, field, value):
    spoilt = jnp.ones(5).at[3].set(value)
    directory = tmp_path / "checkpoints"
    with Checkpoints(directory) as checkpoints:
        checkpoints.save(state_at(4))
        with pytest.raises(RunFailure, match=rf"{field}/a is not finite at step 8"):
            checkpoints.save(state_at(8, **{field: {"a": spoilt}}))
    assert steps_in(directory) == [4]
    assert bits(restored(directory)) == bits(state_at(4))


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device", "/disk/8")


@pytest.mark.parametrize("act", ["save", "close"])
def test_a_full_disk_ends_the_run_in_one_line_and_what_was_saved_is_intact(
    tmp_path, monkeypatch, act
):
    message = (
        "cannot be written: No space left on device; those before are intact. Make"
    )
    with pytest.raises(RunFailure, match=message):
        with Checkpoints(tmp_path / "checkpoints") as checkpoints:
            checkpoints.save(state_at(4))
            checkpoints._manager.wait_until_finished()
            monkeypatch.setattr(checkpoints._manager, act, full)
            checkpoints.save(state_at(8))
            checkpoints._manager.wait_until_finished()
    monkeypatch.undo()
    step = int(restored(tmp_path / "checkpoints").step)
    assert step == (4 if act == "save" else 8)


def test_an_error_of_the_run_is_not_hidden_by_one_of_the_last_checkpoint(
    tmp_path, monkeypatch
):
    with pytest.raises(RunFailure, match="^loss is nan$"):
        with Checkpoints(tmp_path / "checkpoints") as checkpoints:
            monkeypatch.setattr(checkpoints._manager, "close", full)
            raise RunFailure("loss is nan")


@pytest.mark.parametrize("is_damaged", [False, True])
def test_reading_only_writes_nothing(pair, is_damaged):
    if is_damaged:
        damage(pair / "8")
    before = files(pair)
    restored(pair, read_only=True)
    assert files(pair) == before


def test_a_directory_that_is_opened_to_be_read_is_opened_in_silence(pair, caplog):
    level = logging.getLogger("absl").level
    with Checkpoints(pair, read_only=True):
        assert not caplog.records
    assert logging.getLogger("absl").level == level
