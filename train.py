"""Trains an InfoGAN: `python train.py --config=configs/digits.py --workdir=...`."""

from pathlib import Path

from absl import flags
from ml_collections import config_flags

from infogan_jax import command_line

CONFIG = config_flags.DEFINE_config_file(
    "config",
    str(Path(__file__).parent / "configs" / "digits.py"),
    "The experiment; any of its fields can be set, as in --config.seed=1.",
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "The run directory; runs/<name of the config> if not given."
)


def main() -> int:
    """Trains, or goes on with a run; returns the exit status."""
    from infogan_jax import training

    config = CONFIG.value.to_dict()
    workdir = Path(WORKDIR.value or f"runs/{config.get('name')}")
    status = training.train(config, workdir)
    if status == 0:
        print(f"done: see {workdir}/pictures, then: python eval.py --workdir={workdir}")
    return status


if __name__ == "__main__":
    command_line.run(main)
