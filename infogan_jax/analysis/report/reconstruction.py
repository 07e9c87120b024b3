"""Real images that are encoded by Q and decoded by G."""

from html import escape

from infogan_jax.analysis import reconstruction
from infogan_jax.analysis.report import embedded
from infogan_jax.analysis.report.section import Measure, Section
from infogan_jax.analysis.trained_model import TrainedModel


def measure(model: TrainedModel) -> Section:
    """Measures what the codes of a held-out image leave out of it."""
    if not model.spec.codes:
        return Section(left_out="there is no code to decode")
    if (model.test.images == model.test.images[:1]).all():
        return Section(left_out="all held-out images are the same")
    protocol = (
        "E|x - G(c)|^2 / Var x, with the most probable category or the mean of each "
        f"code, and noise from its prior, on {model.test_description}"
    )
    lost = reconstruction.lost_share(model.test.images, model.reconstructed)
    return Section({"reconstruction_error_test": Measure(lost, "share", protocol)})


def html(model: TrainedModel) -> str:
    """Returns real images with their reconstructions below."""
    if not model.spec.codes:
        return ""
    text = (
        "Rows in pairs: above real images that were held out, below what G makes of "
        "the codes that Q reads in them. Good is: they show the same thing. A GAN is "
        "not trained for it, and what is not in the codes is drawn at random."
    )
    images = model.test.images
    picture = embedded.image(
        reconstruction.pairs(images, model.reconstructed),
        "real images above their reconstructions",
        side=max(images.shape[1:3]),
    )
    return f"<p>{escape(text)}</p>\n<figure>{picture}</figure>"
