"""Agreement of a categorical code with the labels, which training does not use.

Where it has used some of them, the protocols say so, and what Q or D has learned from
them is measured too.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.metrics import clustering
from infogan_jax.analysis.report import taught
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import Categorical
from infogan_jax.model.latents import Code, LatentSpec

Labels = Int[np.ndarray, "n"]
Train = tuple[Int[np.ndarray, "train"], Int[np.ndarray, "train"]]
Test = tuple[Int[np.ndarray, "test"], Int[np.ndarray, "test"]]
"""The predicted categories of images, and their labels."""


def measure(model: TrainedModel) -> Section:
    """Measures the agreement with the labels, and returns the table of confusion.

    If there are several categorical codes, only the one with the highest accuracy on
    the training images is measured. All names then begin with `best_of_<codes>_`. Codes
    with a parent are left out: their categories are kinds within a category.
    """
    train_labels, test_labels = model.train.labels, model.test.labels
    if train_labels is None or test_labels is None:
        return Section(left_out="the images have no labels")
    if len(np.union1d(train_labels, test_labels)) < 2:
        return Section(left_out="all images have the same label")
    if len(np.unique(test_labels)) < 2:
        return Section(
            left_out=f"all {len(test_labels)} held-out images have the same label, so "
            "that every code agrees with it; a larger config.data.held_out may help"
        )
    predicted = predicted_categories(model.spec, model.train_outputs.outputs)
    learned = taught.measures(model)
    if not predicted:
        return Section(learned, left_out="no code is categorical")
    code = best_code(model.spec, predicted, train_labels)
    train = predicted[code.name], train_labels
    test_predicted = predicted_categories(model.spec, model.test_outputs.outputs)
    test = test_predicted[code.name], test_labels
    measures = agreement(code, train, test)
    prefix = note = ""
    if len(predicted) > 1:
        prefix = f"best_of_{len(predicted)}_"
        note = (
            f"; of {len(predicted)} codes this one has the highest accuracy on the "
            f"labels of {model.train_description}"
        )
    if model.labelled is not None:
        note += f"; {len(model.labelled.rows)} training labels were used in training"
    measures = {
        prefix + name: Measure(each.value, each.unit, each.protocol + note)
        for name, each in measures.items()
    }
    return Section(measures | learned, {"confusion": confusion(code, train, test)})


def predicted_categories(
    spec: LatentSpec, outputs: Float[np.ndarray, "n outputs"]
) -> dict[str, Labels]:
    """Returns the most probable category of each image, by code without a parent."""
    posterior = latents.posterior(spec, jnp.asarray(outputs))
    return {
        code.name: np.asarray(q.logits).argmax(axis=-1)
        for code in spec.roots
        if isinstance(q := posterior[code.name], Categorical)
    }


def best_code(spec: LatentSpec, predicted: dict[str, Labels], labels: Labels) -> Code:
    """Returns the categorical code with the highest accuracy after matching."""

    def accuracy(code: Code) -> float:
        categories = predicted[code.name]
        matched = clustering.match(contingency(code, categories, labels))
        return clustering.accuracy(categories, labels, matched)

    return max((code for code in spec.codes if code.name in predicted), key=accuracy)


def contingency(
    code: Code, predicted: Labels, labels: Labels
) -> Int[np.ndarray, "categories classes"]:
    """Returns the number of images in each pair of category and class."""
    return clustering.contingency(predicted, labels, code.size, int(labels.max()) + 1)


def agreement(code: Code, train: Train, test: Test) -> Measures:
    """Measures the agreement of a categorical code with the labels."""
    matched = clustering.match(contingency(code, *train))
    rematched = clustering.match(contingency(code, *test))
    images = f"{code.name} of {len(test[0])} held-out images"
    hungarian = "matched one to one (Hungarian) on the"
    largest = float(np.bincount(test[1]).max() / len(test[1]))
    beside = f"; the largest class has {largest:.4f} of them"
    return {
        "largest_class_test": Measure(
            largest,
            "share",
            f"{len(test[0])} held-out images, those of the most frequent class: the "
            "accuracy and the purity of a code that says nothing",
        ),
        "accuracy_test": Measure(
            clustering.accuracy(*test, matched),
            "share",
            f"{images}, {hungarian} labels of the {len(train[0])} training images"
            f"{beside}",
        ),
        "accuracy_test_rematched": Measure(
            clustering.accuracy(*test, rematched),
            "share",
            f"{images}, {hungarian} held-out labels themselves, as in the literature"
            f"{beside}",
        ),
        "accuracy_train": Measure(
            clustering.accuracy(*train, matched),
            "share",
            f"{code.name} of {len(train[0])} training images, {hungarian} same labels",
        ),
        "purity_test": Measure(
            clustering.purity(*test),
            "share",
            f"{images}, those in the most frequent class of their category{beside}",
        ),
        "nmi_test": Measure(
            clustering.nmi(*test),
            "share",
            f"{images}, arithmetic normalisation{beside}",
        ),
        "ari_test": Measure(clustering.ari(*test), "index", images + beside),
    }


def confusion(code: Code, train: Train, test: Test) -> Table:
    """Returns the number of held-out images by category (rows) and class (columns).

    Categories are matched to classes on the training images and ordered by the matched
    class. Shades are shares of a class.
    """
    matched = clustering.match(contingency(code, *train))
    counts = contingency(code, *test)
    order = np.argsort(np.where(matched < 0, np.inf, matched), kind="stable")
    shares = counts / np.maximum(counts.sum(axis=0, keepdims=True), 1)
    names = [
        f"{category} → {matched[category] if matched[category] >= 0 else 'none'}"
        for category in order
    ]
    return Table(
        f"Held-out images by category of {code.name} → the class to which the category "
        "is matched on training labels (rows), and by their own class (columns).",
        tuple(names),
        tuple(map(str, range(counts.shape[1]))),
        counts[order],
        shares[order],
    )
