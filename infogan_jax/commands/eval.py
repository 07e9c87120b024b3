"""Evaluates a run, or encodes images: `--workdir=runs/digits`."""

from absl import flags

from infogan_jax.commands import program
from infogan_jax.errors import UserError

TEXTS = {
    "workdir": "A run directory that training has written.",
    "encode": "Write the codes of images to this .npz or .csv file instead.",
    "data": "Where the run's data lies now, if it was moved since the training.",
    "images": "With --encode: a folder of pictures, not the run's own data.",
}


def define_flags() -> None:
    """Defines the flags."""
    for name, text in TEXTS.items():
        flags.DEFINE_string(name, None, text)
    flags.DEFINE_bool("quick", False, "Information, classes and pictures only.")


def main() -> int:
    """Evaluates or encodes, and prints what came of it; returns the exit status."""
    text, out, data, images = (flags.FLAGS[name].value for name in TEXTS)
    if text is None:
        raise UserError("--workdir is missing; name the directory of a run.")
    workdir = program.workdir(text, "")
    if images is not None and out is None:
        raise UserError(f"--images (={images}) needs --encode; name the file to write.")
    if data is not None and out is not None:
        raise UserError(
            f"--data (={data}) is for an evaluation; with --encode name a folder of "
            "pictures by --images, or train.py's --config.data.directory moves the run."
        )
    if out is not None:
        from infogan_jax.trained import encoding

        print(encoding.encode_images(workdir, out, images))
    else:
        from infogan_jax import evaluation

        print(evaluation.evaluate(workdir, quick=flags.FLAGS.quick, data=data or ""))
    return 0
