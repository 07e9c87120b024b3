"""Trains an InfoGAN, or goes on with a run: `--config=mnist`."""

from absl import flags
from ml_collections import config_flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    config_flags.DEFINE_config_file(
        "config",
        program.DEFAULT_CONFIG,
        "The experiment; any field is a flag: --config.seed=1.",
    )
    flags.DEFINE_string(
        "workdir", None, "The run directory; runs/<name of the config> if not given."
    )
    flags.DEFINE_string(
        "init_from",
        None,
        "A run of the same networks and codes, whose parameters a new run begins with.",
    )
    flags.DEFINE_bool("accept_data", False, program.ACCEPT_DATA)


def main() -> int:
    """Trains, or goes on with a run; returns the exit status."""
    config = program.config()
    workdir = program.workdir(flags.FLAGS.workdir, f"runs/{config.get('name')}")
    given = flags.FLAGS
    source = given.init_from
    if source is not None:
        source = program.workdir(source, "", "--init_from")
    from infogan_jax import training

    return training.train(
        config, workdir, accept_data=given.accept_data, init_from=source
    )
