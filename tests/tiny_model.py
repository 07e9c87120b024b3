"""A model to measure, of which the answers are known."""

import numpy as np
from tiny import build_tiny

from infogan_jax.analysis.encode import NetworkOutputs
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data.dataset import Split
from infogan_jax.game.state import TrainState

LABELS = np.arange(120) % 3
IMAGES = np.random.default_rng(0).integers(0, 5, (120, 8, 8, 1), np.uint8)
IMAGES[np.arange(120), :, 2 * LABELS] = 255  # a class is the place of a line
LINES = Split(IMAGES, LABELS)

NOTHING = TrainState(0, 0, {}, {}, {}, {})


def build(codes="digit=categorical(3), 2 x uniform", split=LINES, **kept):
    """A model without parameters; `kept` is what it is said to have computed."""
    made = TrainedModel(build_tiny(codes), NOTHING, 0, 120, split, split, "lines")
    vars(made).update(kept)
    return made


def read(outputs, features=None):
    """What D and Q are said to make of images."""
    features = np.zeros((len(outputs), 1)) if features is None else features
    return NetworkOutputs(np.zeros(len(outputs)), np.float32(outputs), features)


def values(measures):
    """The numbers alone."""
    return {name: measure.value for name, measure in measures.items()}
