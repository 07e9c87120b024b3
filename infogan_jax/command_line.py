"""Runs a program: flags in, one line and a status out."""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from absl import app, flags

from infogan_jax.errors import RunFailure, UserError


def run(main: Callable[[], int]) -> NoReturn:
    """Parses the flags, calls `main` and exits with its status.

    A `UserError`, a flag that cannot be parsed or a config file that cannot be
    loaded ends in one line on stderr and status 2; a `RunFailure` in one line and
    status 1.
    """
    logging.getLogger("jax").setLevel(logging.WARNING)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    app.run(lambda _: _guarded(main), flags_parser=_parse)
    raise AssertionError("app.run always exits")


def _guarded(main: Callable[[], int]) -> int:
    try:
        return main()
    except UserError as error:
        return _complain(error, 2)
    except RunFailure as error:
        return _complain(error, 1)


def _parse(argv: list[str]) -> list[str]:
    """Parses as absl does, with errors made into one line and status 2."""
    try:
        left = flags.FLAGS(argv)
    except SystemExit:
        raise
    except Exception as error:  # a config file is a program and can raise anything
        sys.exit(_complain(error, 2))
    if flags.FLAGS["help"].value:
        sys.stdout.write(flags.FLAGS.main_module_help() + "\n")
        sys.exit(0)
    if len(left) > 1:
        sys.exit(
            _complain(UserError(f"{left[1]!r} is no flag; flags start with --."), 2)
        )
    return left


def _complain(error: Exception, status: int) -> int:
    text = " ".join(str(error).split()) or type(error).__name__
    sys.stderr.write(f"{os.path.basename(sys.argv[0])}: {text}\n")
    return status
