"""Every field of a config refuses what it cannot mean, in one helpful line."""

import math
import re

import pytest
from flax.traverse_util import flatten_dict
from tiny import changed

from infogan_jax.errors import UserError
from infogan_jax.fields import RULES
from infogan_jax.validation import check, choice, number, whole

NOT_FINITE = [math.nan, math.inf, -math.inf]
WRONG = {
    bool: [0, 1, "True", "", None, [True], *NOT_FINITE],
    int: [True, False, 1.0, 2.5, "1", None, [1], -1, 2**40, *NOT_FINITE],
    float: [True, False, "0.5", None, [0.5], -0.5, -1, *NOT_FINITE],
    str: [5, 0.5, True, None, ["text"], *NOT_FINITE],
}
OUTSIDE = {
    "name": ["", "a b", "a/b", "..", "é"],
    "seed": [-1, 2**32],
    "data.source": ["", "Digits", "imagenet"],
    "data.crop": [-1, 4097],
    "data.size": [-1, 1025],
    "data.channels": [2, 4, -1],
    "data.held_out": [0, 0.0, 0.91],
    "data.batch_size": [0, 1, 2**31],
    "latents.noise_size": [-1],
    "latents.noise_kind": ["normal", ""],
    "latents.fixed_sd": [-1e-9],
    "latents.sd_floor": [0, 0.0],
    "networks.lrelu_slope": [-0.01, 1.01],
    "objective.real_label": [0.5, 1.01],
    "objective.noise_anneal_steps": [-1],
    "optimiser.discriminator_learning_rate": [0.0],
    "optimiser.generator_learning_rate": [0],
    "optimiser.beta1": [1.0],
    "optimiser.beta2": [1],
    "optimiser.average_decay": [1.0],
    "training.steps": [0],
    "training.steps_per_call": [0],
    "training.log_every": [0],
    "training.picture_every": [0],
    "training.checkpoint_every": [0],
    "evaluation.samples": [0, 99],
}
ENDS = {
    "seed": [0, 2**32 - 1],
    "data.channels": [0, 1, 3],
    "data.held_out": [0.01, 0.9],
    "data.batch_size": [2],
    "latents.noise_size": [0, 1],
    "latents.noise_kind": ["uniform", "gaussian"],
    "latents.fixed_sd": [0, 0.0],
    "networks.lrelu_slope": [0, 1],
    "objective.real_label": [0.51, 1],
    "objective.noise_sd": [0],
    "optimiser.beta1": [0, 0.9999],
    "optimiser.average_decay": [0, 0.999999],
    "evaluation.samples": [100],
}


def pairs(table):
    return [(name, value) for name, values in table.items() for value in values]


def refusal(config, name, value):
    with pytest.raises(UserError) as caught:
        check(changed(config, name, value), RULES)
    return str(caught.value)


@pytest.mark.parametrize("name", RULES)
def test_a_field_refuses_a_wrong_type_and_shows_it(tiny_config, name):
    kind = type(flatten_dict(tiny_config.to_dict(), sep=".")[name])
    for value in WRONG[kind]:
        message = refusal(tiny_config, name, value)
        assert message.startswith(f"config.{name} (={value!r}) must be "), message
        assert message.endswith(f"{RULES[name].relation}.")
        assert "\n" not in message


@pytest.mark.parametrize("name, value", pairs(OUTSIDE))
def test_a_field_refuses_a_value_outside_its_range(tiny_config, name, value):
    message = refusal(tiny_config, name, value)
    assert message.startswith(f"config.{name} (={value!r}) must be ")


@pytest.mark.parametrize("name, value", pairs(ENDS))
def test_a_field_takes_the_ends_of_its_range(tiny_config, name, value):
    assert check(changed(tiny_config, name, value), RULES)[name] == value


@pytest.mark.parametrize("name", RULES)
def test_a_missing_field_is_named(tiny_config, name):
    nested = tiny_config.to_dict()
    *groups, last = name.split(".")
    place = nested
    for group in groups:
        place = place[group]
    del place[last]
    with pytest.raises(UserError, match=rf"^config\.{name} is missing; it must be "):
        check(nested, RULES)


@pytest.mark.parametrize(
    "name, near",
    [("sed", "seed"), ("training.step", "training.steps"), ("zzzz", None)],
)
def test_an_unknown_field_is_named_with_its_nearest_neighbour(tiny_config, name, near):
    hint = "." if near is None else f"; did you mean config.{near}?"
    with pytest.raises(UserError, match=f"^config.{name} is not a field") as caught:
        check(changed(tiny_config, name, 1), RULES)
    assert str(caught.value).endswith(f"is not a field{hint}")


def test_a_group_that_is_a_value_is_no_field(tiny_config):
    with pytest.raises(UserError, match=r"^config\.data is not a field"):
        check(tiny_config.to_dict() | {"data": 5}, RULES)


def test_the_relation_is_said_in_words():
    assert whole(2, 9).relation == "a whole number from 2 to 9"
    assert number(0).relation == "a finite number, at least 0"
    assert number(0.5, 1, above=True).relation == (
        "a finite number, greater than 0.5 and at most 1"
    )
    assert choice(["a", "b"]).relation == "one of a, b"


def test_an_integer_too_large_for_a_float_is_refused(tiny_config):
    message = refusal(tiny_config, "objective.noise_sd", 10**400)
    assert re.match(r"config\.objective\.noise_sd \(=10+\) must be", message)


def test_an_error_is_one_line_whatever_its_text():
    assert str(UserError("a\n  b\tc")) == "a b c"
