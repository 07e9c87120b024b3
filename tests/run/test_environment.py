"""What a run depends on is recorded, and files that could not be read are listed."""

import json
from importlib.metadata import version

import jax
import numpy as np
import pytest
from PIL import Image

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import folder
from infogan_jax.run import environment

LINES = ["a b.png: cut", "new\nline \udce4 ä漢.png: x", "back\\slash\u2028.png: y"]


def record(workdir, unreadable):
    environment.write_environment(workdir, {"name": "x", "unreadable": unreadable})
    return json.loads((workdir / "environment.json").read_text())["data"]


def test_versions_devices_and_data_are_recorded(tmp_path):
    environment.write_environment(tmp_path, {"name": "digits", "sha256": "0123"})
    found = json.loads((tmp_path / "environment.json").read_text())
    assert {"python", "machine", "commit"} <= found.keys()
    assert found["data"] == {"name": "digits", "sha256": "0123"}
    for package in ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy"):
        assert found["packages"][package] == version(package)
    assert found["devices"] == [d.device_kind for d in jax.devices()]
    assert found["processes"] == 1
    assert found["threads"] >= 1


def test_the_record_counts_and_a_file_of_its_own_lists(tmp_path, capsys):
    assert record(tmp_path, LINES) == {"name": "x", "unreadable": 3}
    text = (tmp_path / "unreadable.txt").read_text("utf-8")
    assert text.splitlines() == [
        "a b.png: cut",
        "new\\nline \\udce4 ä漢.png: x",
        "back\\\\slash\\u2028.png: y",
    ]
    expected = f"unreadable files left out: 3, see {tmp_path}/unreadable.txt\n"
    assert capsys.readouterr().out == expected


def test_every_line_leads_back_to_the_name(tmp_path):
    record(tmp_path, LINES)
    lines = (tmp_path / "unreadable.txt").read_text("utf-8").splitlines()
    back = [line.encode("latin-1", "backslashreplace") for line in lines]
    assert [line.decode("unicode_escape") for line in back] == LINES


@pytest.mark.parametrize("provenance", [{"name": "x"}, {"unreadable": []}])
def test_without_them_nothing_is_said_and_an_old_list_goes(
    tmp_path, capsys, provenance
):
    record(tmp_path, LINES)
    capsys.readouterr()
    environment.write_environment(tmp_path, provenance)
    assert not (tmp_path / "unreadable.txt").exists()
    assert capsys.readouterr().out == ""
    found = json.loads((tmp_path / "environment.json").read_text())
    assert found["data"] == provenance


def test_the_list_of_a_folder_names_each_file_and_why(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pictures, workdir = tmp_path / "pictures", tmp_path / "run"
    pictures.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
    for index, pixels in enumerate(noise):
        Image.fromarray(pixels).save(pictures / f"{index}.png")
    (pictures / "bad\n.png").touch()
    (pictures / "cut.png").write_bytes((pictures / "0.png").read_bytes()[:80])
    data = folder.load(Request("folder", directory=str(pictures)))
    environment.write_environment(workdir, data.provenance)
    lines = (workdir / "unreadable.txt").read_text().splitlines()
    bad, cut = sorted(lines)
    assert bad == r"bad\n.png: cannot identify image file"
    assert cut.startswith("cut.png: ") and "truncated" in cut
