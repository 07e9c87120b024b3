"""Evaluates a run: `python eval.py --workdir=runs/digits`."""

from infogan_jax.commands import eval, program

if __name__ == "__main__":
    program.run(eval.define_flags, eval.main)
