"""The story of an evaluation: restore, measure, draw, record."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from infogan_jax import (
    experiment,
    measures,
    parallel,
    pictures,
    run_directory,
    traversals,
)
from infogan_jax.checkpoints import Checkpoints
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.measures import Measures
from infogan_jax.metrics import clustering
from infogan_jax.state import TrainState
from infogan_jax.training import CHECKPOINTS

EVALUATION = "evaluation"


def evaluate(workdir: Path) -> str:
    """Evaluates the newest checkpoint of a run; needs nothing but its directory.

    Writes `evaluation.json` and the pictures in `evaluation/`.

    Returns:
      A table of every measure, for the terminal.

    Raises:
      UserError: where the directory holds no run, or no checkpoint.
    """
    parallel.keep_compiled_programs()
    exp = experiment.build(run_directory.read_config(workdir))
    state = _restore(exp, workdir)
    algorithm, samples = exp.algorithm, exp.flat["evaluation.samples"]
    measured = {
        **measures.mi_bounds(algorithm, state, exp.seed, samples),
        **measures.gan_bound(algorithm, state, exp.seed, exp.dataset.test.images),
        **_clustering(exp, state, workdir / EVALUATION),
    }
    grids = traversals.pictures(
        algorithm.spec, algorithm.nets, state.sampling_params, state.stats, exp.seed
    )
    for name, picture in grids.items():
        pictures.write_png(workdir / EVALUATION / f"{name}.png", picture)
    run = {"name": exp.config["name"], "seed": exp.seed, "step": int(state.step)}
    run_directory.write_json(
        workdir / "evaluation.json",
        {"metrics": {name: asdict(m) for name, m in measured.items()}, "run": run},
    )
    return _table(run, measured, workdir)


def _restore(exp: Experiment, workdir: Path) -> TrainState:
    directory = workdir / CHECKPOINTS
    if not directory.is_dir():
        raise UserError(f"{directory} does not exist; run train.py first.")
    with Checkpoints(directory, read_only=True) as checkpoints:
        state = checkpoints.restore_newest(exp.first_state())
    if state is None:
        raise UserError(f"{directory} holds no checkpoint; run train.py for longer.")
    return state


def _clustering(exp: Experiment, state: TrainState, directory: Path) -> Measures:
    """Agreement of a categorical code with labels, where there are both."""
    train, test = exp.dataset.train, exp.dataset.test
    if train.labels is None or test.labels is None:
        return {}
    found = measures.categories(exp.algorithm, state, train.images)
    if not found:
        return {}
    code = measures.best_code(exp.algorithm.spec, found, train.labels)
    held_out = measures.categories(exp.algorithm, state, test.images)[code.name]
    table = measures.contingency(code, held_out, test.labels)
    matched = clustering.match(
        measures.contingency(code, found[code.name], train.labels)
    )
    pictures.write_confusion(directory / "confusion.png", table, matched, code.name)
    return measures.agreement(
        code, (found[code.name], train.labels), (held_out, test.labels)
    )


def _table(run: dict[str, Any], measured: Measures, workdir: Path) -> str:
    width = max(map(len, measured), default=0)
    rows = [
        f"  {name:<{width}}  {m.value:8.4f} {m.unit}" for name, m in measured.items()
    ]
    head = f"{run['name']}, seed {run['seed']}, step {run['step']}"
    record = f"protocols: {workdir / 'evaluation.json'}"
    return "\n".join([head, *rows, record, f"pictures: {workdir / EVALUATION}"])
