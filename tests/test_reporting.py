"""What a run shows and records, and how it is asked to stop."""

import json
import os
import signal

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from infogan_jax import processes
from infogan_jax.errors import RunFailure
from infogan_jax.reporting import Report, StopRequest

METRICS = {
    "loss/discriminator": jnp.asarray([1.0, 2.0]),
    "loss/generator": jnp.asarray([0.5, 0.5]),
    "mi_bound/categorical_0": jnp.asarray([0.25, 0.75]),
    "jsd_bound": jnp.asarray([0.0, 0.5]),
}


def line(step):
    return json.dumps({"step": step, "jsd_bound": 0.125})


def stats(workdir):
    lines = (workdir / "stats.jsonl").read_text().splitlines()
    return [json.loads(text) for text in lines]


def report(workdir, first_step=0, steps=8):
    return Report(workdir, first_step, steps, 16)


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


@pytest.mark.parametrize(
    "content, kept",
    [
        ([line(2), line(4), line(6), line(8)], [2, 4]),
        ([line(2), line(4)], [2, 4]),
        ([line(2), '{"step": 4, "jsd'], [2]),
        ([line(2), "5", line(4)], [2]),
        ([line(2), "{}", line(4)], [2]),
        ([line(6)], []),
        ([], []),
    ],
    ids=["newer", "none newer", "torn", "number", "no step", "all newer", "empty"],
)
def test_the_record_is_cut_back_to_the_step_that_a_run_goes_on_from(
    tmp_path, content, kept
):
    (tmp_path / "stats.jsonl").write_text("\n".join(content))
    with report(tmp_path, first_step=4) as record:
        record.log(6, METRICS)
    assert [one["step"] for one in stats(tmp_path)] == [*kept, 6]


def test_a_whole_last_line_without_its_newline_is_kept_apart(tmp_path):
    (tmp_path / "stats.jsonl").write_text(line(2))
    with report(tmp_path, first_step=2):
        assert (tmp_path / "stats.jsonl").read_text() == line(2) + "\n"


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_stop_is_noted_and_the_old_handlers_come_back(number, status):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest() as stop:
        assert (stop.signal, stop.status) == (None, 0)
        assert not stop.is_agreed(is_due=True)
        os.kill(os.getpid(), number)
        assert (stop.signal, stop.status) == (number, status)
        assert stop.is_agreed(is_due=False), "alone there is nobody to ask"
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_old_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RunFailure), StopRequest():
        raise RunFailure("x")
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_interrupt_stops_at_once(monkeypatch, capsys):
    def leave(status):
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", leave)
    with StopRequest():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip().count("\n") == 0
