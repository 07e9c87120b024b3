"""The two bounds in nats: L_I of each code, and the divergence of G from the data."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infogan_jax.analysis import encode
from infogan_jax.analysis.metrics.refitted_bound import refitted_normal_bound
from infogan_jax.analysis.report.section import Measure, Measures, Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data.scaling import to_range
from infogan_jax.game import losses, objective
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import Normal
from infogan_jax.model.latents import Codes, LatentSpec


def measure(model: TrainedModel) -> Section:
    """Measures L_I of every code, and ln 2 + V/2."""
    generated = model.generated
    bounds = mi_bounds(model.spec, generated.codes, generated.outputs)
    return Section({**bounds, "jsd_bound": jsd_bound(model)})


def mi_bounds(
    spec: LatentSpec, codes: Codes, outputs: Float[np.ndarray, "n outputs"]
) -> Measures:
    """Returns L_I of every code in nats, from Q's outputs for generated images.

    Q uses the batch statistics of 512 images at a time, as in training. The result is a
    lower bound of I(c; x) all the same: the other images come from codes and noise of
    their own, so that I(c; x, others) = I(c; x). If Q's sigma is fixed, it is refitted
    on the first half of the images, and the bound is computed on the second half.
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
        q = posterior[code.name]
        if isinstance(q, Normal) and spec.fixed_sd is not None:
            drawn, means = np.asarray(codes[code.name]), np.asarray(q.mean)
            value = refitted_normal_bound(drawn, means, h)
            protocol += ", sd fitted on the first half, E on the second"
        measures[f"mi_bound/{code.name}"] = Measure(value, "nat", protocol)
    return measures


def jsd_bound(model: TrainedModel) -> Measure:
    """Returns ln 2 + V/2 in nats, on the test images and as many generated images.

    D uses running averages, and the instance noise of the last training step.
    """
    algorithm, real = model.algorithm, model.test.images
    schedule = algorithm.noise_sd
    sd = 0.0 if schedule is None else float(schedule(model.state.step))
    rng = np.random.default_rng(model.seed)

    def logits(x: Float[np.ndarray, "n height width channels"]) -> np.ndarray:
        noisy = x + np.float32(sd) * rng.standard_normal(x.shape, np.float32)
        return model.apply_discriminator(noisy).logits

    range_, size = algorithm.nets.output_range, encode.BATCH_SIZE
    real_logits = [
        logits(np.asarray(to_range(real[start : start + size], range_)))
        for start in range(0, len(real), size)
    ]
    generated_logits = [logits(part) for part in model.generate(len(real))]
    bound = losses.jsd_bound(
        jnp.asarray(np.concatenate(real_logits)),
        jnp.asarray(np.concatenate(generated_logits)),
    )
    protocol = (
        f"ln 2 + V/2 on {model.test_description} and as many generated, instance noise "
        f"of sd {sd:g}"
    )
    return Measure(float(bound), "nat", protocol)
