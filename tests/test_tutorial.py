"""The cells of the tutorial run one after the other, here on a tiny experiment."""

import json
from pathlib import Path

import pytest
from PIL import Image

from configs import digits

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"


@pytest.mark.long
def test_every_cell_runs_and_shows_what_it_says(tiny_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(digits, "get_config", lambda: tiny_config)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    left = {}
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), left)
    assert isinstance(left["show"](left["model"].sample(4)), Image.Image)
    assert (tmp_path / "runs/digits/names.json").exists() == bool(left["names"])
    assert len(left["rows"]) == 100 and 0 <= left["right"] <= len(left["sure"])
    assert len(list((tmp_path / "sorted").rglob("*.png"))) == 100
