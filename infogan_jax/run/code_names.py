"""The file `names.json` of a run: what its owner calls the codes and their categories.

The keys are `uniform_1` for a code and `categorical_0/3` for a category; a code without
a name goes by its name in the config, and a category by its number.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infogan_jax.errors import UserError
from infogan_jax.model.latents import Code
from infogan_jax.run.files import write_json

NAMES = "names.json"
LONGEST = 64
NOTATION = ",=/\\"
"""What separates codes, values and folders cannot be a part of a name."""

Names = Mapping[str, str]
"""A name by `<code>` or `<code>/<category>`; only what has been named is in it."""


def read_names(workdir: Path, codes: Sequence[Code]) -> dict[str, str]:
    """Returns the names that a run's codes and categories have been given.

    Raises:
      UserError: where the file is not what `write_names` writes.
    """
    path = workdir / NAMES
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); remove it.") from error
    if not isinstance(names, dict):
        raise UserError(f"{path} must be a JSON object; remove it.")
    try:
        check_names(names, codes)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return names


def write_names(
    workdir: Path, names: Mapping[str, Any], codes: Sequence[Code]
) -> dict[str, str]:
    """Replaces the file; an empty name takes a name away.

    Returns:
      The names as they are from now on.

    Raises:
      UserError: as `check_names`; nothing is written.
      RunFailure: where the file cannot be written.
    """
    kept = {key: name for key, name in names.items() if name != ""}
    check_names(kept, codes)
    write_json(workdir / NAMES, kept)
    return kept


def check_names(names: Mapping[str, Any], codes: Sequence[Code]) -> None:
    """Checks that names can be told apart and can stand in files, tables and flags.

    Raises:
      UserError: for a key that is no code and no category, and for a name that is not
        one line of 1 to 64 printable characters, is used twice or has one of ``,=/``
        and the backslash.
    """
    keys = _keys(codes)
    taken: dict[tuple[str, str], str] = {}
    for key, name in names.items():
        if key not in keys:
            known = ", ".join(code.name for code in codes)
            raise UserError(
                f"{key!r} is no code of this run and no category of one; take one of "
                f"{known}, or for a category a name such as {_example(codes)}."
            )
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST:
            raise UserError(
                f"the name of {key} (={name!r}) must be a text of 1 to {LONGEST} "
                "characters; shorten it."
            )
        if not name.isprintable() or name != name.strip() or name[0] in "+-@.'":
            raise UserError(
                f"the name of {key} (={name!r}) must be printable, one line without "
                "spaces around it, and begin with a letter or a digit; change it."
            )
        if bad := sorted(set(name) & set(NOTATION)) or [".."] * (".." in name):
            raise UserError(
                f"the name of {key} (={name!r}) has {bad[0]!r}, which separates codes, "
                "values or folders; leave it out."
            )
        group = key.partition("/")[0] if "/" in key else ""  # categories of one code
        other = taken.setdefault((group, name), key)
        own = name in keys and name != key and not group
        number = group and name.isdigit() and name != key.partition("/")[2]
        if other != key or own or number:
            raise UserError(
                f"the name of {key} (={name!r}) is that of "
                f"{other if other != key else name} too; choose another."
            )


def shown(names: Names, code: Code) -> str:
    """Returns what a code is called: its given name, or that of the config."""
    return names.get(code.name, code.name)


def with_parent(names: Names, code: Code) -> str:
    """Returns what a code is called, and within which other, as `style in digit`."""
    within = f" in {names.get(code.parent, code.parent)}" if code.parent else ""
    return shown(names, code) + within


def shown_category(names: Names, code: Code, category: int) -> str:
    """Returns what a category is called: its given name, or its number."""
    return names.get(f"{code.name}/{category}", str(category))


def find_code(names: Names, codes: Sequence[Code], text: str) -> Code:
    """Returns the code that a text names, by its given name or that of the config.

    Raises:
      UserError: where there is none; it names those that there are.
    """
    for code in codes:
        if text in (code.name, shown(names, code)):
            return code
    known = ", ".join(shown(names, code) for code in codes) or "none"
    raise UserError(f"{text!r} is no code of this run; its codes: {known}.")


def find_category(names: Names, code: Code, text: str) -> int:
    """Returns the category of a code that a text names, or counts from 0.

    Raises:
      UserError: where there is none.
    """
    for category in range(code.size):
        if text in (str(category), shown_category(names, code, category)):
            return category
    raise UserError(
        f"{text!r} is no category of {shown(names, code)}; it has 0 to {code.size - 1}."
    )


def _keys(codes: Sequence[Code]) -> set[str]:
    categories = {
        f"{code.name}/{category}"
        for code in codes
        if code.is_categorical
        for category in range(code.size)
    }
    return {code.name for code in codes} | categories


def _example(codes: Sequence[Code]) -> str:
    first = next((code.name for code in codes if code.is_categorical), "digit")
    return f"{first}/0"
