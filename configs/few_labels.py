"""A few labels: what they teach Q, or a D of K + 1 classes (docs/few_labels.md).

    python train.py --config=configs/few_labels.py                 # digits, Q
    python train.py --config=configs/few_labels.py:digits-classes  # digits, D
    python train.py --config=configs/few_labels.py:mnist           # MNIST, Q
    python train.py --config=configs/few_labels.py:mnist-classes   # MNIST, D
    python train.py --config=configs/few_labels.py:smoke           # a few steps

100 training images have labels, 10 of each class, drawn by the seed. Where they teach
Q, category i becomes class i, and all else is the recipe of the data set (Spurr et al.
2017). Where they teach D, it tells ten classes and "generated" apart, and G matches
features of the trunk (Salimans et al. 2016, section 5). In both the learning rates end
at 0.
"""

import ml_collections

from configs import digits, mnist
from infogan_jax.default_config import check_mode

MODES = ("digits", "digits-classes", "mnist", "mnist-classes", "smoke")


def get_config(mode: str = "digits") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is one of `MODES`."""
    check_mode("few_labels", mode, MODES)
    if mode.startswith("mnist"):
        config = mnist.get_config()
    elif mode == "smoke":
        config = digits.get_config("smoke")
    else:
        config = digits.get_config()
        config.training.steps = 500
    config.name = f"few_labels_{mode.replace('-', '_')}"
    config.labels.count = 100
    config.optimiser.decay_steps = config.training.steps
    if mode.endswith("classes"):
        config.objective.game = "classes(10)"
    return config
