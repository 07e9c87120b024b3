"""What scripts/turntable.py says of objects whose code is known."""

import numpy as np
import pytest

from scripts import turntable

DEGREES = np.arange(0, 360, 5)


def write(path, objects):
    lines = ["name,turn/mean,turn/sd"]
    for name, code in objects.items():
        for degrees, value in zip(DEGREES, np.angle(np.exp(1j * code)), strict=True):
            lines.append(f"{name}/view_{degrees:03d}_degrees.png,{value},0.1")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_object_is_followed_once_around_twice_around_or_not_at_all(tmp_path):
    turned = np.deg2rad(DEGREES)
    objects = {"cup": 1 - turned, "car": 2 * turned + 0.5, "ball": 0 * turned}
    codes = write(tmp_path / "codes.csv", objects)
    found = turntable.once_and_twice(turntable.read(codes, "turn"))
    expected = {"cup": (1, 0), "car": (0, 1), "ball": (0, 0)}
    for name, both in expected.items():
        assert found[name] == pytest.approx(both, abs=1e-6), name


def test_the_last_line_counts_the_objects_that_are_followed(
    tmp_path, monkeypatch, capsys
):
    turned = np.deg2rad(DEGREES)
    codes = write(tmp_path / "codes.csv", {"cup": turned, "ball": 0 * turned})
    monkeypatch.setattr("sys.argv", ["turntable", str(codes), "turn"])
    turntable.main()
    assert capsys.readouterr().out.splitlines()[-1] == (
        "1 of 2 objects with at least 0.8"
    )


def test_a_column_or_a_name_that_cannot_be_read_is_named(tmp_path):
    codes = tmp_path / "codes.csv"
    codes.write_text("name,turn/mean\ncup/front.png,0.1\n")
    with pytest.raises(ValueError, match="no column 'side/mean'"):
        turntable.read(codes, "side")
    with pytest.raises(ValueError, match=r"'cup/front\.png' has no degrees"):
        turntable.read(codes, "turn")
