"""Evaluates a run: `python eval.py --workdir=runs/digits`."""

from pathlib import Path

from absl import flags

from infogan_jax import command_line

WORKDIR = flags.DEFINE_string("workdir", None, "The run directory of train.py.")


def main() -> int:
    """Evaluates and prints the table; returns the exit status."""
    from infogan_jax import evaluation
    from infogan_jax.errors import UserError

    if WORKDIR.value is None:
        raise UserError("--workdir is missing; name the run directory of train.py.")
    print(evaluation.evaluate(Path(WORKDIR.value)))
    return 0


if __name__ == "__main__":
    command_line.run(main)
