"""How well a categorical code agrees with classes that no part of training saw."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.metrics import clustering
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec, Normal

Labels = Int[np.ndarray, "n"]
Train = tuple[Int[np.ndarray, "train"], Int[np.ndarray, "train"]]
Test = tuple[Int[np.ndarray, "test"], Int[np.ndarray, "test"]]
"""The categories of some images, and their labels."""


def measure(model: TrainedModel) -> Section:
    """Agreement with the labels of held-out images, and the table of confusion.

    Of several categorical codes the one that agrees best with the labels of the
    training images is measured; all names then begin with `best_of_<codes>_`.
    """
    known, wanted = model.train.labels, model.test.labels
    if known is None or wanted is None:
        return Section(left_out="the images have no labels")
    if len(np.union1d(known, wanted)) < 2:
        return Section(left_out="all images have the same label")
    found = categories(model.spec, model.train_outputs.outputs)
    if not found:
        return Section(left_out="no code is categorical")
    code = best_code(model.spec, found, known)
    train = found[code.name], known
    test = categories(model.spec, model.test_outputs.outputs)[code.name], wanted
    prefix, chosen = "", ""
    if len(found) > 1:
        prefix = f"best_of_{len(found)}_"
        chosen = (
            f", of {len(found)} codes the best on the labels of {model.train_images}"
        )
    agreed = {
        prefix + name: Measure(each.value, each.unit, each.protocol + chosen)
        for name, each in agreement(code, train, test).items()
    }
    return Section(agreed, {"confusion": confusion(code, train, test)})


def categories(
    spec: LatentSpec, outputs: Float[np.ndarray, "n outputs"]
) -> dict[str, Labels]:
    """The most probable category of each image, for each categorical code."""
    posterior = latents.posterior(spec, jnp.asarray(outputs))
    return {
        name: np.asarray(read.logits).argmax(axis=-1)
        for name, read in posterior.items()
        if not isinstance(read, Normal)
    }


def best_code(spec: LatentSpec, found: dict[str, Labels], labels: Labels) -> Code:
    """The categorical code whose categories agree best with the labels."""

    def agreeing(code: Code) -> float:
        table = contingency(code, found[code.name], labels)
        return clustering.accuracy(found[code.name], labels, clustering.match(table))

    return max((code for code in spec.codes if code.name in found), key=agreeing)


def contingency(
    code: Code, found: Labels, labels: Labels
) -> Int[np.ndarray, "categories classes"]:
    """How many images fall into each pair of category and class."""
    return clustering.contingency(found, labels, code.size, int(labels.max()) + 1)


def agreement(code: Code, train: Train, test: Test) -> Measures:
    """How well a categorical code agrees with classes on held-out images.

    Args:
      code: the categorical code.
      train: its categories of the training images, and their labels.
      test: the same of the held-out images.
    """
    known = clustering.match(contingency(code, *train))
    rematched = clustering.match(contingency(code, *test))
    of = f"{code.name} of {len(test[0])} held-out images"
    hungarian = "matched one to one (Hungarian) on the"
    return {
        "accuracy_test": Measure(
            clustering.accuracy(*test, known),
            "share",
            f"{of}, {hungarian} labels of the {len(train[0])} training images",
        ),
        "accuracy_test_rematched": Measure(
            clustering.accuracy(*test, rematched),
            "share",
            f"{of}, {hungarian} held-out labels themselves, as the literature does",
        ),
        "accuracy_train": Measure(
            clustering.accuracy(*train, known),
            "share",
            f"{code.name} of {len(train[0])} training images, {hungarian} same labels",
        ),
        "purity_test": Measure(
            clustering.purity(*test),
            "share",
            f"{of}, those in the most frequent class of their category",
        ),
        "nmi_test": Measure(
            clustering.nmi(*test), "share", f"{of}, arithmetic normalisation"
        ),
        "ari_test": Measure(clustering.ari(*test), "index", of),
    }


def confusion(code: Code, train: Train, test: Test) -> Table:
    """Held-out images by category and class, categories ordered by their match.

    The match is that of the training images; shades are shares of a class.
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
        f"Held-out images by category of {code.name} → the class it is matched to on "
        "training labels (rows) and by class (columns).",
        tuple(names),
        tuple(map(str, range(counts.shape[1]))),
        counts[order],
        shares[order],
    )
