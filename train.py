"""Trains an InfoGAN: `python train.py --config=configs/digits.py --workdir=...`."""

from pathlib import Path

from absl import flags
from ml_collections import config_flags

from infogan_jax import command_line

DEFAULT = str(Path(__file__).parent / "configs" / "digits.py")


def define() -> None:
    """Defines the flags."""
    config_flags.DEFINE_config_file(
        "config", DEFAULT, "The experiment; any field is a flag: --config.seed=1."
    )
    flags.DEFINE_string(
        "workdir", None, "The run directory; runs/<name of the config> if not given."
    )


def main() -> int:
    """Trains, or goes on with a run; returns the exit status."""
    from infogan_jax import training

    config = command_line.config()
    workdir = flags.FLAGS.workdir or f"runs/{config.get('name')}"
    return training.train(config, Path(workdir))


if __name__ == "__main__":
    command_line.run(define, main)
