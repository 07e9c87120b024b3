"""Ranks settings over seeds: `--vary="objective.noise_sd=0|0.1" --seeds=3`."""

from absl import flags
from ml_collections import config_flags

from infogan_jax.commands import program


def define_flags() -> None:
    """Defines the flags."""
    config_flags.DEFINE_config_file(
        "config", program.DEFAULT_CONFIG, "The experiment; its seed is the first."
    )
    flags.DEFINE_string(
        "workdir",
        None,
        "Where the runs go; runs/<name of the config>_search if not given.",
    )
    flags.DEFINE_multi_string(
        "vary",
        [],
        "A field and its values, FIELD=VALUE|VALUE; given again, another field. All "
        "combinations are tried.",
    )
    flags.DEFINE_integer("seeds", 2, "How many for each setting.")
    flags.DEFINE_bool("quick", False, "Information, classes and pictures only.")
    flags.DEFINE_bool("accept_data", False, program.ACCEPT_DATA)


def main() -> int:
    """Trains all settings, or goes on with them; returns the exit status."""
    from infogan_jax.several import search

    config, given = program.config(), flags.FLAGS
    return search.run(
        config,
        program.workdir(given.workdir, f"runs/{config.get('name')}_search"),
        given.vary,
        given.seeds,
        quick=given.quick,
        accept_data=given.accept_data,
    )
