"""Pages that are made from the code say what the code says."""

from infogan_jax.default_config import default_config
from infogan_jax.fields import FIELDS
from scripts import config_table


def test_the_page_of_fields_is_made_from_the_fields_of_today():
    assert config_table.PAGE.read_text() == config_table.page(), "run `make docs`"


def test_every_field_has_one_row_with_its_default():
    rows = [line for line in config_table.page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(FIELDS)
    config = default_config("experiment")
    for row, name in zip(rows, FIELDS, strict=True):
        group, _, field = name.rpartition(".")
        assert f"| `{(config[group] if group else config)[field]!r}` |" in row
