"""How good the samples are, and which classes are missing among them.

Inception's features are made for photographs. Here images are compared in the
features of a small classifier of the data's own labels, which the names of the
measures say, so that nobody takes them for an FID.
"""

import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.classifier import Classifier, train_classifier
from infogan_jax.analysis.metrics import sample_quality
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel, subset

FEWEST = 10  # images to compare with their fifth neighbours


def measure(model: TrainedModel) -> Section:
    """Distances to the training images, and the classes of generated images."""
    train = model.train
    if train.labels is None:
        return Section(left_out="there are no labels to train a classifier on")
    names, known = np.unique(train.labels, return_inverse=True)
    if len(names) < 2:
        return Section(left_out="all training images have the same label")
    count = min(len(train.images), len(model.generated.images))
    if count < FEWEST:
        return Section(left_out=f"there are only {count} images to compare")
    classifier = train_classifier(train.images, known, model.seed)
    made = model.generated.images[:count]
    real = classifier.features(subset(train, count).images)
    words = f"{count} training and as many generated images"
    name = f"{_short(count)}_{model.data}_classifier"
    shares, table = classes(classifier.predict(made), known, names)
    return Section(
        distances(real, classifier.features(made), name, words)
        | missing(shares, name, f"{count} generated images")
        | judge(model, classifier, names),
        {"classes": table},
    )


def _short(count: int) -> str:
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)


def distances(
    real: Float[np.ndarray, "n features"],
    generated: Float[np.ndarray, "n features"],
    name: str,
    words: str,
) -> Measures:
    """Frechet distance, precision, recall, density and coverage.

    Args:
      real: features of real images.
      generated: features of generated images.
      name: the end of every name: how many images, whose features.
      words: the images, in words.
    """
    precision, recall = sample_quality.precision_recall(real, generated)
    density, coverage = sample_quality.density_coverage(real, generated)
    found = {
        "frechet": (
            sample_quality.frechet_distance(real, generated),
            "feature^2",
            "squared Frechet distance of two Gaussians",
        ),
        "precision": (precision, "share", "generated within a real ball, k = 3"),
        "recall": (recall, "share", "real within a generated ball, k = 3"),
        "density": (density, "index", "real balls around a generated image, k = 5"),
        "coverage": (coverage, "share", "real balls that hold a generated one, k = 5"),
    }
    return {
        f"{kind}_{name}": Measure(
            value, unit, f"{how}, {words}, features of a classifier of the labels"
        )
        for kind, (value, unit, how) in found.items()
    }


def classes(
    predicted: Int[np.ndarray, "n"],
    known: Int[np.ndarray, "m"],
    names: Int[np.ndarray, "classes"],
) -> tuple[sample_quality.ClassShares, Table]:
    """How often each class is generated, beside how often it is real.

    Args:
      predicted: the place in `names` of the class of each generated image.
      known: the same of each training image.
      names: the labels that occur.
    """
    shares = sample_quality.class_shares(predicted, len(names))
    real = np.bincount(known, minlength=len(names)) / len(known)
    values = np.stack([real, shares.histogram])
    return shares, Table(
        "The share of each class among training images, by their labels, and among "
        "generated images, as the classifier sees them.",
        ("real", "generated"),
        tuple(map(str, names)),
        values,
        values / values.max(),
    )


def missing(shares: sample_quality.ClassShares, name: str, words: str) -> Measures:
    """How many classes are found, and how far their shares are from equal ones."""
    seen = f"classes of {words}, as a classifier of the labels sees them"
    return {
        f"classes_found_{name}": Measure(
            shares.found,
            "share",
            f"{seen}; found: with a tenth of an equal share, or more",
        ),
        f"class_divergence_{name}": Measure(
            shares.divergence, "nat", f"KL from equal shares, {seen}"
        ),
    }


def judge(
    model: TrainedModel, classifier: Classifier, names: Int[np.ndarray, "classes"]
) -> Measures:
    """The classifier's own accuracy: what its opinion is worth."""
    test = model.test
    if test.labels is None:
        return {}
    right = names[classifier.predict(test.images)] == test.labels
    return {
        f"accuracy_{model.data}_classifier": Measure(
            float(np.mean(right)),
            "share",
            f"the classifier, trained on {model.train_images} and their labels, on "
            f"{model.test_images}",
        )
    }
