"""Names the codes of a run: `--workdir=runs/digits --names="uniform_1=slant"`."""

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string(
        "names",
        "",
        "CODE=NAME or CODE/CATEGORY=NAME, with commas between; without a name it is "
        "taken away. Nothing: lists the codes.",
    )


def main() -> int:
    """Writes the names, and prints all of them; returns the exit status."""
    from infogan_jax.trained import naming

    print(naming.name_codes(program.run_directory(), flags.FLAGS.names))
    return 0
