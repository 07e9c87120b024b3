"""A TrainedModel with chosen network outputs, so that its measures are known."""

import numpy as np
from tiny import build_tiny

from infogan_jax.analysis.encode import NetworkOutputs
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data.dataset import Split
from infogan_jax.game.state import TrainState

LABELS = np.arange(120) % 3
IMAGES = np.random.default_rng(0).integers(0, 5, (120, 8, 8, 1), np.uint8)
IMAGES[np.arange(120), :, 2 * LABELS] = 255  # the column of a line shows the class
SPLIT = Split(IMAGES, LABELS)

EMPTY_STATE = TrainState(0, 0, {}, {}, {}, {})


def build_model(codes="digit=categorical(3), 2 x uniform", split=SPLIT, **cached):
    """A model without parameters; `cached` replaces its cached properties."""
    model = TrainedModel(build_tiny(codes), EMPTY_STATE, 0, 120, split, split, "lines")
    vars(model).update(cached)
    return model


def network_outputs(outputs, features=None):
    """Outputs of D and Q, with logits of 0."""
    features = np.zeros((len(outputs), 1)) if features is None else features
    return NetworkOutputs(np.zeros(len(outputs)), np.float32(outputs), features)


def values(measures):
    """The numbers of measures, by name."""
    return {name: measure.value for name, measure in measures.items()}
