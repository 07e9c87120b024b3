"""Evaluates a run: `python eval.py --workdir=runs/digits`."""

from pathlib import Path

from absl import flags

from infogan_jax import command_line
from infogan_jax.errors import UserError


def define() -> None:
    """Defines the flag."""
    flags.DEFINE_string("workdir", None, "The run directory of train.py.")


def main() -> int:
    """Evaluates and prints the table; returns the exit status."""
    from infogan_jax import evaluation

    if flags.FLAGS.workdir is None:
        raise UserError("--workdir is missing; name the run directory of train.py.")
    print(evaluation.evaluate(Path(flags.FLAGS.workdir)))
    return 0


if __name__ == "__main__":
    command_line.run(define, main)
