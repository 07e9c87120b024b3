"""Information of real images and their codes, as in an InfoVAE (Zhao et al. 2017).

Q encodes a real image x, and G decodes the codes c that are drawn from Q(c | x):

    E_x E_{c ~ Q(c|x)}[log p(x | c)]
        - kl_weight E_x KL(Q(c | x), P(c)) - mmd_weight MMD^2(Q(c), P(c)),

with p(x | c) = N(G(c), sd^2) in every pixel, and Q(c) = E_x Q(c | x). The first term
plus the entropy of images is a lower bound of the information I(c; x) of real images
and their codes: equation 5 with c and x exchanged. Values are in nats.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from infogan_jax.errors import UserError
from infogan_jax.game.game import whole_batch
from infogan_jax.game.games.moments import Kernel, mmd_squared
from infogan_jax.game.terms import Metrics, Term, View
from infogan_jax.model import distributions, latents
from infogan_jax.model.code_kinds import AngleKind, Categorical, GaussianKind
from infogan_jax.model.convolutions import Images
from infogan_jax.model.latents import Code, Codes, LatentSpec

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class InfoVAE:
    """What Q and G maximise on real images; by default nothing.

    Attributes:
      sd: the standard deviation of a pixel around G's image, in the units of the
        images; 0 is off.
      mmd_weight: of MMD^2 of codes of real images and their prior, in nats.
      kl_weight: of the divergence of Q(c | x) from the prior. 1 without MMD is the VAE
        (Kingma and Welling 2014), 0 with MMD the MMD-VAE. In the paper's letters it is
        1 - alpha, and `mmd_weight` is alpha + lambda - 1.
    """

    sd: float = 0.0
    mmd_weight: float = 0.0
    kl_weight: float = 0.0

    def terms(self, spec: LatentSpec) -> tuple[Term, ...]:
        """The terms of both players, or none if `sd` is 0.

        Raises:
          UserError: where there is no code, or a code's divergence is infinite.
        """
        if not self.sd:
            return ()
        if not spec.codes:
            raise UserError(
                f"config.info_vae.sd (={self.sd:g}) asks G to decode the codes of real "
                "images, but config.latents.codes is empty; name codes, such as "
                '"categorical(10), 16 x gaussian", or set sd to 0.'
            )
        if self.kl_weight:
            _check_divergences(spec, self.kl_weight)
        numbers = spec.uniform_size
        return (
            Term("encoding", self.of_encoder, drawn_numbers=numbers),
            Term(
                "decoding",
                self.of_decoder,
                player="generator",
                drawn_numbers=numbers,
                shows_real=True,
            ),
        )

    def of_encoder(self, view: View) -> tuple[Float[Array, ""], Metrics]:
        """Returns what the trunk and Q maximise, and its parts as metrics.

        Images of the prior's codes are generated in the same step. Their codes are the
        sample of the prior that MMD needs.
        """
        value, codes = self._log_likelihood(view)
        metrics = {"reconstruction/log_likelihood": value}
        if self.mmd_weight:
            mmd = mmd_to_prior(view.spec, codes, view.codes, view.axis)
            value = value - self.mmd_weight * mmd
            metrics["prior/mmd_squared"] = mmd
        if self.kl_weight:
            assert view.real is not None  # D's step has real images
            kl = kl_to_prior(view.spec, view.real.outputs)
            value = value - self.kl_weight * kl
            metrics["prior/kl"] = kl
        return value, metrics

    def of_decoder(self, view: View) -> tuple[Float[Array, ""], Metrics]:
        """Returns the log likelihood, which G maximises; Q and the trunk are fixed."""
        return self._log_likelihood(view)[0], {}

    def _log_likelihood(
        self, view: View
    ) -> tuple[Float[Array, ""], Float[Array, "batch inputs"]]:
        """Returns E[log p(x | c)] of the real images, and the codes that were drawn."""
        assert view.real is not None and view.generate is not None
        codes = draw_codes(view.spec, view.real.outputs, view.drawn)
        noise = latents.sample(view.spec, view.drawn).noise
        decoded = view.generate(jnp.concatenate([codes, noise], axis=1))
        return jnp.mean(log_likelihood(view.real.images, decoded, self.sd)), codes


def log_likelihood(images: Images, decoded: Images, sd: float) -> Float[Array, "batch"]:
    """Returns log N(x; G(c), sd^2 I) of each image, in nats; a density of its pixels.

    It is minus the squared error over 2 sd^2, and a constant.
    """
    log_sd = jnp.full_like(images, math.log(sd))
    return jnp.sum(distributions.normal_log_prob(images, decoded, log_sd), (1, 2, 3))


def draw_codes(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    uniform: Float[Array, "batch _"],
) -> Float[Array, "batch inputs"]:
    """Draws codes from Q(c | x), packed for G, with a gradient for Q.

    A continuous code is Q's mean plus its standard deviation times a number from
    N(0, 1). For a category see `draw_category`.

    Args:
      spec: the codes.
      outputs: Q's outputs.
      uniform: numbers from U(-1, 1), of which each code uses one.
    """
    parts = []
    posterior = latents.posterior(spec, outputs)
    for place, code in enumerate(spec.codes):
        q, numbers = posterior[code.name], uniform[:, place]
        if isinstance(q, Categorical):
            parts.append(draw_category(q.logits, numbers))
        else:
            drawn = q.mean + jnp.exp(q.log_sd) * distributions.standard_normal(numbers)
            parts.append(code.of_kind.pack(drawn, code.size))
    return jnp.concatenate(parts, axis=1)


def draw_category(
    logits: Float[Array, "batch k"], uniform: Float[Array, "batch"]
) -> Float[Array, "batch k"]:
    """Draws a category from softmax(`logits`) as a one-hot vector.

    Its gradient is that of the probabilities (the straight-through estimator of Bengio
    et al. 2013). At the mean it is exact for a function that is linear in the vector,
    and biased for others.
    """
    probabilities = jax.nn.softmax(logits)
    below = jnp.cumsum(probabilities, axis=1) < 0.5 * (1.0 + uniform[:, None])
    category = jnp.minimum(jnp.sum(below, axis=1), logits.shape[1] - 1)
    drawn = jax.nn.one_hot(category, logits.shape[1])
    return drawn + probabilities - lax.stop_gradient(probabilities)


def mmd_to_prior(
    spec: LatentSpec,
    encoded: Float[Array, "batch inputs"],
    prior: Codes,
    axis: str | None = None,
) -> Float[Array, ""]:
    """Estimates MMD^2 of encoded codes and codes of the prior, without bias.

    Each of G's inputs is divided by its standard deviation under the prior, so that a
    category counts as much as continuous codes do. All codes are compared at once:
    codes that depend on each other are not like the prior either.

    Args:
      spec: the codes.
      encoded: codes of real images, packed.
      prior: as many codes of the prior.
      axis: the device axis over which the batch is split, if any.
    """
    parts = [c.of_kind.pack(jnp.asarray(prior[c.name]), c.size) for c in spec.codes]
    scale = jnp.concatenate(
        [
            jnp.full((1, part.shape[1]), _input_sd(code))
            for code, part in zip(spec.codes, parts, strict=True)
        ],
        axis=1,
    )
    rows, others = (
        whole_batch(each / scale, axis)
        for each in (encoded, jnp.concatenate(parts, axis=1))
    )
    return mmd_squared(rows, others, inverse_multiquadric(rows.shape[1]))


def inverse_multiquadric(size: int) -> Kernel:
    """Returns the mean of s / (s + d^2 / (2 `size`)) over scales s from 0.1 to 10.

    Two draws of a distribution of variance 1 in `size` dimensions have a d^2 of
    2 `size`, at the mean. Kernel and scales are those of Tolstikhin et al. 2018.
    """

    def kernel(d2: Float[Array, "n m"]) -> Float[Array, "n m"]:
        ratio = d2 / (2.0 * size)
        total = sum((s / (s + ratio) for s in SCALES), jnp.zeros_like(d2))
        return total / len(SCALES)

    return kernel


def kl_to_prior(
    spec: LatentSpec, outputs: Float[Array, "batch outputs"]
) -> Float[Array, ""]:
    """Returns E_x KL(Q(c | x), P(c)) in nats, the sum over the codes.

    It is I(c; x) + KL(Q(c), P(c)) for codes c that are drawn from Q: what a VAE
    minimises holds the information down.
    """
    total = jnp.zeros(())
    posterior = latents.posterior(spec, outputs)
    for code in spec.codes:
        q = posterior[code.name]
        if isinstance(q, Categorical):
            logs = jax.nn.log_softmax(q.logits)
            each = math.log(code.size) + jnp.sum(jnp.exp(logs) * logs, axis=1)
        else:
            squares = q.mean**2 + jnp.exp(2.0 * q.log_sd)
            each = 0.5 * (squares - 1.0) - q.log_sd
        total = total + jnp.mean(each)
    return total


def _input_sd(code: Code) -> float:
    """Returns the standard deviation of each of G's inputs of a code."""
    if code.is_categorical:
        return math.sqrt(code.size - 1.0) / code.size
    if isinstance(code.of_kind, AngleKind):
        return math.sqrt(0.5)
    return code.prior_sd


def _check_divergences(spec: LatentSpec, weight: float) -> None:
    for code in spec.codes:
        if not (code.is_categorical or isinstance(code.of_kind, GaussianKind)):
            raise UserError(
                f"config.info_vae.kl_weight (={weight:g}) weighs the divergence of a "
                f"normal distribution from the prior, which is infinite for {code.name}"
                f" (={code.kind}); make it gaussian in config.latents.codes, or set "
                "kl_weight to 0."
            )
