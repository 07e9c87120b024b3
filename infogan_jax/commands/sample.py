"""Generates images of a run: `--workdir=runs/digits --codes="categorical_0=3"`."""

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string(
        "out",
        None,
        "NAME.npz (an archive), NAME.png (a grid), or a new folder of PNG files; "
        "samples.png in the run directory if not given.",
    )
    flags.DEFINE_string(
        "codes",
        "",
        "CODE=VALUE or CODE=LOW..HIGH, with commas between: a range goes in even steps "
        "over the images. Codes that are not named are drawn.",
    )
    flags.DEFINE_integer("count", 100, "How many images.")
    flags.DEFINE_integer("seed", 0, "Of the noise and of the codes that are drawn.")
    flags.DEFINE_bool("hold", False, "Draw these once: the same in every image.")
    flags.DEFINE_integer("columns", 10, "Of a grid.")


def main() -> int:
    """Generates, and prints what was written; returns the exit status."""
    from infogan_jax.trained import sampling

    workdir, given = program.run_directory(), flags.FLAGS
    out = str(workdir / "samples.png") if given.out is None else given.out
    print(
        sampling.sample_images(
            workdir,
            out,
            given.count,
            given.codes,
            given.seed,
            hold=given.hold,
            columns=given.columns,
        )
    )
    return 0
