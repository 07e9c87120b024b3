"""Finds images like one: `--workdir=runs/digits --image=this.png --images=folder`."""

from absl import flags

from infogan_jax.commands import program
from infogan_jax.errors import UserError


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_string("image", None, "A picture.")
    flags.DEFINE_string(
        "images", None, "A folder of pictures to search; not given: the run's data."
    )
    flags.DEFINE_integer("count", 10, "How many to find.")
    flags.DEFINE_string(
        "out", "nearest.png", "The PNG file of the picture and those found."
    )


def main() -> int:
    """Searches, and prints what was found; returns the exit status."""
    from infogan_jax.trained import similar

    workdir, given = program.run_directory(), flags.FLAGS
    if not given.image:
        raise UserError("--image is missing; name a picture.")
    print(
        similar.find_similar(workdir, given.image, given.images, given.count, given.out)
    )
    return 0
