"""What each number of an evaluation means, and what is good, in a plain sentence."""

import re

MEANINGS = {
    r"mi_bound/": (
        "What an image shows of this code, at least. Good is H(c), which stands below, "
        "or more for a continuous code; 0 or less means that G ignores the code or Q "
        "cannot read it. It does not say that people see the code."
    ),
    r"jsd_bound": (
        "How well D tells generated from real images, at least. Good is near 0; 0.69 "
        "means always."
    ),
    r"divergence_bound/": (
        "The divergence of generated from real images that D proves, at least, in the "
        "measure of the config's game. Good is near 0, and below 0 it proves nothing."
    ),
    r"(best_of_\d+_)?largest_class_test": (
        "What a code that says nothing would reach as accuracy and as purity. Good is "
        "accuracy far above it."
    ),
    r"(best_of_\d+_)?accuracy_test_rematched": (
        "The same as accuracy_test, matched on the held-out labels themselves, as many "
        "papers do. Good is near 1; it is never lower than accuracy_test."
    ),
    r"(best_of_\d+_)?accuracy_test": (
        "Of held-out images, how many are in the category that belongs to their class. "
        "Good is near 1; with ten classes, guessing gives about 0.1."
    ),
    r"(best_of_\d+_)?accuracy_train": (
        "The same for the training images, matched on their own labels. Good is "
        "near accuracy_test."
    ),
    r"(best_of_\d+_)?purity_test": (
        "How many images are of the most frequent class of their category. Good is "
        "near 1; two categories may share a class, and more categories make it higher."
    ),
    r"(best_of_\d+_)?nmi_test": (
        "What category and class say about each other, from 0, nothing, to 1, all. "
        "Good is near 1."
    ),
    r"(best_of_\d+_)?ari_test": (
        "Whether pairs of images are together both in category and in class: 0 is "
        "chance, 1 is always. Good is near 1."
    ),
    r"eta_squared_within_": (
        "How much of an attribute of the pixels a code decides within each category of "
        "its parent. Near 0 it may be something that is not measured, or another thing "
        "in each category. Neither is bad."
    ),
    r"eta_squared_": (
        "How much of an attribute of the pixels the category decides. Near 1: the "
        "category is this attribute; near 0: it is something else. Neither is bad."
    ),
    r"spearman_within_": (
        "The same inside each category, so that no category can be the reason. Good is "
        "near the value without this."
    ),
    r"spearman_": (
        "How steadily an attribute of the pixels goes with the code. Near 1 or -1 "
        "means that the code is this attribute, which is good where there is one such "
        "code for it; near 0 it may be one that is not measured."
    ),
    r"factor_(spearman|half_circle)/": (
        "How steadily the best code goes with this factor, in real images that Q has "
        "not been trained on. Good is near 1; no label was used to find the code."
    ),
    r"factor_circular/": (
        "How well the best code, or pair of codes, follows a factor that turns around "
        "a circle. Good is near 1; 0 means that no code turns with it."
    ),
    r"factor_eta_squared/": (
        "How much of this factor the best category decides. Near 1: the category is "
        "this factor."
    ),
    r"beta_vae|factor_vae|explicitness|dci_informativeness": (
        "How well the true factors can be read from the codes. Good is near 1."
    ),
    r"mig|sap|dci_|modularity": (
        "Whether each factor has a code of its own. Good is near 1; 0 means that codes "
        "and factors are mixed."
    ),
    r"kernel_distance_": (
        "The distance of generated from real images, without the bias of few images. "
        "Good is near 0; compare it only with the same data and features."
    ),
    r"frechet_": (
        "The distance of generated from real images. Good is low; compare it only with "
        "the same data, number of images and features, and never with a published FID."
    ),
    r"precision_": (
        "How many generated images look like real ones. Good is near 1; low means that "
        "images look wrong."
    ),
    r"recall_": (
        "How many real images look like a generated one. Good is near 1; low means "
        "that kinds of images are missing."
    ),
    r"density_": (
        "How densely generated images lie where real ones do. Good is near 1 or above."
    ),
    r"coverage_": (
        "How many real images have a generated neighbour. Good is near 1; low means "
        "that kinds of images are missing."
    ),
    r"patch_distance_": (
        "How much small pieces of generated images differ from those of real ones, at "
        "one scale: fine ones show grain and edges, coarse ones shapes. Good is near "
        "the floor_ of the same name."
    ),
    r"classes_found_": ("How many of the classes are generated at all. Good is 1."),
    r"class_divergence_": (
        "How unequal the classes are among generated images. Good is near 0."
    ),
    r"floor_": (
        "The same with real images in place of the generated ones. Good is a value of "
        "the generated ones that is near this one: a better one cannot be expected."
    ),
    r"visible/noise": (
        "How much of what one sees the noise decides once the codes are fixed. Good is "
        "well above 0; near 0 all images of the same codes look alike."
    ),
    r"visible/": (
        "How much of what one sees changes with this code, all else fixed. Good is "
        "well above 0 wherever Q reads the code (mi_bound): else the code is in a "
        "pattern that only Q sees."
    ),
    r"accuracy_\w+_rotations": (
        "How well the classifier knows which way up real images are. The numbers above "
        "can be trusted where it is far above chance, which is 0.25."
    ),
    r"accuracy_\w+_classifier": (
        "How well the classifier knows real images. The numbers above can be trusted "
        "where it is near 1."
    ),
    r"taught_accuracy_test": (
        "Of held-out images, how many are in the category of the same number as their "
        "class, which Q has learned from labels. Good is near 1, and above the linear "
        "classifier of the same labels."
    ),
    r"class_error_test": (
        "Of held-out images, how many D takes for another class. Good is near 0."
    ),
    r"reconstruction_error_": (
        "How much of what varies in real images is lost when G decodes their codes. "
        "Good is near 0, a copy; 1 is no better than the mean image, and a GAN, which "
        "is not trained for it, may have more."
    ),
    r"linear_trunk_": (
        "How well a linear classifier on the networks' features does with few labels. "
        "Good is above the same for pixels."
    ),
    r"linear_pixels_": (
        "The same from the pixels alone: what the features have to beat."
    ),
}
"""By how a measure's name begins, as a regular expression; the first one counts."""


def meaning(name: str) -> str:
    """Returns what a measure means and what is good, or "" where nobody wrote it."""
    for pattern, text in MEANINGS.items():
        if re.match(pattern, name):
            return text
    return ""
