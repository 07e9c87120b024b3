"""Runs a program: flags in, one line and a status out."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import ml_collections
from absl import app, flags

from infogan_jax.errors import RunFailure, UserError


def run(define: Callable[[], None], main: Callable[[], int]) -> NoReturn:
    """Defines and parses the flags, calls `main` and exits with its status.

    A `UserError`, a flag that cannot be parsed or a config file that cannot be
    loaded ends in one line on stderr and status 2; a `RunFailure` in one line and
    status 1.
    """
    try:
        define()
    except Exception as error:  # a config file is a program and can raise anything
        sys.exit(_complain(error, 2))
    app.run(lambda _: _guarded(main), flags_parser=_parse)
    raise AssertionError("app.run always exits")


def config() -> dict[str, Any]:
    """The value of --config, nested.

    Raises:
      UserError: where the file cannot be loaded, or gives something else.
    """
    try:
        value = flags.FLAGS.config
        _ = value.keys  # a file that could not be loaded raises here
    except Exception as error:  # as above
        raise UserError(_in_one_line(error)) from error
    if not isinstance(value, ml_collections.ConfigDict):
        raise UserError(
            f"--config gives a {type(value).__name__}; get_config() must return an "
            "ml_collections.ConfigDict, as in configs/digits.py."
        )
    return value.to_dict()


def _guarded(main: Callable[[], int]) -> int:
    for noisy in ("jax", "matplotlib"):  # parsing flags has set their levels
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # orbax says all twice
    try:
        return main()
    except UserError as error:
        return _left(_complain(error, 2))
    except RunFailure as error:
        return _left(_complain(error, 1))


def _left(status: int) -> int:
    """The status, for a process alone; one of several ends here, by its own hand."""
    from infogan_jax import processes

    processes.leave(status)
    return status


def _parse(argv: list[str]) -> list[str]:
    """Parses as absl does, with errors made into one line and status 2."""
    try:
        left = flags.FLAGS(argv)
    except SystemExit:  # absl has printed the help that was asked for
        sys.exit(0)
    except Exception as error:  # as above
        sys.exit(_complain(error, 2))
    if len(left) > 1:
        extra = UserError(f"{left[1]!r} is no flag; flags start with --.")
        sys.exit(_complain(extra, 2))
    return left


def _complain(error: Exception, status: int) -> int:
    program = os.path.basename(sys.argv[0])
    sys.stderr.write(f"{program}: {_in_one_line(error)}\n")
    return status


def _in_one_line(error: Exception) -> str:
    """The last line of its text, or that the config has no such field."""
    inner = error.args[0] if error.args else None
    if isinstance(inner, KeyError):  # ml_collections', where a field is not there
        field, *hint = str(inner.args[0]).splitlines()
        found = hint or ["configs/digits.py has every field."]
        return f"the config has no field {field}. {' '.join(found)}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
