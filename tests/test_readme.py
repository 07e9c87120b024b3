"""The README's Python does what it says."""

import re
from pathlib import Path

import pytest

from configs import digits
from infogan_jax import training

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_a_run_reads_codes_and_paints_them_and_the_step_can_be_called(
    tiny_config, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(digits, "get_config", lambda: tiny_config)
    assert training.train(tiny_config.to_dict(), Path("runs/digits")) == 0
    capsys.readouterr()
    read, looped, blocks = {}, {}, BLOCK.findall(README.read_text())
    for block, left in zip(blocks, [read, looped], strict=True):
        exec(compile(block, README, "exec"), left)
    assert read["images"].shape == (100, 8, 8, 1) and read["images"].dtype == "uint8"
    assert read["rows"].shape == (10, 7, 8, 8, 1)
    assert 0 <= read["category"].min() <= read["category"].max() < 10
    assert looped["state"].step == 100
    bound = looped["metrics"]["mi_bound/categorical_0"]
    shape, last = capsys.readouterr().out.splitlines()
    assert shape == "(100, 8, 8, 1) (10, 7, 8, 8, 1) (100,)"
    assert float(last) == pytest.approx(float(bound))
