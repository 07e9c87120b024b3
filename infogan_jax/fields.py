"""Every field of a config: its default, what it must be, and what it means.

Where the paper has one value for all of its experiments, it is the default.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from infogan_jax.data.dataset import parse_range
from infogan_jax.data.sources.catalog import SOURCES
from infogan_jax.run.tracker_names import TRACKERS, parse_trackers
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


def _is_range(value: Any) -> bool:
    try:
        return type(value) is str and (parse_range(value) is None or True)
    except ValueError:
        return False


def _are_trackers(value: Any) -> bool:
    try:
        return type(value) is str and parse_trackers(value) is not None
    except ValueError:
        return False


RANGE = Rule(_is_range, 'empty, or two numbers, the lower first, such as "0 4095"')
TRACKER_NAMES = Rule(_are_trackers, f"empty, or names of {', '.join(TRACKERS)}")

FIELDS = {
    "name": Field("experiment", NAME, "of the run, whose directory is `runs/NAME`"),
    "seed": Field(0, whole(0, 2**32 - 1), "root of all randomness of the run"),
    "data.source": Field(
        "tfds",
        choice(SOURCES),
        "`digits` (in the package), `tfds` (any image data set of TensorFlow "
        "Datasets), `folder`, `npz`, `heads`, `seats`, `sprites`, `gaussians` (drawn "
        "here), or `stacked` (digits in three colours)",
    ),
    "data.name": Field(
        "",
        TEXT,
        "name of a tfds data set, such as `mnist`; `small`: a few of the images that "
        "are drawn here; `10` or `10-3`: ten Gaussians, at the places number 3",
    ),
    "data.directory": Field(
        "",
        TEXT,
        "folder, npz file, or where data that is downloaded or drawn is kept; empty: "
        "default",
    ),
    "data.crop": Field(0, whole(0, 4096), "central square to cut out, pixels; 0: none"),
    "data.size": Field(0, whole(0, 1024), "side to resize to, pixels; 0: as it is"),
    "data.fit": Field(
        "crop",
        choice(("crop", "pad", "squash")),
        "what makes an image square for `size`: the central square, a border, or "
        "another aspect ratio",
    ),
    "data.channels": Field(0, choice((0, 1, 3)), "1: gray; 3: colour; 0: as it is"),
    "data.background": Field(
        "auto",
        choice(("auto", "black", "gray", "white")),
        "under transparency, and the border of `fit`; auto: what hides the fewest "
        "images, black without transparency",
    ),
    "data.range": Field(
        "",
        RANGE,
        'values that become black and white, such as `"0 4095"`; empty: of 8-bit '
        "images 0 and 255 (of masks of 0 and 1 these), of others what the data uses",
    ),
    "data.labels": Field(
        False,
        FLAG,
        "whether a folder has labels: its first level, or a CSV file with the columns "
        "`file` and `label`",
    ),
    "data.held_out": Field(
        0.1, number(0, 0.9, above=True), "share held out where there is no test split"
    ),
    "data.unreadable": Field(
        0.05,
        number(0, 1),
        "largest share of files of a folder that are left out as unreadable, if that "
        "is more than 10",
    ),
    "data.most_pixels": Field(
        64_000_000, whole(1), "an image file of more pixels counts as unreadable"
    ),
    "data.cache": Field(
        "", TEXT, "where prepared images are kept; empty: the user's cache directory"
    ),
    "data.stream": Field(False, FLAG, "gather batches on the host, not the device"),
    "data.batch_size": Field(128, whole(2), "images a step, over all devices"),
    "latents.codes": Field(
        "categorical(10), 2 x uniform @ 0.1",
        TEXT,
        "`[COUNT x ][NAME=]KIND[(SIZE)][ @ LAMBDA][ in PARENT], ...`, with a KIND of "
        "`categorical`, `uniform` (U(-1, 1)), `gaussian` (N(0, 1)) or `angle` (radians "
        "on a circle); LAMBDA is 1 if not given; PARENT is the name of an earlier "
        "categorical code within whose categories this one exists; empty: a plain GAN",
    ),
    "latents.noise_size": Field(
        128, whole(0), "number of noise variables z; 0: G gets codes alone"
    ),
    "latents.noise_kind": Field(
        "uniform", choice(("uniform", "gaussian")), "distribution of the noise"
    ),
    "latents.fixed_sd": Field(
        0.0, number(0), "standard deviation of Q for continuous codes; 0: Q learns it"
    ),
    "latents.sd_floor": Field(
        0.1, number(0, above=True), "least standard deviation that Q can learn"
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
        "float32", choice(("float32", "bfloat16")), "type of the activations"
    ),
    "objective.game": Field(
        "non_saturating",
        TEXT,
        "what D and G play: `non_saturating` (the paper's), `saturating`, `hinge`, "
        "`least_squares`, `jensen_shannon` or `jensen_shannon(SHARE)`, `kl`, "
        "`reverse_kl`, `pearson`, `squared_hellinger`, `total_variation`, "
        "`wasserstein`, `mmd_gaussian`, `mmd_rational_quadratic`, `moment_matching`, "
        "`classes(K)` (K classes and labels), `none` (no D, for `info_vae`), or one of "
        "your own",
    ),
    "objective.r1_weight": Field(
        0.0, number(0), "weight of the gradient penalty R1 on real images; 0: off"
    ),
    "objective.info_to_generator": Field(True, FLAG, "whether G maximises L_I"),
    "objective.info_to_trunk": Field(True, FLAG, "whether L_I moves the shared trunk"),
    "objective.real_label": Field(
        1.0, number(0.5, 1, above=True), "D's target for real images; below 1: smoothed"
    ),
    "objective.noise_sd": Field(
        0.0,
        number(0),
        "sd of the noise on images, whose range is 1 for sigmoid and 2 for tanh",
    ),
    "objective.noise_anneal_steps": Field(
        0, whole(0), "steps in which that noise falls to 0; 0: it stays"
    ),
    "labels.count": Field(
        0,
        whole(0),
        "training images whose labels training uses, as many of each class, drawn by "
        "the seed; 0: none",
    ),
    "labels.weight": Field(
        1.0,
        number(0, above=True),
        "weight of the log probability of their classes: by D in the game `classes`, "
        "by Q otherwise",
    ),
    "real_information.weight": Field(
        0.0, number(0), "weight of the bound of categories on real images; 0: off"
    ),
    "real_information.temperature": Field(
        0.5,
        number(0, 1, above=True),
        "temperature at which it draws a category from Q",
    ),
    "real_information.change_weight": Field(
        0.0, number(0), "weight of the bound on how T changes a continuous code; 0: off"
    ),
    "real_information.parity_weight": Field(
        0.0,
        number(0),
        "weight by which continuous codes of real images are even or odd in a mirror; "
        "0: off",
    ),
    "real_information.odd_codes": Field(
        0, whole(0), "how many of them, the last ones, change their sign in a mirror"
    ),
    "real_information.rotation": Field(
        0.0, number(0, 45), "largest rotation by T, in degrees"
    ),
    "real_information.shear": Field(0.0, number(0, 1), "largest shear by T, a slope"),
    "real_information.scale": Field(
        0.0, number(0, 1), "largest scaling by T, logarithm"
    ),
    "real_information.stroke": Field(0.0, number(0, 1), "stroke change by T, pixels"),
    "real_information.shift": Field(0.0, number(0, 0.5), "largest shift by T, share"),
    "real_information.contrast": Field(
        0.0, number(0, 2), "largest change of contrast by T, logarithm"
    ),
    "real_information.brightness": Field(
        0.0, number(0, 1), "largest change of brightness by T, share of the range"
    ),
    "real_information.tint": Field(
        0.0, number(0, 1), "largest change of each channel by T, share of the range"
    ),
    "real_information.shading": Field(
        0.0,
        number(0, 1),
        "largest change of brightness by T from the middle to an edge, share of the "
        "range",
    ),
    "real_information.invert": Field(
        False, FLAG, "whether T exchanges dark and light in every second image"
    ),
    "contrastive.weight": Field(
        0.0,
        number(0),
        "weight in G of the bound on which code two images share (InfoGAN-CR); 0: off",
    ),
    "contrastive.from_step": Field(
        0, whole(0), "step with which it begins; before, it costs nothing"
    ),
    "contrastive.gap": Field(
        0.0, number(0, 0.99), "least distance of the codes that differ in a pair"
    ),
    "contrastive.network": Field(
        "",
        TEXT,
        "layers of H, which sees the pair, before its last linear map; empty: those of "
        "`networks.trunk`",
    ),
    "info_vae.sd": Field(
        0.0,
        number(0),
        "standard deviation of a pixel around the image that G decodes from the codes "
        "of a real one, in the units of the images; 0: off",
    ),
    "info_vae.mmd_weight": Field(
        0.0,
        number(0),
        "weight of MMD^2 of the codes of real images and their prior, nats; 0: off",
    ),
    "info_vae.kl_weight": Field(
        0.0,
        number(0),
        "weight of KL(Q(c | x), P(c)) of real images; 1 without MMD: a VAE; 0: off",
    ),
    "optimiser.discriminator_learning_rate": Field(
        2e-4, number(0, above=True), "learning rate of Adam for D and Q"
    ),
    "optimiser.generator_learning_rate": Field(
        1e-3, number(0, above=True), "learning rate of Adam for G"
    ),
    "optimiser.beta1": Field(0.5, number(0, 0.9999), "decay of Adam's mean"),
    "optimiser.beta2": Field(0.999, number(0, 0.999999), "decay of Adam's square"),
    "optimiser.clip_norm": Field(
        0.0, number(0), "largest norm of a player's gradient, before Adam; 0: any"
    ),
    "optimiser.history_weight": Field(
        0.0,
        number(0),
        "weight of a player's squared distance from the mean of its past parameters; "
        "0: off",
    ),
    "optimiser.warmup_steps": Field(
        0, whole(0), "steps in which the learning rates rise from 0; 0: none"
    ),
    "optimiser.decay_steps": Field(
        0,
        whole(0),
        "steps after the warm-up in which the rates fall to 0 by a cosine; 0: they "
        "stay. A run that is to grow needs them to stay",
    ),
    "optimiser.average_decay": Field(
        0.0,
        number(0, 0.999999),
        "decay of G's average, which makes the pictures; 0: off",
    ),
    "training.steps": Field(20_000, whole(1), "steps of the run; it may grow later"),
    "training.steps_per_call": Field(
        25,
        whole(1),
        "steps in one compiled call; `steps` and `..._every` are multiples of it",
    ),
    "training.log_every": Field(100, whole(1), "steps between lines of the log"),
    "training.picture_every": Field(1000, whole(1), "steps between pictures"),
    "training.checkpoint_every": Field(1000, whole(1), "steps between checkpoints"),
    "training.trackers": Field(
        "",
        TRACKER_NAMES,
        "trackers beside TensorBoard, with commas between: `wandb`, `mlflow`; they may "
        "change from call to call",
    ),
    "evaluation.samples": Field(
        10_000, whole(100, 10**6), "images that an evaluation generates"
    ),
}
"""By dotted name. T is the transformation of the bounds on real images."""

RULES = {name: field.rule for name, field in FIELDS.items()}
DEFAULTS = {name: field.default for name, field in FIELDS.items()}
"""They stand for the fields that a run of an earlier version has not recorded."""


def with_defaults(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a recorded config with defaults for fields that are newer than it."""
    config = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in recorded.items()
    }
    for field, default in DEFAULTS.items():
        group, _, last = field.rpartition(".")
        place = config.setdefault(group, {}) if group else config
        if isinstance(place, dict):  # what is not will be refused
            place.setdefault(last, default)
    return config
