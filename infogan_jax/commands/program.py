"""How a command runs: it parses flags, calls a story and exits with a status.

An error that the user can mend is one line on stderr.
"""

import io
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import ml_collections
from absl import app, flags

import infogan_jax
from infogan_jax.errors import RunFailure, UserError
from infogan_jax.machine.streams import hide_dropped_reads, keep_streams

PACKAGE = Path(infogan_jax.__file__).parent
_INSTALLED, _BESIDE = PACKAGE / "configs", PACKAGE.parent / "configs"
CONFIGS = _INSTALLED if _INSTALLED.is_dir() else _BESIDE
"""The experiments: inside the package where it is installed, else beside it."""

DEFAULT_CONFIG = str(CONFIGS / "digits.py")
CONFIG_FLAGS = ("--config", "-config")
MUST_DEFINE = (
    "a config file must define get_config(), which returns an "
    "ml_collections.ConfigDict, as configs/digits.py does."
)
QUOTES = "'\""
ACCEPT_DATA = (
    "Go on although the data has changed since the run began; what was held out stays "
    "held out, and new images are for training."
)


def run(define_flags: Callable[[], None], main: Callable[[], int]) -> NoReturn:
    """Defines and parses the flags, calls `main` and exits with its status.

    A `UserError`, a flag that cannot be parsed or a config file that cannot be
    loaded ends in one line on stderr and status 2; a `RunFailure` in one line and
    status 1.
    """
    keep_streams()
    command = sys.modules[define_flags.__module__]
    sys.modules["__main__"].__doc__ = command.__doc__  # what --help begins with
    try:
        sys.argv[1:] = find_configs(sys.argv[1:])
        define_flags()
        for flag in flags.FLAGS.get_flags_for_module(command.__name__):
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)  # for --help
    except Exception as error:  # a config file is a program and can raise anything
        sys.exit(_complain(_explained(error), 2))
    app.run(lambda _: _guarded(main), flags_parser=_parse)
    raise AssertionError("app.run always exits")


def find_configs(arguments: list[str]) -> list[str]:
    """Replaces `--config=mnist:paper` by the path of the project's own `mnist.py`.

    `mnist.py` and `configs/mnist.py` are understood as well. A file of that name where
    the command runs comes first.

    Raises:
      UserError: where a name is neither an experiment nor a file.
    """
    found = []
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if place and arguments[place - 1] in CONFIG_FLAGS:
            argument = _find_config(argument)
        elif flag in CONFIG_FLAGS and equals:
            argument = f"{flag}={_find_config(value)}"
        found.append(argument)
    return found


def _find_config(value: str) -> str:
    if not value:
        raise UserError("--config (=) is empty; name an experiment, or a file.")
    name, colon, mode = value.partition(":")
    path = Path(name)
    names = sorted(p.stem for p in CONFIGS.glob("*.py") if not p.stem.startswith("_"))
    if path.is_file() or str(path.parent) not in (".", "configs"):
        return value
    if path.stem in names:
        return f"{CONFIGS / path.stem}.py{colon}{mode}"
    raise UserError(
        f"--config (={value}) must be a file, or one of {', '.join(names)}, with its "
        "mode after a colon."
    )


def workdir(text: str | None, default: str, flag: str = "--workdir") -> Path:
    """Returns the value of a flag that names a run, or the default if not given.

    Raises:
      UserError: where it is empty, or the address of an object store.
    """
    if text == "":
        raise UserError(f"{flag} (=) is empty; name a directory.")
    if "://" in (text or ""):
        raise UserError(
            f"{flag} (={text}) must be a directory of this machine; mount the store "
            "(with gcsfuse, for example) and name the mounted directory."
        )
    return Path(text or default)


def define_workdir() -> None:
    """Defines the flag --workdir of a command for a trained run."""
    flags.DEFINE_string("workdir", None, "A run directory that training has written.")


def run_directory() -> Path:
    """Returns the value of --workdir.

    Raises:
      UserError: where it is missing, and as `workdir`.
    """
    if flags.FLAGS.workdir is None:
        raise UserError("--workdir is missing; name the directory of a run.")
    return workdir(flags.FLAGS.workdir, "")


def config() -> dict[str, Any]:
    """Returns the value of --config, nested.

    Raises:
      UserError: where the file cannot be loaded, or gives something else.
    """
    try:
        value = flags.FLAGS.config
        _ = value.keys  # a file that could not be loaded raises here
    except Exception as error:  # as above
        raise _explained(error) from error
    if not isinstance(value, ml_collections.ConfigDict):
        raise UserError(
            f"{_config_file()[0]}: get_config() gives a {type(value).__name__}; "
            f"{MUST_DEFINE}"
        )
    return value.to_dict()


def _guarded(main: Callable[[], int]) -> int:
    for noisy in ("jax", "matplotlib"):  # parsing flags has set their levels
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # orbax logs all twice
    hide_dropped_reads()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return main()
    except UserError as error:
        return _leave(_complain(error, 2))
    except RunFailure as error:
        return _leave(_complain(error, 1))
    except KeyboardInterrupt:  # threads that still write a checkpoint are not awaited
        sys.stderr.write("\nstopped at once.\n")
        os._exit(130)


def _leave(status: int) -> int:
    """Returns the status; one of several processes ends here instead."""
    from infogan_jax.machine import processes

    processes.exit_at_once(status)
    return status


def _parse(argv: list[str]) -> list[str]:
    """Parses as absl does, with errors made into one line and status 2."""
    try:
        left = flags.FLAGS(argv)
    except SystemExit:  # absl has printed the help that was asked for
        sys.exit(0)
    except Exception as error:  # as above
        sys.exit(_complain(_explained(error), 2))
    if len(left) > 1:
        extra = UserError(f"{left[1]!r} is not a flag; flags start with --.")
        sys.exit(_complain(extra, 2))
    return left


def _complain(error: Exception, status: int) -> int:
    program = os.path.basename(sys.argv[0])
    sys.stderr.write(f"{program}: {_in_one_line(error)}\n")
    return status


def _explained(error: Exception) -> UserError:
    """Returns an error of parsing, with the place in the config file if it lies there.

    The file is run once more, because the flag has kept no more than its last words.
    """
    if not isinstance(error, UserError) and _config_file()[0]:
        return UserError(_mistake_in(*_config_file()) or _in_one_line(error))
    return UserError(_in_one_line(error))


def _config_file() -> tuple[str, list[str]]:
    """Returns the path of --config and its mode; no path where it has not been found.

    A command without that flag has none.
    """
    if "config" not in flags.FLAGS:
        return "", []
    given = [
        value or following
        for argument, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True)
        for flag, _, value in [argument.partition("=")]
        if flag in CONFIG_FLAGS
    ]
    path, colon, mode = (given[-1] if given else DEFAULT_CONFIG).partition(":")
    return (path if Path(path).is_file() else ""), [mode] if colon else []


def _mistake_in(path: str, mode: list[str]) -> str:
    """Returns what a config file does wrong, and where; "" where it does nothing wrong.

    The text of a ValueError that it raises itself is meant for the user.
    """
    try:
        get_config = runpy.run_path(path).get("get_config")
        if get_config is None:
            return f"{path} has no get_config; {MUST_DEFINE}"
        get_config(*mode)
    except Exception as error:  # it can raise anything
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, ValueError) and (frames[-1].line or "").startswith(
            "raise"
        ):
            return _in_one_line(error)
        lines = [frame.lineno for frame in frames if frame.filename == path]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        place = f"{path}, line {line}" if line else path
        return f"{place}: {_reason(error)}; {MUST_DEFINE}"
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    key = error.args[0] if error.args else ""
    if isinstance(error, KeyError) or isinstance(key, KeyError):
        return f"there is no key {' '.join(str(key).split()).strip(QUOTES)!r}"
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _in_one_line(error: Exception) -> str:
    """Returns the last line of its text, or that there is no such flag or field."""
    first = error.args[0] if error.args else None
    inner = error if isinstance(error, KeyError) else first
    if isinstance(inner, KeyError) and str(inner.args[0]).startswith("'"):
        field, *hint = str(inner.args[0]).splitlines()  # of ml_collections
        found = hint or [
            _field_like(field.strip("'")) or "docs/config.md has every field."
        ]
        return f"the config has no field {field}. {' '.join(found)}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1].removeprefix("ValueError: ") if lines else type(error).__name__
    if isinstance(error, flags.UnrecognizedFlagError) and "config" in flags.FLAGS:
        _, equals, value = str(error.flagvalue).partition("=")
        near = _field_like(error.flagname, equals + value)
        last = f"{last.rstrip('.')}. {near}".strip()
    return last


def _field_like(name: str, value: str = "") -> str:
    """Returns a question with the fields whose last word is much like `name`."""
    from infogan_jax.fields import FIELDS

    near = get_close_matches(name, {field.split(".")[-1] for field in FIELDS}, 1)
    found = [
        f"--config.{each}{value}" for each in FIELDS if each.split(".")[-1] in near
    ]
    return f"Did you mean {' or '.join(found)}?" if found else ""
