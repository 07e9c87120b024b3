"""Runs a verb of `infogan` as the program does, but in this process."""

import importlib
import shlex
import sys

from absl import flags

from infogan_jax.commands import program


def call(line):
    """Runs a line such as `infogan sample --workdir=run`; returns its status."""
    words = shlex.split(line)
    assert words.pop(0) == "infogan", line
    verb = words.pop(0)
    module = importlib.import_module(f"infogan_jax.commands.{verb}")
    known, argv = set(flags.FLAGS), sys.argv
    sys.argv = [f"infogan {verb}", *program.find_configs(words)]
    try:
        module.define_flags()
        assert flags.FLAGS(sys.argv) == sys.argv[:1], f"{line}: not a flag"
        return module.main()
    finally:
        sys.argv = argv
        for name in set(flags.FLAGS) - known:
            delattr(flags.FLAGS, name)
