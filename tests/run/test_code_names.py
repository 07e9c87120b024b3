"""What the owner of a run calls its codes, and where that is kept."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogan_jax.errors import UserError
from infogan_jax.model import notation
from infogan_jax.run import code_names

CODES = notation.parse_codes("categorical(3), 2 x uniform")


def test_names_come_back_as_they_were_written(tmp_path):
    assert code_names.read_names(tmp_path, CODES) == {}
    names = {"uniform_1": "Neigung 斜", "categorical_0/2": "an eight"}
    assert code_names.write_names(tmp_path, names, CODES) == names
    assert code_names.read_names(tmp_path, CODES) == names


def test_an_empty_name_takes_a_name_away(tmp_path):
    code_names.write_names(tmp_path, {"uniform_1": "slant", "uniform_0": ""}, CODES)
    assert code_names.read_names(tmp_path, CODES) == {"uniform_1": "slant"}
    code_names.write_names(tmp_path, {"uniform_1": ""}, CODES)
    assert code_names.read_names(tmp_path, CODES) == {}


@pytest.mark.parametrize(
    "names, words",
    [
        ({"height": "a"}, "'height' is no code of this run"),
        ({"categorical_0/3": "a"}, "'categorical_0/3' is no code"),
        ({"uniform_0/0": "a"}, "'uniform_0/0' is no code"),
        ({"uniform_0": "a" * 65}, "must be a text of 1 to 64 characters"),
        ({"uniform_0": 3}, "must be a text of 1 to 64 characters"),
        ({"uniform_0": "a\nb"}, "must be printable"),
        ({"uniform_0": " a"}, "without spaces around it"),
        ({"uniform_0": "-1"}, "begin with a letter or a digit"),
        ({"uniform_0": "a/b"}, "has '/', which separates"),
        ({"uniform_0": "a=b"}, "has '=', which separates"),
        ({"uniform_0": "a..b"}, "has '..', which separates"),
        ({"uniform_0": "a", "uniform_1": "a"}, "is that of uniform_0 too"),
        ({"uniform_0": "uniform_1"}, "is that of uniform_1 too"),
        ({"categorical_0/0": "1"}, "is that of 1 too"),
    ],
)
def test_a_name_that_could_be_mistaken_is_refused_and_nothing_is_written(
    tmp_path, names, words
):
    with pytest.raises(UserError) as caught:
        code_names.write_names(tmp_path, names, CODES)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"uniform_0": 1}', '{"uniform_9": "a"}', '{"uniform_0": ""}']
)
def test_a_file_that_is_not_ours_is_named(tmp_path, text):
    (tmp_path / "names.json").write_text(text)
    with pytest.raises(UserError, match="names.json"):
        code_names.read_names(tmp_path, CODES)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["uniform_0", "uniform_1"]), st.text()))
def test_whatever_is_accepted_is_found_by_its_name(names):
    try:
        code_names.check_names(names, CODES)
    except UserError:
        return
    assert json.loads(json.dumps(names)) == names
    for key, name in names.items():
        code = code_names.find_code(names, CODES, name)
        assert code.name == key
        assert code_names.shown(names, code) == name
