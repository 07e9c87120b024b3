"""Trains and evaluates one of several runs; its config is JSON on standard input.

`side_by_side` starts it, with a core of its own.
"""

import json
import os
import sys

from absl import flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    program.define_workdir()
    flags.DEFINE_integer("core", -1, "The only core to run on; -1: any.")
    flags.DEFINE_bool("quick", False, "Information, classes and pictures only.")
    flags.DEFINE_bool("accept_data", False, program.ACCEPT_DATA)


def main() -> int:
    """Trains the run and evaluates it; returns the status of the training."""
    given = flags.FLAGS
    if given.core >= 0 and sys.platform == "linux":
        os.sched_setaffinity(0, {given.core})
    from infogan_jax import evaluation, training

    workdir, config = program.run_directory(), json.load(sys.stdin)
    if status := training.train(config, workdir, accept_data=given.accept_data):
        return status
    if not evaluation.is_done(workdir, config["training"]["steps"], quick=given.quick):
        evaluation.evaluate(workdir, quick=given.quick)
    return 0


if __name__ == "__main__":
    program.run(define_flags, main)
