"""The generator's input, made of codes and noise, and Q's posteriors of the codes.

The codes have their positions in G's input and in Q's output here. What depends on the
kind of a code is in `code_kinds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.model import distributions
from infogan_jax.model.code_kinds import (
    KINDS,
    Categorical,
    ContinuousPosterior,
    Kind,
    Spread,
)

Codes = Mapping[str, Array]
"""One array [batch] per code: int32 categories, or float32 values."""


@dataclass(frozen=True)
class Code:
    """One scalar code c_i.

    Attributes:
      name: its name in logs and pictures, unique.
      kind: a name in `KINDS`, such as `categorical` (uniform over `size` categories),
        `uniform` (U(-1, 1)) or `gaussian` (N(0, 1)).
      size: the number of categories; 1 for a continuous code.
      weight: its lambda in the objective, >= 0; traced where runs of one program
        differ in it.
      of_kind: what its kind does: the object in `KINDS` when the code was made. Codes
        of a kind that was replaced since then are other codes, whose programs are
        compiled anew.
    """

    name: str
    kind: str
    size: int = 1
    weight: float | Float[Array, ""] = 1.0
    of_kind: Kind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_kind", KINDS[self.kind])

    @property
    def is_categorical(self) -> bool:
        return self.of_kind.is_categorical

    @property
    def prior_sd(self) -> float:
        """The standard deviation of its prior."""
        return self.of_kind.prior_sd(self.size)


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
        return self.noise_size + sum(
            code.of_kind.input_size(code.size) for code in self.codes
        )

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
        return sum(self.output_sizes)

    @property
    def output_sizes(self) -> tuple[int, ...]:
        """The number of Q's outputs for each code."""
        return tuple(c.of_kind.output_size(c.size, self.spread) for c in self.codes)

    @property
    def spread(self) -> Spread:
        """How Q gets the standard deviations of continuous codes."""
        return Spread(self.fixed_sd, self.sd_floor)


class Latents(NamedTuple):
    """A batch of G's inputs, before they are packed into vectors."""

    codes: Codes
    noise: Float[Array, "batch noise"]


Posterior = Mapping[str, Categorical | ContinuousPosterior]
"""Q's posterior of each code, by its name."""


def sample(spec: LatentSpec, uniform: Float[Array, "batch uniform_size"]) -> Latents:
    """Returns codes and noise from the prior, made from numbers of U(-1, 1).

    Args:
      spec: codes and noise.
      uniform: for each example, one number for each code and then one for each noise
        variable; `spec.uniform_size` in all.
    """
    codes = {
        code.name: code.of_kind.sample(uniform[:, i], code.size)
        for i, code in enumerate(spec.codes)
    }
    noise = uniform[:, len(spec.codes) :]
    if spec.noise_kind == "gaussian":
        noise = distributions.standard_normal(noise)
    return Latents(codes, noise)


def pack(spec: LatentSpec, latents: Latents) -> Float[Array, "batch inputs"]:
    """Returns G's input: the codes in order, one-hot or as values, then noise."""
    parts = [
        code.of_kind.pack(jnp.asarray(latents.codes[code.name]), code.size)
        for code in spec.codes
    ]
    return jnp.concatenate([*parts, latents.noise], axis=-1)


def posterior(spec: LatentSpec, outputs: Float[Array, "batch outputs"]) -> Posterior:
    """Returns the posterior Q(c_i | x) of each code from Q's output vector."""
    posteriors: dict[str, Categorical | ContinuousPosterior] = {}
    start = 0
    for code, size in zip(spec.codes, spec.output_sizes, strict=True):
        own = outputs[:, start : start + size]
        posteriors[code.name] = code.of_kind.unpack(own, spec.spread)
        start += size
    return posteriors


def entropy(code: Code) -> float:
    """Returns H(c) of a code's prior in nats; differential for a continuous code."""
    return code.of_kind.entropy(code.size)


def log_prob(posterior: Posterior, codes: Codes) -> dict[str, Float[Array, "batch"]]:
    """Returns log Q(c_i | x) of each code, in nats."""
    return {name: q.log_prob(codes[name]) for name, q in posterior.items()}


def weighted_sum(
    spec: LatentSpec, values: Mapping[str, Float[Array, ""]]
) -> Float[Array, ""]:
    """Returns sum_i lambda_i v_i over the codes whose names are in `values`."""
    terms = (c.weight * values[c.name] for c in spec.codes if c.name in values)
    return sum(terms, start=jnp.zeros(()))
