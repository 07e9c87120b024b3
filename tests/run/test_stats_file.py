"""The record holds every log step once, whole, up to where a run goes on."""

import errno
import json

import pytest

from infogan_jax.errors import RunFailure
from infogan_jax.run import stats_file
from infogan_jax.run.stats_file import StatsFile

VALUES = {"jsd_bound": 0.125}


def line(step):
    return json.dumps({"step": step} | VALUES)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stats.jsonl"


def steps_in(path):
    return [json.loads(text)["step"] for text in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "content, kept",
    [
        ([line(2), line(4), line(6), line(8)], [2, 4]),
        ([line(2), line(4)], [2, 4]),
        ([line(2), '{"step": 4, "jsd'], [2]),
        ([line(2), "5", line(4)], [2]),
        ([line(2), "{}", line(4)], [2]),
        ([line(2), '{"step": "4"}'], [2]),
        ([line(2), '{"step": 4, "jsd_bound": [1]}'], [2]),
        ([line(6)], []),
        ([], []),
    ],
    ids="newer same torn number stepless text list all_newer empty".split(),
)
def test_it_is_cut_back_to_the_step_that_a_run_goes_on_from(path, content, kept):
    path.write_text("\n".join(content))
    opened = StatsFile(path, 4)
    assert [each["step"] for each in opened.lines] == kept
    opened.append(6, VALUES)
    opened.close()
    assert steps_in(path) == [*kept, 6]
    assert stats_file.read_stats(path) == opened.lines


def test_a_whole_last_line_without_its_newline_is_kept_apart(path):
    path.write_text(line(2))
    StatsFile(path, 2).close()
    assert path.read_text() == line(2) + "\n"


def test_numbers_have_seven_significant_digits(path):
    opened = StatsFile(path, 0)
    opened.append(2, {"jsd_bound": 0.12345678})
    assert path.read_text() == '{"step": 2, "jsd_bound": 0.1234568}\n'
    opened.close()


def test_no_file_is_an_empty_record(path):
    assert stats_file.read_stats(path) == []
    assert not path.exists()


def test_a_full_disk_ends_the_run_in_one_line_and_loses_no_earlier_one(
    path, monkeypatch
):
    opened = StatsFile(path, 0)
    opened.append(2, VALUES)

    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

        close = opened._file.close

    monkeypatch.setattr(opened, "_file", Full())
    with pytest.raises(RunFailure, match="stats.jsonl cannot be written: No space"):
        opened.append(4, VALUES)
    opened.close()
    assert steps_in(path) == [2]
    assert len(opened.lines) == 1


def test_a_record_that_may_not_be_written_ends_the_run_in_one_line(path):
    path.mkdir()
    with pytest.raises(RunFailure, match="stats.jsonl cannot be written: "):
        StatsFile(path, 0)


@pytest.mark.parametrize("value", [1e-7, 1.2345678e-12, 123456.7, -0.6931472])
def test_small_numbers_are_not_rounded_to_nothing(path, value):
    opened = StatsFile(path, 0)
    opened.append(2, {"loss": value})
    opened.close()
    [found] = stats_file.read_stats(path)
    assert found["loss"] == pytest.approx(value, rel=1e-6) != 0
