"""Every field of a config: its default, what it must be, and what it means.

`default_config` is the start of every file in `configs/`, which then says only what is
its own. The defaults are what the paper uses for all of its experiments.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import ml_collections
from flax.traverse_util import unflatten_dict

from infogan_jax.data.sources.catalog import SOURCES
from infogan_jax.validation import FLAG, NAME, TEXT, Rule, choice, number, whole


class Field(NamedTuple):
    """A field of a config.

    Attributes:
      default: its value in `default_config`.
      rule: what a value must be.
      meaning: in words, for docs/config.md.
    """

    default: Any
    rule: Rule
    meaning: str


FIELDS = {
    "name": Field("experiment", NAME, "name of the run; its directory is `runs/NAME`"),
    "seed": Field(0, whole(0, 2**32 - 1), "root of all randomness of the run"),
    "data.source": Field(
        "tfds",
        choice(SOURCES),
        "where the images come from: `digits` (in the package), `tfds` (any image data "
        "set of TensorFlow Datasets), `folder`, `npz`, or `sprites` (drawn here)",
    ),
    "data.name": Field("", TEXT, "of a data set of tfds, such as `mnist`"),
    "data.directory": Field(
        "",
        TEXT,
        'the folder, the npz file, or where tfds keeps its data ("": TFDS_DATA_DIR, '
        "or its own default)",
    ),
    "data.crop": Field(
        0,
        whole(0, 4096),
        "side of the central square that is cut out first, in pixels; 0: no crop",
    ),
    "data.size": Field(
        0, whole(0, 1024), "side to which images are resized, in pixels; 0: as it is"
    ),
    "data.channels": Field(
        0, choice((0, 1, 3)), "1 (gray) or 3 (colour); 0: as in the data"
    ),
    "data.labels": Field(
        False, FLAG, "whether the first level of a folder is the class"
    ),
    "data.held_out": Field(
        0.1,
        number(0, 0.9, above=True),
        "share of the images held out where the source has no test split",
    ),
    "data.stream": Field(
        False, FLAG, "gather batches on the host, for data larger than a device"
    ),
    "data.batch_size": Field(128, whole(2), "images a step, over all devices"),
    "latents.codes": Field(
        "categorical(10), 2 x uniform @ 0.1",
        TEXT,
        "the codes, `[COUNT x ][NAME=]KIND[(SIZE)][ @ LAMBDA], ...`, with a KIND of "
        "`categorical`, `uniform` (U(-1, 1)) or `gaussian` (N(0, 1)); empty: a plain "
        "GAN",
    ),
    "latents.noise_size": Field(
        128, whole(1), "number of noise variables z, which no code describes"
    ),
    "latents.noise_kind": Field(
        "uniform", choice(("uniform", "gaussian")), "distribution of the noise"
    ),
    "latents.fixed_sd": Field(
        0.0,
        number(0),
        "standard deviation of Q for continuous codes; 0: Q learns it",
    ),
    "latents.sd_floor": Field(
        0.1,
        number(0, above=True),
        "least standard deviation that Q can learn; without one the likelihood grows "
        "without bound",
    ),
    "networks.generator": Field(
        "",
        TEXT,
        "layers of G, `KIND SHAPE[ sSTRIDE][ bn][ ACTIVATION], ...`, with a KIND of "
        "`fc`, `conv` or `upconv` (4x4); the last activation, `sigmoid` or `tanh`, "
        "sets the range of the images",
    ),
    "networks.trunk": Field("", TEXT, "layers that D and Q share"),
    "networks.recognition": Field(
        "fc 128 bn lrelu", TEXT, "hidden layers of Q alone; empty: one linear map"
    ),
    "networks.lrelu_slope": Field(0.1, number(0, 1), "slope of the leaky ReLU"),
    "networks.spectral_norm": Field(False, FLAG, "spectral norm in D and Q"),
    "networks.precision": Field(
        "float32",
        choice(("float32", "bfloat16")),
        "type of the activations; parameters, statistics and losses stay float32",
    ),
    "objective.info_to_generator": Field(
        True, FLAG, "whether G maximises L_I; False: a GAN with a Q that G ignores"
    ),
    "objective.info_to_trunk": Field(
        True, FLAG, "whether L_I moves the trunk that D and Q share"
    ),
    "objective.real_label": Field(
        1.0,
        number(0.5, 1, above=True),
        "target of D for real images; below 1: one-sided label smoothing",
    ),
    "objective.noise_sd": Field(
        0.0,
        number(0),
        "standard deviation of the noise on all images that D and Q see",
    ),
    "objective.noise_anneal_steps": Field(
        0, whole(0), "steps in which that noise falls to 0; 0: it stays"
    ),
    "real_information.weight": Field(
        0.0,
        number(0),
        "beyond the paper: weight, relative to lambda, of the bound of a categorical "
        "code on real images; 0: off",
    ),
    "real_information.temperature": Field(
        0.5,
        number(0, 1, above=True),
        "temperature at which that bound draws a category from Q",
    ),
    "real_information.change_weight": Field(
        0.0,
        number(0),
        "beyond the paper: weight of the bound on how a continuous code changes under "
        "the transformation T; 0: off",
    ),
    "real_information.rotation": Field(
        0.0, number(0, 45), "largest rotation of T, in degrees, either way"
    ),
    "real_information.shear": Field(0.0, number(0, 1), "largest shear of T, a slope"),
    "real_information.scale": Field(
        0.0, number(0, 1), "largest change of width and height of T, a logarithm"
    ),
    "real_information.stroke": Field(
        0.0, number(0, 1), "largest change of strokes of T, in pixels on each side"
    ),
    "real_information.shift": Field(
        0.0, number(0, 0.5), "largest shift of T, as a share of the side"
    ),
    "optimiser.discriminator_learning_rate": Field(
        2e-4, number(0, above=True), "learning rate of D and Q (Adam)"
    ),
    "optimiser.generator_learning_rate": Field(
        1e-3, number(0, above=True), "learning rate of G (Adam)"
    ),
    "optimiser.beta1": Field(0.5, number(0, 0.9999), "of Adam, for both players"),
    "optimiser.beta2": Field(0.999, number(0, 0.999999), "of Adam, for both players"),
    "optimiser.average_decay": Field(
        0.0,
        number(0, 0.999999),
        "decay of the moving average of G, which then draws all pictures; 0: off",
    ),
    "training.steps": Field(20_000, whole(1), "steps of the run; may grow later"),
    "training.steps_per_call": Field(
        25, whole(1), "steps in one compiled call; the other numbers are multiples"
    ),
    "training.log_every": Field(100, whole(1), "steps between lines of the log"),
    "training.picture_every": Field(1000, whole(1), "steps between pictures"),
    "training.checkpoint_every": Field(1000, whole(1), "steps between checkpoints"),
    "evaluation.samples": Field(
        10_000, whole(100, 10**6), "images that an evaluation generates"
    ),
}

RULES = {name: field.rule for name, field in FIELDS.items()}


def default_config(name: str) -> ml_collections.ConfigDict:
    """Returns a config with every field at its default; new fields are refused.

    Args:
      name: of the experiment.
    """
    values = {field: each.default for field, each in FIELDS.items()} | {"name": name}
    return ml_collections.ConfigDict(unflatten_dict(values, sep=".")).lock()


def make_smoke(config: ml_collections.ConfigDict) -> None:
    """Shortens an experiment in place to a few steps, to see whether it runs."""
    config.name = f"{config.name}_smoke"
    config.training.update(
        steps=4, steps_per_call=2, log_every=2, picture_every=4, checkpoint_every=4
    )
    config.evaluation.samples = 200


def check_mode(file: str, mode: str, modes: Sequence[str]) -> None:
    """Checks what follows the colon in `--config=configs/FILE.py:MODE`.

    Raises:
      ValueError: where it is none of `modes`; it names them.
    """
    if mode not in modes:
        raise ValueError(
            f"configs/{file}.py:{mode}: the mode must be one of {', '.join(modes)}"
        )
