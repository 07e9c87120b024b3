"""Opens a local page with sliders over the codes of a run: `--workdir=runs/digits`."""

from absl import flags

from infogan_jax.commands import program
from infogan_jax.errors import UserError


def define_flags() -> None:
    """Defines the flags."""
    flags.DEFINE_string("workdir", None, "A run directory that training has written.")
    flags.DEFINE_integer("port", 0, "The port on 127.0.0.1; 0 takes a free one.")


def main() -> int:
    """Serves the page until Ctrl-C; returns the exit status."""
    from infogan_jax.explorer import exploring

    text, port = flags.FLAGS.workdir, flags.FLAGS.port
    if text is None:
        raise UserError("--workdir is missing; name the directory of a run.")
    if not 0 <= port <= 65535:
        raise UserError(f"--port (={port}) must be from 0 to 65535; leave it out.")
    exploring.explore(program.workdir(text, ""), port)
    return 0
