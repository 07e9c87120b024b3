"""Quality of the generated images, and the share of each class among them.

Images are compared in the features of a small classifier that is trained on the labels
of the data: Inception's features are made for photographs. The names of the measures
say so, because the distances cannot be compared with an FID.
"""

import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.classifier import train_classifier
from infogan_jax.analysis.metrics import sample_quality
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel, subset

MIN_IMAGES = 10  # every image needs five neighbours
IMAGES_PER_FEATURE = 10
"""The least number of images for each feature with which a Frechet distance is given.

With fewer, its bias is larger than what it measures: two samples of 100 images from one
normal distribution of 128 features are about 86 apart.
"""


def measure(model: TrainedModel) -> Section:
    """Measures distances to real images, and shares of generated classes.

    The classifier has seen the training images, and its features of those may differ
    from those of any other image. So the held-out images are a second reference. The
    classifier's own accuracy shows how far its predictions can be trusted.
    """
    train, test = model.train, model.test
    if train.labels is None:
        return Section(left_out="there are no labels to train a classifier on")
    names, classes = np.unique(train.labels, return_inverse=True)
    if len(names) < 2:
        return Section(left_out="all training images have the same label")
    count = min(len(train.images), len(model.generated.images))
    if count < MIN_IMAGES:
        return Section(left_out=f"there are only {count} images to compare")
    classifier = train_classifier(train.images, classes, model.seed)
    real, generated = subset(train, count).images, model.generated.images[:count]
    features = classifier.features(real), classifier.features(generated)
    suffix = f"{_short(count)}_{model.data_name}_classifier"
    real_shares, generated_shares = (
        sample_quality.class_shares(each, len(names))
        for each in (classes, classifier.predict(generated))
    )
    measures = distances(*features, f"{count} training", suffix)
    measures |= class_measures(generated_shares, count, suffix)
    held_out = subset(test, count).images
    if model.test_is_held_out and len(held_out) >= MIN_IMAGES:
        number = len(held_out)
        measures |= distances(
            classifier.features(held_out),
            features[1][:number],
            f"{number} held-out",
            f"{_short(number)}_held_out_{model.data_name}_classifier",
        )
    if test.labels is not None:
        is_right = names[classifier.predict(test.images)] == test.labels
        measures[f"accuracy_{model.data_name}_classifier"] = Measure(
            float(np.mean(is_right)),
            "share",
            f"accuracy of the classifier, trained on {model.train_description} and "
            f"their labels, on {model.test_description}",
        )
    table = class_table(real_shares, generated_shares, names)
    return Section(measures, {"classes": table})


def _short(count: int) -> str:
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)


def distances(
    real: Float[np.ndarray, "n features"],
    generated: Float[np.ndarray, "n features"],
    reference: str,
    suffix: str,
) -> Measures:
    """Returns distances of features, precision, recall, density and coverage.

    The Frechet distance is left out if there are fewer than 10 images for a feature.

    Args:
      real: features of real images.
      generated: features of as many generated images.
      reference: the real images in words, such as `10000 training`.
      suffix: of every name: the number of images, and whose features.
    """
    precision, recall = sample_quality.precision_recall(real, generated)
    density, coverage = sample_quality.density_coverage(real, generated)
    found = {
        "kernel_distance": (
            sample_quality.kernel_distance(real, generated),
            "index",
            "unbiased squared distance with a cubic kernel (as KID)",
        ),
        "precision": (precision, "share", "generated images in a real ball, k = 3"),
        "recall": (recall, "share", "real images in a generated ball, k = 3"),
        "density": (density, "index", "real balls per generated image, over k = 5"),
        "coverage": (coverage, "share", "real balls with a generated image, k = 5"),
    }
    if len(real) >= IMAGES_PER_FEATURE * real.shape[1]:
        found["frechet"] = (
            sample_quality.frechet_distance(real, generated),
            "feature^2",
            "squared Frechet distance of two Gaussians",
        )
    images = f"{reference} and as many generated images"
    return {
        f"{kind}_{suffix}": Measure(
            value, unit, f"{how}, {images}, features of a classifier of the labels"
        )
        for kind, (value, unit, how) in found.items()
    }


def class_measures(
    shares: Float[np.ndarray, "classes"], count: int, suffix: str
) -> Measures:
    """Returns the share of classes found, and the divergence from equal shares."""
    images = (
        f"classes of {count} generated images, predicted by a classifier of the labels"
    )
    return {
        f"classes_found_{suffix}": Measure(
            sample_quality.classes_found(shares),
            "share",
            f"{images}; a class is found if it has at least a tenth of an equal share",
        ),
        f"class_divergence_{suffix}": Measure(
            sample_quality.class_divergence(shares),
            "nat",
            f"KL from equal shares, {images}",
        ),
    }


def class_table(
    real: Float[np.ndarray, "classes"],
    generated: Float[np.ndarray, "classes"],
    names: Int[np.ndarray, "classes"],
) -> Table:
    """Returns the share of each class among real and among generated images."""
    values = np.stack([real, generated])
    return Table(
        "The share of each class among training images, by their labels, and among "
        "generated images, as predicted by the classifier.",
        ("real", "generated"),
        tuple(map(str, names)),
        values,
        values / values.max(),
    )
