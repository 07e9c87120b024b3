"""Quality of the generated images, and the share of each class among them.

Images are compared in the features of small classifiers that are trained on the data
itself: Inception's features are made for photographs. One tells by how much an image
is rotated, which needs no labels; the other tells the classes, where there are labels.
The names of the measures say which, because the distances cannot be compared with an
FID, and not with each other.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis.classifier import Classifier, rotations, train_classifier
from infogan_jax.analysis.metrics import patches, sample_quality
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel, subset

MIN_IMAGES = 10  # every image needs five neighbours
IMAGES_PER_FEATURE = 10
"""The least number of images for each feature with which a Frechet distance is given.

With fewer, its bias is larger than what it measures: two samples of 100 images from one
normal distribution of 128 features are about 86 apart.
"""


MOST_FOR_PATCHES = 2048


class Space(NamedTuple):
    """The features in which images are compared.

    Attributes:
      name: as the names of measures end.
      words: whose features they are, for protocols.
      classifier: which has them.
    """

    name: str
    words: str
    classifier: Classifier


def measure(model: TrainedModel) -> Section:
    """Measures distances to real images, and shares of generated classes.

    A classifier has seen the training images, and its features of those may differ from
    those of any other image. So the held-out images are a second reference, and with
    them there is a floor: training images in the place of the generated ones. The
    classifier's own accuracy shows how far its predictions can be trusted.
    """
    count = min(len(model.train.images), len(model.generated.images))
    if count < MIN_IMAGES:
        return Section(left_out=f"there are only {count} images to compare")
    by_rotation = _measure_by_rotation(model, count) | _measure_patches(model, count)
    names, classes = _classes(model)
    if len(names) < 2:
        return Section(by_rotation)
    by_class, tables = _measure_by_class(model, count, names, classes)
    return Section({**by_class, **by_rotation}, tables)


def recall_and_floor(section: Section) -> tuple[float, float] | None:
    """Returns recall of the held-out images in features of rotations, and its floor.

    None where it was not measured.
    """
    for name, floor in section.measures.items():
        if name.startswith("floor_recall_") and name.endswith("_rotations"):
            recall = section.measures[name.removeprefix("floor_")]
            return recall.value, floor.value
    return None


def _classes(model: TrainedModel) -> tuple[np.ndarray, np.ndarray]:
    """Returns the labels of the training images, and which of them each image has."""
    labels = model.train.labels
    return np.unique([] if labels is None else labels, return_inverse=True)


def _measure_by_rotation(model: TrainedModel, count: int) -> Measures:
    classifier = train_classifier(*rotations(model.train.images), model.seed)
    space = Space(f"{model.data_name}_rotations", "rotations", classifier)
    images, turns = rotations(model.test.images)
    return _distances(model, count, space) | _accuracy(
        space, classifier.predict(images) == turns, model
    )


def _measure_patches(model: TrainedModel, count: int) -> Measures:
    """Returns the distances of patches to training images, and those of held-out ones.

    The second are the floor: what as many real images have.
    """
    count = min(count, MOST_FOR_PATCHES)
    compared = {"": ("generated", model.generated.images)}
    if model.test_is_held_out:
        count = min(count, len(model.test.images))
        compared["floor_"] = ("held-out", subset(model.test, count).images)
    real = subset(model.train, count).images
    protocol = (
        f"sliced Wasserstein distance of 7x7 patches, {count} training and as many {{}}"
        " images, at {} of a Laplacian pyramid"
    )
    return {
        f"{floor}patch_distance_{width}_{_short(count)}": Measure(
            value, "sd", protocol.format(words, f"{height}x{width} pixels")
        )
        for floor, (words, images) in compared.items()
        for (height, width), value in patches.patch_distances(
            real, images[:count]
        ).items()
    }


def _measure_by_class(
    model: TrainedModel, count: int, names: np.ndarray, classes: np.ndarray
) -> tuple[Measures, dict[str, Table]]:
    classifier = train_classifier(model.train.images, classes, model.seed)
    space = Space(f"{model.data_name}_classifier", "the labels", classifier)
    predicted = classifier.predict(model.generated.images[:count])
    real_shares, generated_shares = (
        sample_quality.class_shares(each, len(names)) for each in (classes, predicted)
    )
    suffix = f"{_short(count)}_{space.name}"
    measures = _distances(model, count, space)
    measures |= class_measures(generated_shares, count, suffix)
    if model.test.labels is not None:
        found = names[classifier.predict(model.test.images)]
        measures |= _accuracy(space, found == model.test.labels, model)
    return measures, {"classes": class_table(real_shares, generated_shares, names)}


def _distances(model: TrainedModel, count: int, space: Space) -> Measures:
    """Returns the measures of one space of features, on both references."""
    features = space.classifier.features
    real = features(subset(model.train, count).images)
    generated = features(model.generated.images[:count])
    suffix = f"{_short(count)}_{space.name}"
    measures = distances(real, generated, f"{count} training", space.words, suffix)
    held_out = subset(model.test, count).images
    if not model.test_is_held_out or len(held_out) < MIN_IMAGES:
        return measures
    number, reference = len(held_out), features(held_out)
    as_many = features(subset(model.train, number).images)  # not the first in an order
    suffix = f"{_short(number)}_held_out_{space.name}"
    words = f"{number} held-out"
    measures |= distances(reference, generated[:number], words, space.words, suffix)
    floor = distances(
        reference, as_many, words, space.words, suffix, compared="training"
    )
    return measures | {f"floor_{name}": each for name, each in floor.items()}


def _accuracy(space: Space, is_right: np.ndarray, model: TrainedModel) -> Measures:
    protocol = (
        f"accuracy of the classifier of {space.words}, trained on "
        f"{model.train_description}, on {model.test_description}"
    )
    value = float(np.mean(is_right))
    return {f"accuracy_{space.name}": Measure(value, "share", protocol)}


def _short(count: int) -> str:
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)


def distances(
    real: Float[np.ndarray, "n features"],
    generated: Float[np.ndarray, "n features"],
    reference: str,
    space: str,
    suffix: str,
    compared: str = "generated",
) -> Measures:
    """Returns distances of features, precision, recall, density and coverage.

    The Frechet distance is left out if there are fewer than 10 images for a feature.

    Args:
      real: features of real images.
      generated: features of as many generated images.
      reference: the real images in words, such as `10000 training`.
      space: what the classifier tells, whose features they are.
      suffix: of every name: the number of images, and whose features.
      compared: what the images are that are called generated here.
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
    images = f"{reference} and as many {compared} images"
    return {
        f"{kind}_{suffix}": Measure(
            value, unit, f"{how}, {images}, features of a classifier of {space}"
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
