"""The two bounds in nats: what codes and images share, and how far G is off."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infogan_jax.analysis import encode
from infogan_jax.analysis.metrics import refitted_bound
from infogan_jax.analysis.report.section import Measure, Measures, Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data.scaling import to_range
from infogan_jax.game import losses, objective
from infogan_jax.model import latents
from infogan_jax.model.latents import Codes, LatentSpec, Normal


def measure(model: TrainedModel) -> Section:
    """L_I of every code, and ln 2 + V/2."""
    made = model.generated
    bounds = mi_bounds(model.spec, made.codes, made.outputs)
    return Section({**bounds, "jsd_bound": gan_bound(model)})


def mi_bounds(
    spec: LatentSpec, codes: Codes, outputs: Float[np.ndarray, "n outputs"]
) -> Measures:
    """L_I of every code on images of G, in nats.

    Q has read 512 images at a time by the statistics of these images, as in training.
    The number is a lower bound of I(c; x) all the same: the other images were made from
    codes and noise of their own, so that I(c; x, others) = I(c; x). Where Q's sigma was
    fixed, it is refitted on one half of the images and used on the other.

    Args:
      spec: the codes.
      codes: those that the images were made from.
      outputs: Q's, of the images.
    """
    bounds = objective.mi_bounds(spec, jnp.asarray(outputs), codes)
    posterior = latents.posterior(spec, jnp.asarray(outputs))
    measures = {}
    for code in spec.codes:
        h, value = latents.entropy(code), float(bounds[code.name])
        protocol = (
            f"H(c) + E[log Q(c|x)] on {len(outputs)} generated images, "
            f"read 512 at a time; H(c) = {h:.3f}"
        )
        read = posterior[code.name]
        if isinstance(read, Normal) and spec.fixed_sd is not None:
            value = refitted_bound.refitted_normal_bound(
                np.asarray(codes[code.name]), np.asarray(read.mean), h
            )
            protocol += ", sd fitted on the first half, E on the second"
        measures[f"mi_bound/{code.name}"] = Measure(value, "nat", protocol)
    return measures


def gan_bound(model: TrainedModel) -> Measure:
    """ln 2 + V/2 on held-out and as many generated images, in nats.

    D reads each image on its own, with the instance noise of the last step.
    """
    algorithm, real = model.algorithm, model.test.images
    schedule = algorithm.noise_sd
    sd = 0.0 if schedule is None else float(schedule(model.state.step))
    rng = np.random.default_rng(model.seed)

    def logits(x: Float[np.ndarray, "n height width channels"]) -> np.ndarray:
        noisy = x + np.float32(sd) * rng.standard_normal(x.shape, np.float32)
        return model.apply_discriminator(noisy).logits

    range_, size = algorithm.nets.output_range, encode.BATCH_SIZE
    of_real = [
        logits(np.asarray(to_range(real[at : at + size], range_)))
        for at in range(0, len(real), size)
    ]
    of_generated = [logits(part) for part in model.generate(len(real))]
    bound = losses.jsd_bound(
        jnp.asarray(np.concatenate(of_real)), jnp.asarray(np.concatenate(of_generated))
    )
    protocol = (
        f"ln 2 + V/2 on {model.test_images} and as many generated, instance noise of "
        f"sd {sd:g}"
    )
    return Measure(float(bound), "nat", protocol)
