"""Trains and evaluates several seeds: `--config=mnist --seeds=5`."""

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
        "Where the runs go; runs/<name of the config>_seeds if not given.",
    )
    flags.DEFINE_integer("seeds", 3, "How many.")
    flags.DEFINE_string("success", "", "METRIC>=NUMBER that a good run reaches.")
    flags.DEFINE_bool("quick", False, "Information, classes and pictures only.")
    flags.DEFINE_bool(
        "together",
        None,
        "Train all seeds as one vmapped program; if not given, on an accelerator.",
    )
    flags.DEFINE_bool("accept_data", False, program.ACCEPT_DATA)


def main() -> int:
    """Trains and evaluates the seeds, or goes on with them; returns the status."""
    config, given = program.config(), flags.FLAGS
    workdir = program.workdir(given.workdir, f"runs/{config.get('name')}_seeds")
    from infogan_jax.several import seeds

    return seeds.run(
        config,
        workdir,
        given.seeds,
        success=given.success,
        quick=given.quick,
        together=given.together,
        accept_data=given.accept_data,
    )
