"""Sorts pictures by category: `--workdir=runs/digits --images=mine --out=sorted`."""

from absl import flags

from infogan_jax.commands import program
from infogan_jax.errors import UserError


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string("images", None, "A folder of pictures, which are only read.")
    flags.DEFINE_string("out", None, "A new folder for the sorted pictures.")
    flags.DEFINE_float("confidence", 0.9, "Pictures of less come into `unsure`.")
    flags.DEFINE_bool("link", False, "Make links to the originals, not copies.")


def main() -> int:
    """Sorts, and prints how many pictures came where; returns the exit status."""
    from infogan_jax.trained import sorting

    workdir, given = program.run_directory(), flags.FLAGS
    if not given.images:
        raise UserError("--images is missing; name a folder of pictures.")
    print(
        sorting.sort_images(
            workdir, given.images, given.out or "", given.confidence, link=given.link
        )
    )
    return 0
