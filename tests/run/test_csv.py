"""Tables that a spreadsheet opens: every text as it is, none of them executed."""

import csv
import io

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infogan_jax.run import files

ANY = st.text(st.characters())  # surrogates too: bytes of names that are not UTF-8


@settings(max_examples=200, deadline=None)
@given(ANY)
@example("=1+1")
@example("\ud800")
@example("  @SUM(A1)")
@example("a\rb")
@example('a,b\n"c"')
def test_a_text_comes_back_and_is_never_a_formula(text):
    rows = csv.reader(io.StringIO(files.csv_lines([[text, "-1"]]).decode(), newline=""))
    [[cell, _]] = rows
    assert not cell.lstrip(" ").startswith(files.FORMULA)
    assert cell in (files.csv_cell(text), text)
    if text.isprintable():
        assert cell.removeprefix("'") == text.removeprefix("'")


def test_numbers_stay_numbers():
    row = [-1, np.float32(-0.1), np.int64(3), -2.5]
    assert files.csv_lines([row]) == b"-1,-0.1,3,-2.5\n"
