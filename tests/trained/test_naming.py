"""A run's codes get names, which every other verb knows."""

import json

import pytest
from verbs import call

from infogan_jax.errors import UserError


def test_names_are_written_listed_changed_and_taken_away(own_run, capsys):
    def say(names=""):
        assert call(f"infogan name --workdir={own_run} '--names={names}'") == 0
        return capsys.readouterr().out.splitlines()

    head, *lines = say("uniform_1=slant, categorical_0=digit, categorical_0/3=a five")
    assert head == f"wrote {own_run}/names.json"
    assert lines[:2] == ["  categorical_0 = digit", "    categorical_0/3 = a five"]
    assert "  uniform_1 = slant" in lines and "  uniform_0" in lines
    assert say() == [f"codes of {own_run}", *lines]
    say("digit/a five=5b, slant=, digit/4=nine")
    assert json.loads((own_run / "names.json").read_text()) == {
        "categorical_0": "digit",
        "categorical_0/3": "5b",
        "categorical_0/4": "nine",
    }


@pytest.mark.parametrize(
    "names, words",
    [
        ("slant", "cannot read 'slant'; write CODE=NAME"),
        ("=slant", "cannot read '=slant'"),
        ("width=slant", "'width' is no code of this run"),
        ("categorical_0/10=x", "'10' is no category of categorical_0"),
        ("uniform_0/1=x", "'1' is no category of uniform_0"),
        ("uniform_0=uniform_1", "is that of uniform_1 too"),
        ("uniform_0=a/b", "has '/', which separates"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(own_run, names, words):
    with pytest.raises(UserError) as caught:
        call(f"infogan name --workdir={own_run} '--names={names}'")
    assert words in str(caught.value)
    assert not (own_run / "names.json").exists()
