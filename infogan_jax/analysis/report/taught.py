"""What Q or D has learned from labels in training, on held-out images."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped

from infogan_jax.analysis import encode
from infogan_jax.analysis.report.section import Measure, Measures
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.game.labels import taught_code
from infogan_jax.model import latents

ACCURACY, ERROR = "taught_accuracy_test", "class_error_test"


def measures(model: TrainedModel) -> Measures:
    """Returns the accuracy of Q's categories, or D's error; nothing without labels.

    A category is right where it has the number of the class. Nothing is matched.
    """
    few, labels = model.labelled, model.test.labels
    if few is None or labels is None:
        return {}
    count, classes = few.classes.shape
    of = f"{count} training labels, {count // classes} of each class"
    if model.algorithm.game.classes:
        wrong = model.test_outputs.logits.argmax(axis=1) != labels
        protocol = (
            f"share of {model.test_description} that D takes for another class; D "
            f"learned from {of}"
        )
        return {ERROR: Measure(float(np.mean(wrong)), "share", protocol)}
    right = _categories(model, classes) == labels
    protocol = (
        f"share of {model.test_description} whose category has the number of their "
        f"class, without any matching; Q learned from {of}"
    )
    return {ACCURACY: Measure(float(np.mean(right)), "share", protocol)}


def _categories(model: TrainedModel, classes: int) -> Shaped[np.ndarray, "n"]:
    """Returns Q's most probable category of the taught code for held-out images."""
    code = taught_code(model.spec, classes)
    assert code is not None
    posterior = latents.posterior(model.spec, jnp.asarray(model.test_outputs.outputs))
    return encode.predictions(posterior)[code.name]
