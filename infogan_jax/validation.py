"""The fields of a config: what each must be, as data.

`check` knows one field at a time, `check_relations` the rest of what can be said
before codes and networks are read; what they and the data must keep is checked in
`experiment`, where they meet.
"""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from infogan_jax.data import sources
from infogan_jax.errors import UserError


@dataclass(frozen=True)
class Rule:
    """What a field must be.

    Attributes:
      holds: whether a value is allowed.
      relation: the same in words, after "must be".
    """

    holds: Callable[[Any], bool]
    relation: str


def whole(low: int, high: int = 2**31 - 1) -> Rule:
    """An integer from `low` to `high`."""
    return Rule(
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


def number(low: float, high: float = math.inf, *, above: bool = False) -> Rule:
    """A finite number from `low` (or, with `above`, greater than `low`) to `high`."""
    start = f"greater than {low:g}" if above else f"at least {low:g}"
    end = "" if math.isinf(high) else f" and at most {high:g}"
    return Rule(
        lambda value: (
            type(value) in (int, float)
            and (value > low if above else value >= low)
            and value <= min(high, sys.float_info.max)
        ),
        f"a finite number, {start}{end}",
    )


def choice(options: Iterable[str | int]) -> Rule:
    """One of some words, or of some whole numbers."""
    options = tuple(options)
    return Rule(
        lambda value: any(type(value) is type(o) and value == o for o in options),
        f"one of {', '.join(map(str, options))}",
    )


FLAG = Rule(lambda value: type(value) is bool, "True or False")
TEXT = Rule(lambda value: type(value) is str, "text")
NAME = Rule(
    lambda value: (
        type(value) is str
        and value.replace("-", "_").replace("_", "a").isalnum()
        and value.isascii()
    ),
    "a name of letters, digits, '-' and '_'",
)

FIELDS = {
    "name": NAME,
    "seed": whole(0, 2**32 - 1),
    "data.source": choice(sources.SOURCES),
    "data.name": TEXT,
    "data.directory": TEXT,
    "data.crop": whole(0, 4096),
    "data.size": whole(0, 1024),
    "data.channels": choice((0, 1, 3)),
    "data.labels": FLAG,
    "data.held_out": number(0, 0.9, above=True),
    "data.stream": FLAG,
    "data.batch_size": whole(2),
    "latents.codes": TEXT,
    "latents.noise_size": whole(1),
    "latents.noise_kind": choice(("uniform", "gaussian")),
    "latents.fixed_sd": number(0),
    "latents.sd_floor": number(0, above=True),
    "networks.generator": TEXT,
    "networks.trunk": TEXT,
    "networks.recognition": TEXT,
    "networks.lrelu_slope": number(0, 1),
    "networks.spectral_norm": FLAG,
    "networks.precision": choice(("float32", "bfloat16")),
    "objective.info_to_generator": FLAG,
    "objective.info_to_trunk": FLAG,
    "objective.real_label": number(0.5, 1, above=True),
    "objective.noise_sd": number(0),
    "objective.noise_anneal_steps": whole(0),
    "real_information.weight": number(0),
    "real_information.temperature": number(0, 1, above=True),
    "real_information.change_weight": number(0),
    "real_information.rotation": number(0, 45),
    "real_information.shear": number(0, 1),
    "real_information.scale": number(0, 1),
    "real_information.stroke": number(0, 1),
    "real_information.shift": number(0, 0.5),
    "optimiser.discriminator_learning_rate": number(0, above=True),
    "optimiser.generator_learning_rate": number(0, above=True),
    "optimiser.beta1": number(0, 0.9999),
    "optimiser.beta2": number(0, 0.999999),
    "optimiser.average_decay": number(0, 0.999999),
    "training.steps": whole(1),
    "training.steps_per_call": whole(1),
    "training.log_every": whole(1),
    "training.picture_every": whole(1),
    "training.checkpoint_every": whole(1),
    "evaluation.samples": whole(100, 10**6),
}


CADENCES = ("steps", "log_every", "picture_every", "checkpoint_every")
SEEN = ("rotation", "shear", "scale", "stroke")


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested config as one level of dotted names."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def check(config: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Returns the flat config, after every field was found to keep its rule.

    Raises:
      UserError: for a field that is unknown, missing or breaks its rule.
    """
    flat = flatten(config)
    for name in flat:
        if name not in rules:
            near = get_close_matches(name, rules, 1)
            hint = f"; did you mean config.{near[0]}?" if near else "."
            raise UserError(f"config.{name} is not a field{hint}")
    for name, rule in rules.items():
        if name not in flat:
            raise UserError(
                f"config.{name} is missing; it must be {rule.relation}. "
                "configs/digits.py has every field."
            )
        if not rule.holds(flat[name]):
            raise UserError(f"config.{name} (={flat[name]!r}) must be {rule.relation}.")
    return flat


def check_relations(flat: Mapping[str, Any]) -> None:
    """Checks what the values of several fields must keep among themselves.

    Raises:
      UserError: for the first relation that does not hold.
    """
    per_call = flat["training.steps_per_call"]
    for name in CADENCES:
        value = flat[f"training.{name}"]
        if value % per_call:
            raise UserError(
                f"config.training.{name} (={value}) must be a multiple of "
                f"config.training.steps_per_call (={per_call}); try "
                f"{-(-value // per_call) * per_call}."
            )
    if flat["objective.noise_anneal_steps"] and not flat["objective.noise_sd"]:
        raise UserError(
            "config.objective.noise_anneal_steps "
            f"(={flat['objective.noise_anneal_steps']}) anneals instance noise, but "
            "config.objective.noise_sd (=0) has none; set both, or neither."
        )
    change = flat["real_information.change_weight"]
    if change and not any(flat[f"real_information.{name}"] for name in SEEN):
        raise UserError(
            f"config.real_information.change_weight (={change}) asks what a rotation, "
            "shear, change of scale or of stroke does to a code, but all four are 0; "
            "give config.real_information.rotation, shear, scale or stroke an extent, "
            "as in configs/mnist.py, or set change_weight=0."
        )


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of dotted names, a dictionary for each group."""
    fields: dict[str, Any] = {}
    for name, value in flat.items():
        *groups, last = name.split(".")
        place = fields
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return fields
