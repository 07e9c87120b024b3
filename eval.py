"""Evaluates a run: `python eval.py --workdir=runs/digits`."""

from pathlib import Path

from absl import flags

from infogan_jax import command_line
from infogan_jax.errors import UserError

TEXTS = {
    "workdir": "The run directory of train.py.",
    "encode": "Write the codes of images to this .npz or .csv file instead.",
    "images": "With --encode: a folder of pictures, not the run's own data.",
}


def define() -> None:
    """Defines the flags."""
    for name, text in TEXTS.items():
        flags.DEFINE_string(name, None, text)
    flags.DEFINE_bool("quick", False, "Information, classes and pictures only.")


def main() -> int:
    """Evaluates, or writes codes, and says what came of it; returns the status."""
    from infogan_jax import evaluation, export

    workdir, out, images = (flags.FLAGS[name].value for name in TEXTS)
    if workdir is None:
        raise UserError("--workdir is missing; name the run directory of train.py.")
    if out or images:
        print(export.export(Path(workdir), out or "", images))
    else:
        print(evaluation.evaluate(Path(workdir), quick=flags.FLAGS.quick))
    return 0


if __name__ == "__main__":
    command_line.run(define, main)
