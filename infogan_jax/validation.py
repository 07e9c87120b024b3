"""What a field of a config must be, and the checks of a whole config.

`check` looks at one field at a time, `check_relations` at fields that depend on each
other. That codes, networks and data fit together is checked in `experiment`, which
builds them.
"""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

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
    """Allows an integer from `low` to `high`."""
    return Rule(
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


def number(low: float, high: float = math.inf, *, above: bool = False) -> Rule:
    """Allows a finite number from `low` to `high`; with `above`, not `low` itself."""
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
    """Allows one of some words, or of some whole numbers."""
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

CADENCES = ("steps", "log_every", "picture_every", "checkpoint_every")
APPEARANCE = ("rotation", "shear", "scale", "stroke")


def check(config: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Checks every field of a config by its rule, and returns it with dotted names.

    Args:
      config: nested.
      rules: by dotted name; a config must have these fields and no others.

    Raises:
      UserError: for a field that is unknown, missing or breaks its rule.
    """
    from flax.traverse_util import flatten_dict  # slow to import for --help

    flat = flatten_dict(dict(config), sep=".")
    for name in flat:
        if name not in rules:
            near = get_close_matches(name, rules, 1)
            hint = f"; did you mean config.{near[0]}?" if near else "."
            raise UserError(f"config.{name} is not a field{hint}")
    for name, rule in rules.items():
        if name not in flat:
            raise UserError(
                f"config.{name} is missing; it must be {rule.relation}. "
                "docs/config.md has every field."
            )
        if not rule.holds(flat[name]):
            raise UserError(f"config.{name} (={flat[name]!r}) must be {rule.relation}.")
    return flat


def check_relations(flat: Mapping[str, Any]) -> None:
    """Checks the fields whose allowed values depend on each other.

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
    if not (flat["latents.noise_size"] or flat["latents.codes"].strip()):
        raise UserError(
            "config.latents.noise_size (=0) leaves G without any input, because "
            "config.latents.codes is empty; set noise_size to 62, or name codes."
        )
    if flat["objective.noise_anneal_steps"] and not flat["objective.noise_sd"]:
        raise UserError(
            "config.objective.noise_anneal_steps "
            f"(={flat['objective.noise_anneal_steps']}) anneals instance noise, but "
            "config.objective.noise_sd (=0) has none; set both, or neither."
        )
    for name in ("mmd_weight", "kl_weight"):
        if (weight := flat[f"info_vae.{name}"]) and not flat["info_vae.sd"]:
            raise UserError(
                f"config.info_vae.{name} (={weight}) weighs the codes of real images "
                "that G is to decode, but config.info_vae.sd (=0) asks for no decoding;"
                f" set config.info_vae.sd=0.3, or {name}=0."
            )
    change = flat["real_information.change_weight"]
    if change and not any(flat[f"real_information.{name}"] for name in APPEARANCE):
        raise UserError(
            f"config.real_information.change_weight (={change}) asks what a rotation, "
            "shear, change of scale or of stroke does to a code, but all four are 0; "
            "give config.real_information.rotation, shear, scale or stroke an extent, "
            "as in configs/mnist.py, or set change_weight=0."
        )
