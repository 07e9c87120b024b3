"""Writes the codes of images: `--workdir=runs/digits --images=mine --out=codes.csv`."""

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string("out", None, "NAME.csv or NAME.npz.")
    flags.DEFINE_string(
        "images", None, "A picture, or a folder of pictures; not given: the run's data."
    )


def main() -> int:
    """Encodes, and prints what was written; returns the exit status."""
    from infogan_jax.trained import encoding

    workdir, given = program.run_directory(), flags.FLAGS
    print(encoding.encode_images(workdir, given.out or "", given.images, "--out"))
    return 0
