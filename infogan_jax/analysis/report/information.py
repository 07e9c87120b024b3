"""The two bounds in nats: L_I of each code, and the divergence of G from the data."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infogan_jax.analysis import encode
from infogan_jax.analysis.metrics.refitted_bound import refitted_normal_bound
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data.scaling import to_range
from infogan_jax.game import objective
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import Normal
from infogan_jax.model.latents import Codes, LatentSpec


def measure(model: TrainedModel) -> Section:
    """Measures L_I of every code, and the bound of the divergence.

    A table has the L_I of codes with a parent in each category of the parent.
    """
    generated = model.generated
    bounds = mi_bounds(model.spec, generated.codes, generated.outputs)
    tables = within_parents(model.spec, generated.codes, generated.outputs)
    return Section({**bounds, **divergence_bound(model)}, tables)


def mi_bounds(
    spec: LatentSpec, codes: Codes, outputs: Float[np.ndarray, "n outputs"]
) -> Measures:
    """Returns L_I of every code in nats, from Q's outputs for generated images.

    Q uses the batch statistics of 512 images at a time, as in training. The result is a
    lower bound of I(c; x) all the same: the other images come from codes and noise of
    their own, so that I(c; x, others) = I(c; x). Of a code with a parent it is one of
    I(c; x | parent), at the value of the parent that was drawn. If Q's sigma is fixed,
    it is refitted on the first half of the images, and the bound is computed on the
    second half.
    """
    bounds = objective.mi_bounds(spec, jnp.asarray(outputs), codes)
    posterior = latents.posterior(spec, jnp.asarray(outputs), codes)
    measures = {}
    for code in spec.codes:
        h, value = latents.entropy(code), float(bounds[code.name])
        formula = "H(c) + E[log Q(c|x)]"
        if code.parent:
            formula = f"within {code.parent}, H(c) + E[log Q(c|x, {code.parent})]"
        protocol = (
            f"{formula} on {len(outputs)} generated images, "
            f"read 512 at a time; H(c) = {h:.3f}"
        )
        q = posterior[code.name]
        if isinstance(q, Normal) and spec.fixed_sd is not None:
            drawn, means = np.asarray(codes[code.name]), np.asarray(q.mean)
            value = refitted_normal_bound(drawn, means, h)
            protocol += ", sd fitted on the first half, E on the second"
        measures[f"mi_bound/{code.name}"] = Measure(value, "nat", protocol)
    return measures


def within_parents(
    spec: LatentSpec, codes: Codes, outputs: Float[np.ndarray, "n outputs"]
) -> dict[str, Table]:
    """Returns a table for each code with a parent: L_I in each category of it, in nats.

    The mean over the images is L_I of the code. Where Q's sigma is fixed, continuous
    codes are left out.
    """
    posterior = latents.posterior(spec, jnp.asarray(outputs), codes)
    log_probs = latents.log_prob(posterior, codes)
    tables = {}
    for code in spec.codes:
        if not code.parent or (not code.is_categorical and spec.fixed_sd is not None):
            continue
        parents, own = np.asarray(codes[code.parent]), np.asarray(log_probs[code.name])
        drawn, entropy = np.unique(parents), latents.entropy(code)
        values = np.array([[entropy + own[parents == each].mean() for each in drawn]])
        tables[f"information_within_{code.name}"] = Table(
            f"L_I of {code.name} within each category of {code.parent}, in nats, on "
            f"{len(outputs)} generated images; H(c) = {entropy:.3f}.",
            (code.name,),
            tuple(map(str, drawn)),
            values,
            np.clip(values / max(float(values.max()), 1e-6), 0, 1),
        )
    return tables


def divergence_bound(model: TrainedModel) -> Measures:
    """Returns the bound of the game's divergence, in the paper's game ln 2 + V/2 nats.

    It is that of the test images and as many generated images; of a game that compares
    images with each other, the mean over 512 of both at a time. D uses running
    averages, and the instance noise of the last training step.
    """
    algorithm, images = model.algorithm, model.test.images
    game, schedule = algorithm.game, algorithm.noise_sd
    if game.bound is None:
        return {}
    sd = 0.0 if schedule is None else float(schedule(model.state.step))
    rng = np.random.default_rng(model.seed)

    def judged(x: Float[np.ndarray, "n height width channels"]) -> np.ndarray:
        if game.compares == "images":
            return x.reshape(len(x), -1)
        noisy = x + np.float32(sd) * rng.standard_normal(x.shape, np.float32)
        return model.apply_discriminator(noisy).logits

    range_, size = algorithm.nets.output_range, encode.BATCH_SIZE
    real = [
        judged(np.asarray(to_range(images[start : start + size], range_)))
        for start in range(0, len(images), size)
    ]
    generated = [judged(part) for part in model.generate(len(images))]
    if game.compares in (None, "features"):
        real, generated = [np.concatenate(real)], [np.concatenate(generated)]
    values = [
        float(game.bound.value(jnp.asarray(x), jnp.asarray(y)))
        for x, y in zip(real, generated, strict=True)
        if len(x) > 1
    ]
    noise = "" if game.compares == "images" else f", instance noise of sd {sd:g}"
    protocol = (
        f"{game.bound.formula} on {model.test_description} and as many generated{noise}"
    )
    name, unit = game.bound.name, game.bound.unit
    return {name: Measure(float(np.mean(values)), unit, protocol)} if values else {}
