"""Draws animations of the codes of a run: `--workdir=runs/digits --out=slides`."""

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string(
        "out", None, "The folder; `animations` in the run directory if not given."
    )
    flags.DEFINE_string("codes", "", "Names with commas between; nothing: continuous.")
    flags.DEFINE_string("format", "gif", "gif (256 colours) or webp (exact).")


def main() -> int:
    """Draws, and prints the names of the files; returns the exit status."""
    from infogan_jax.trained import animation

    workdir, given = program.run_directory(), flags.FLAGS
    out = given.out or str(workdir / "animations")
    print(animation.animate(workdir, out, given.codes, given.format))
    return 0
