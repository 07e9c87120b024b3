"""Adds generators where modes are missing (AdaGAN): `--config=stacked --rounds=5`."""

from absl import flags
from ml_collections import config_flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    config_flags.DEFINE_config_file(
        "config",
        program.DEFAULT_CONFIG,
        "The experiment that each component is; its seed is that of the first.",
    )
    flags.DEFINE_string(
        "workdir",
        None,
        "Where the runs go; runs/<name of the config>_boost if not given.",
    )
    flags.DEFINE_integer("rounds", 5, "How many components.")
    flags.DEFINE_float(
        "beta",
        None,
        "The share of each new component; if not given, 1/t for component t, which "
        "gives all of them equal shares.",
    )
    flags.DEFINE_bool(
        "reweight",
        True,
        "Whether the later components learn most where the mixture misses the data; "
        "--noreweight gives an ensemble of seeds, with which to compare.",
    )


def main() -> int:
    """Trains the components, or goes on with them; returns the exit status."""
    from infogan_jax.several import boosting

    config, given = program.config(), flags.FLAGS
    workdir = program.workdir(given.workdir, f"runs/{config.get('name')}_boost")
    return boosting.run(
        config, workdir, given.rounds, beta=given.beta, reweight=given.reweight
    )
