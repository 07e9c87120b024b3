"""A run directory -> its experiment and its newest whole checkpoint."""

from pathlib import Path

import jax

from infogan_jax import experiment
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.game.state import TrainState, state_shapes
from infogan_jax.machine import parallel
from infogan_jax.run import run_directory
from infogan_jax.run.checkpoints import Checkpoints


def restore(workdir: Path) -> tuple[Experiment, TrainState]:
    """Returns the experiment of a run, and the state of its newest checkpoint.

    Raises:
      UserError: where the directory holds no run, or no checkpoint.
    """
    config = run_directory.read_config(workdir)
    run_directory.refuse_links(workdir)
    exp = experiment.build(config)
    directory = workdir / run_directory.CHECKPOINTS
    if not directory.is_dir():
        raise UserError(f"{directory} does not exist; train the run first.")
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    with Checkpoints(directory, read_only=True) as checkpoints:
        like = parallel.replicated_shapes(mesh, state_shapes(exp.algorithm))
        state = checkpoints.restore_newest(like)
    if state is None:
        raise UserError(f"{directory} holds no checkpoint; train the run for longer.")
    return exp, state
