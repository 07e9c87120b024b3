"""Opens a local page with sliders over the codes of a run: `--workdir=runs/digits`."""

from absl import flags

from infogan_jax.commands import program
from infogan_jax.errors import UserError


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_integer("port", 0, "The port on 127.0.0.1; 0 takes a free one.")
    flags.DEFINE_string(
        "data", "", "Where the training images lie now, if not where the run says."
    )


def main() -> int:
    """Serves the page until Ctrl-C; returns the exit status."""
    from infogan_jax.explorer import exploring

    workdir, given = program.run_directory(), flags.FLAGS
    if not 0 <= given.port <= 65535:
        raise UserError(f"--port (={given.port}) must be 0 to 65535; leave it out.")
    exploring.explore(workdir, given.port, given.data)
    return 0
