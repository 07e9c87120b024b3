"""A run directory, or a folder that was exported -> a trained InfoGAN (`infogan`)."""

from pathlib import Path

from flax.traverse_util import flatten_dict, unflatten_dict

from infogan_jax.data.rendering import Rules
from infogan_jax.errors import UserError
from infogan_jax.experiment import NO_EXTENSIONS, Experiment, Extensions
from infogan_jax.game.state import TrainState, state_shapes
from infogan_jax.model.networks import Variables
from infogan_jax.restoring import described, restore
from infogan_jax.run import code_names, data_record
from infogan_jax.run.run_directory import CONFIG
from infogan_jax.trained.infogan import InfoGAN

EXPORTED = "model.safetensors"
"""The parameters in a folder that was exported; it stands for the checkpoints."""


def load(run: str | Path, extensions: Extensions = NO_EXTENSIONS) -> InfoGAN:
    """Returns the InfoGAN of a run, from its newest whole checkpoint.

    Args:
      run: the run directory, or a folder with `model.safetensors` that `infogan export`
        has written.
      extensions: those with which the run was trained.

    Raises:
      UserError: where it holds no run, or no whole parameters.
    """
    workdir = Path(run)
    if (workdir / EXPORTED).is_file():
        return _load_exported(workdir)
    exp, state = restore(workdir, extensions=extensions)
    return from_state(workdir, exp, state)


def from_state(workdir: Path, exp: Experiment, state: TrainState) -> InfoGAN:
    """Returns the InfoGAN of a run whose experiment and state are restored already."""
    return _make(
        workdir, exp, int(state.step), state.params, state.stats, state.sampling
    )


def _load_exported(workdir: Path) -> InfoGAN:
    """Returns the InfoGAN of an exported folder; G is that for sampling."""
    exp, path = described(workdir), workdir / EXPORTED
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise UserError(
            f"{path} needs the package safetensors; install it with pip."
        ) from error
    try:
        with safe_open(path, framework="np") as file:
            flat = {name: file.get_tensor(name) for name in file.keys()}
            step = int(file.metadata()["step"])
    except Exception as error:  # safetensors has errors of its own
        raise UserError(f"{path} is damaged ({error}); restore a copy.") from error
    shapes = state_shapes(exp.algorithm)
    like = flatten_dict({"params": shapes.params, "stats": shapes.stats}, sep="/")
    for name, array in like.items():
        if name not in flat or flat[name].shape != array.shape:
            raise UserError(
                f"{path} does not fit {workdir / CONFIG}: {name} is missing or has "
                "another shape; restore a copy of both."
            )
    trees = unflatten_dict({name: flat[name] for name in like}, sep="/")
    params, stats = trees["params"], trees.get("stats", {})
    stats = {name: stats.get(name, {}) for name in params}
    return _make(workdir, exp, step, params, stats, (params, stats))


def _make(
    workdir: Path,
    exp: Experiment,
    step: int,
    params: Variables,
    stats: Variables,
    sampling: tuple[Variables, Variables],
) -> InfoGAN:
    spec = exp.algorithm.spec
    names = code_names.read_names(workdir, spec.codes)
    return InfoGAN(
        workdir,
        exp.config,
        step,
        spec,
        exp.algorithm.nets,
        params,
        stats,
        sampling,
        names,
        _rules(workdir, exp),
    )


def _rules(workdir: Path, exp: Experiment) -> Rules:
    """Returns the recorded rules, or those of the config where none are recorded."""
    recorded = data_record.read(workdir).get("rules")
    try:
        return Rules.from_record(recorded) if recorded else Rules(exp.crop)
    except (TypeError, AttributeError) as error:
        raise UserError(
            f"{workdir / data_record.RECORD} has rules that are none ({error}); "
            "restore a copy."
        ) from error
