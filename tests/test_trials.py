"""The pages of trials are their data, and nothing else."""

import json

import pytest

from scripts import trials

FILES = sorted(trials.FOLDER.glob("*.json"))
TABLE = {
    "title": "Noise | none",
    "about": ["Two seeds each.", "The cells keep the digits of the file."],
    "command": ["python train.py"],
    "columns": ["noise sd", "|Spearman|", "accuracy, one a seed"],
    "rows": [[0.0, None, [0.93, 1.0]], [2e-4, "a | b", []]],
}


def by_name(path):
    return path.stem


def read_back(page):
    """The cells of every table of a page, the line of columns first."""
    cells = [
        [cell.strip().replace(r"\|", "|") for cell in line[2:-2].split(" | ")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    return cells


def written(value):
    return ", ".join(value) if isinstance(value, list) else value or ""


@pytest.fixture
def folder(tmp_path):
    text = json.dumps([TABLE]).replace("0.93,", "0.930,")
    (tmp_path / "digits.json").write_text(text)
    return tmp_path


def test_every_page_that_is_committed_is_what_the_script_makes():
    assert FILES and not trials.differing(trials.FOLDER), "run `make docs`"


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_every_row_has_a_cell_for_each_column_and_every_table_says_what_it_is(path):
    for table in trials.load(path):
        assert table.keys() - {"command"} == {"title", "about", "columns", "rows"}
        assert table["title"] and table["about"] and table["rows"]
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_a_page_read_back_has_the_cells_of_its_file(path):
    expected = [
        list(map(written, cells))
        for table in trials.load(path)
        for cells in [table["columns"], *table["rows"]]
    ]
    assert read_back(trials.page(path)) == expected


def test_the_digits_of_a_number_and_the_bars_of_a_text_are_kept(folder):
    page = trials.page(folder / "digits.json")
    assert r"| 0.0 |  | 0.930, 1.0 |" in page and r"| 0.0002 | a \| b |  |" in page
    assert page.startswith("<!-- Generated from docs/trials/digits.json by scripts/")


def test_what_the_script_writes_it_finds_right_and_another_digit_it_does_not(
    folder, capsys
):
    assert trials.main(["--check"], folder) == 1  # no page yet
    assert trials.main([], folder) == 0 and trials.main(["--check"], folder) == 0
    page = folder / "digits.md"
    page.write_text(page.read_text().replace("0.930", "0.931"))
    capsys.readouterr()
    assert trials.main(["--check"], folder) == 1
    assert "digits.md" in capsys.readouterr().out
    assert trials.main([], folder) == 0 and trials.main(["--check"], folder) == 0


def test_a_page_without_data_is_found(folder):
    trials.main([], folder)
    (folder / "mnist.md").write_text("by hand")
    assert trials.differing(folder) == [folder / "mnist.md"]
