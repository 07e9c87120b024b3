"""What a run shows and records."""

import errno
import json

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from infogan_jax.errors import RunFailure
from infogan_jax.machine import processes
from infogan_jax.run import progress
from infogan_jax.run.progress import Progress

METRICS = {
    "loss/discriminator": jnp.asarray([1.0, 2.0]),
    "loss/generator": jnp.asarray([0.5, 0.5]),
    "mi_bound/categorical_0": jnp.asarray([0.25, 0.75]),
    "jsd_bound": jnp.asarray([0.0, 0.5]),
}


def stats(workdir):
    lines = (workdir / "stats.jsonl").read_text().splitlines()
    return [json.loads(text) for text in lines]


def report(workdir, first_step=0, steps=8, **watched):
    return Progress(workdir, first_step, steps, 16, **watched)


def test_a_log_line_holds_the_mean_over_the_steps_of_its_call(tmp_path, capsys):
    with report(tmp_path) as record:
        record.log(4, METRICS | {"loss/discriminator": jnp.asarray([3.0, 6.0])})
        record.log(6, METRICS)
    first, second = stats(tmp_path)
    assert (first["step"], second["step"]) == (4, 6)
    assert (first["loss/discriminator"], second["loss/discriminator"]) == (4.5, 1.5)
    assert second["mi_bound/categorical_0"] == 0.5
    assert second["jsd_bound"] == 0.25
    assert second["images_per_second"] > 0
    assert 16 / second["step_time"] == pytest.approx(
        second["images_per_second"], rel=0.1
    )
    assert "step 4/8" in capsys.readouterr().out


def test_a_log_line_reaches_the_disk_at_once(tmp_path):
    with report(tmp_path) as record:
        record.log(2, METRICS)
        assert [one["step"] for one in stats(tmp_path)] == [2]


def test_tensorboard_gets_the_same_names(tmp_path):
    with report(tmp_path) as record:
        record.log(2, METRICS)
        record.pictures(2, {"samples": np.zeros((4, 4, 1), np.uint8)})
    [events] = tmp_path.glob("events.*")
    content = events.read_bytes()
    for name in (*METRICS, "images_per_second", "samples"):
        assert name.encode() in content


def test_a_full_disk_ends_the_run_in_words_where_tensorboard_is_written(
    tmp_path, monkeypatch
):
    def full(event):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunFailure, match="events cannot be written: No space left"):
        with report(tmp_path) as record:
            monkeypatch.setattr(record._tensorboard._writer, "write_event", full)
            record.log(2, METRICS)
    assert [one["step"] for one in stats(tmp_path)] == [2]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", METRICS)
def test_a_quantity_that_is_not_finite_ends_the_run(tmp_path, name, value):
    spoilt = METRICS | {name: jnp.asarray([0.5, value])}
    with report(tmp_path) as record:
        with pytest.raises(RunFailure, match=f"^{name} is .* before 4; .* intact"):
            record.log(4, spoilt)
    assert stats(tmp_path) == []


def test_other_processes_than_the_first_write_and_show_nothing_and_check_the_same(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(processes, "is_first", lambda: False)
    with report(tmp_path) as record:
        record.say("starts")
        record.log(2, METRICS)
        record.pictures(2, {"samples": np.zeros((4, 4, 1), np.uint8)})
        with pytest.raises(RunFailure, match="jsd_bound is nan"):
            record.log(4, METRICS | {"jsd_bound": jnp.asarray([np.nan])})
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_a_picture_is_a_png_with_its_step_in_its_name(tmp_path, channels, mode):
    picture = np.arange(6 * 4 * channels, dtype=np.uint8).reshape(6, 4, channels)
    with report(tmp_path) as record:
        record.pictures(40, {"samples": picture})
    with Image.open(tmp_path / "pictures" / "samples_0000040.png") as read:
        assert (read.format, read.mode, read.size) == ("PNG", mode, (4, 6))
        np.testing.assert_array_equal(np.asarray(read).reshape(picture.shape), picture)


def alarm(lines):
    """A sign as soon as a line says so."""
    return {"a": "it burns"} if any(line["jsd_bound"] > 0.2 for line in lines) else {}


def test_a_sign_of_trouble_is_told_once_and_not_again_when_a_run_goes_on(
    tmp_path, capsys
):
    with report(tmp_path, find_warnings=alarm) as record:
        record.log(2, METRICS | {"jsd_bound": jnp.asarray([0.125])})
        assert "warning" not in capsys.readouterr().out
        record.log(4, METRICS)
        record.log(6, METRICS)
        assert capsys.readouterr().out.count("warning: it burns.\n") == 1
    with report(tmp_path, first_step=4, find_warnings=alarm) as record:
        record.log(6, METRICS)
        assert "warning" not in capsys.readouterr().out
    with report(tmp_path, first_step=2, find_warnings=alarm) as record:
        record.log(4, METRICS)
        assert "warning: it burns." in capsys.readouterr().out


def test_a_sign_in_the_pictures_is_told_once(tmp_path, capsys):
    picture = {"samples": np.zeros((4, 4, 1), np.uint8)}
    with report(tmp_path) as record:
        for step in (2, 4):
            record.pictures(step, picture, {"samples": "all is white"})
    assert capsys.readouterr().out.count("warning: all is white.\n") == 1


def test_images_per_second_leave_out_what_else_took_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    with report(tmp_path) as record:
        now[0] = 50.0  # compiling
        record.restart_clock(0)
        now[0] = 52.0
        record.log(2, METRICS)
        now[0] = 99.0  # pictures
        record.restart_clock(2)
        now[0] = 101.0
        record.log(4, METRICS)
    assert [line["step_time"] for line in stats(tmp_path)] == [1.0, 1.0]


@pytest.mark.parametrize(
    "seconds, words",
    [
        (20, "20 s"),
        (61, "1 min"),
        (12_000, "3 h 20 min"),
        (77.4 * 3600, "3 days 5 h"),
        (30 * 3600, "30 h 0 min"),
    ],
)
def test_a_duration_in_words(seconds, words):
    assert progress.duration(seconds) == words


def test_the_time_a_run_will_take_is_told_once_from_steps_that_took_a_second(
    tmp_path, monkeypatch, capsys
):
    clock = iter([0.0, 0.1, 0.1, 1.0, 2.6])
    with report(tmp_path, steps=10_000) as record:
        monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
        record.restart_clock(0)  # at 0.0, after compiling
        record.estimate(25, METRICS)  # run while it was compiled
        record.restart_clock(25)
        record.estimate(50, METRICS)  # 0.9 s
        assert capsys.readouterr().out == ""
        record.estimate(75, METRICS)  # 50 steps in 2.5 s, 9,925 to go
        record.estimate(100, METRICS)
    said = capsys.readouterr().out
    assert said == "about 8 min at 20 steps/s on this machine\n"


def test_a_run_of_less_than_a_minute_needs_no_estimate(tmp_path, monkeypatch, capsys):
    clock = iter([0.0, 2.0])
    with report(tmp_path, steps=100) as record:
        monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
        record.restart_clock(0)
        record.estimate(25, METRICS)
    assert capsys.readouterr().out == ""
