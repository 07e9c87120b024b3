"""The generator's input, made of codes and noise, and Q's posteriors of the codes.

Everything that depends on the kind of a code is in this file: its prior, its entropy
H(c), and its position in G's input and in Q's output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from infogan_jax.model import distributions

KINDS = ("categorical", "uniform", "gaussian")

Codes = Mapping[str, Array]
"""One array [batch] per code: int32 categories, or float32 values."""


@dataclass(frozen=True)
class Code:
    """One scalar code c_i.

    Attributes:
      name: its name in logs and pictures, unique.
      kind: `categorical` (uniform over `size` categories), `uniform` (U(-1, 1))
        or `gaussian` (N(0, 1)).
      size: the number of categories; 1 for a continuous code.
      weight: its lambda in the objective, >= 0.
    """

    name: str
    kind: str
    size: int = 1
    weight: float = 1.0

    @property
    def is_categorical(self) -> bool:
        return self.kind == "categorical"


@dataclass(frozen=True)
class LatentSpec:
    """The parts of G's input: codes, then noise.

    Attributes:
      codes: the structured code c.
      noise_size: the number of incompressible noise variables z.
      noise_kind: `uniform` (U(-1, 1)) or `gaussian` (N(0, 1)).
      fixed_sd: Q's standard deviation for every continuous code; None if Q learns it.
      sd_floor: the smallest standard deviation that Q can learn. Without a floor the
        log likelihood is unbounded.
    """

    codes: tuple[Code, ...]
    noise_size: int
    noise_kind: str = "uniform"
    fixed_sd: float | None = None
    sd_floor: float = 0.01

    @property
    def input_size(self) -> int:
        """The length of G's input vector."""
        return self.noise_size + sum(code.size for code in self.codes)

    @property
    def uniform_size(self) -> int:
        """The number of uniform variables from which one input of G is made."""
        return self.noise_size + len(self.codes)

    @property
    def has_categories(self) -> bool:
        """Whether any code is categorical."""
        return any(code.is_categorical for code in self.codes)

    @property
    def has_continuous(self) -> bool:
        """Whether any code is continuous."""
        return not all(code.is_categorical for code in self.codes)

    @property
    def output_size(self) -> int:
        """The length of Q's output vector: logits, or mean (and raw log sd)."""
        per_continuous = 1 if self.fixed_sd is not None else 2
        return sum(c.size if c.is_categorical else per_continuous for c in self.codes)


class Latents(NamedTuple):
    """A batch of G's inputs, before they are packed into vectors."""

    codes: Codes
    noise: Float[Array, "batch noise"]


class Categorical(NamedTuple):
    """Q's posterior of a categorical code."""

    logits: Float[Array, "batch k"]

    def log_prob(self, value: Int[Array, "batch"]) -> Float[Array, "batch"]:
        return distributions.categorical_log_prob(self.logits, value)


class Normal(NamedTuple):
    """Q's posterior of a continuous code."""

    mean: Float[Array, "batch"]
    log_sd: Float[Array, "batch"]

    def log_prob(self, value: Float[Array, "batch"]) -> Float[Array, "batch"]:
        return distributions.normal_log_prob(value, self.mean, self.log_sd)


Posterior = Mapping[str, Categorical | Normal]


def sample(spec: LatentSpec, uniform: Float[Array, "batch uniform_size"]) -> Latents:
    """Returns codes and noise from the prior, made from numbers of U(-1, 1).

    Args:
      spec: codes and noise.
      uniform: for each example, one number for each code and then one for each noise
        variable; `spec.uniform_size` in all.
    """
    codes = {
        code.name: distributions.category(uniform[:, i], code.size)
        if code.is_categorical
        else _from_uniform(code.kind, uniform[:, i])
        for i, code in enumerate(spec.codes)
    }
    return Latents(codes, _from_uniform(spec.noise_kind, uniform[:, len(spec.codes) :]))


def _from_uniform(kind: str, uniform: Array) -> Array:
    return distributions.standard_normal(uniform) if kind == "gaussian" else uniform


def pack(spec: LatentSpec, latents: Latents) -> Float[Array, "batch inputs"]:
    """Returns G's input: one-hot categories and values in order, then noise."""
    parts = [
        jax.nn.one_hot(latents.codes[code.name], code.size)
        if code.is_categorical
        else latents.codes[code.name][:, None]
        for code in spec.codes
    ]
    return jnp.concatenate([*parts, latents.noise], axis=-1)


def posterior(spec: LatentSpec, outputs: Float[Array, "batch outputs"]) -> Posterior:
    """Returns the posterior Q(c_i | x) of each code from Q's output vector.

    A learned standard deviation is exp(output) + `sd_floor`, computed in log space. It
    is smooth and never below the floor. Near the floor it keeps a gradient until
    exp(output) underflows in float32.
    """
    posteriors: dict[str, Categorical | Normal] = {}
    start = 0
    for code in spec.codes:
        if code.is_categorical:
            posteriors[code.name] = Categorical(outputs[:, start : start + code.size])
            start += code.size
            continue
        mean = outputs[:, start]
        if spec.fixed_sd is None:
            log_sd = jnp.logaddexp(outputs[:, start + 1], jnp.log(spec.sd_floor))
            start += 2
        else:
            log_sd = jnp.full_like(mean, jnp.log(spec.fixed_sd))
            start += 1
        posteriors[code.name] = Normal(mean, log_sd)
    return posteriors


def entropy(code: Code) -> float:
    """Returns H(c) of a code's prior in nats; differential for a continuous code."""
    if code.is_categorical:
        return distributions.categorical_entropy(code.size)
    if code.kind == "uniform":
        return distributions.uniform_entropy()
    return distributions.normal_entropy()


def log_prob(posterior: Posterior, codes: Codes) -> dict[str, Float[Array, "batch"]]:
    """Returns log Q(c_i | x) of each code, in nats."""
    return {name: q.log_prob(codes[name]) for name, q in posterior.items()}


def weighted_sum(
    spec: LatentSpec, values: Mapping[str, Float[Array, ""]]
) -> Float[Array, ""]:
    """Returns sum_i lambda_i v_i over the codes whose names are in `values`."""
    terms = (c.weight * values[c.name] for c in spec.codes if c.name in values)
    return sum(terms, start=jnp.zeros(()))
