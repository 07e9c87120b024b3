"""The generator's input, made of codes and noise, and Q's posteriors of the codes.

The codes have their positions in G's input and in Q's output here. What depends on the
kind of a code is in `code_kinds`.

A code may belong to another, its parent: it exists within each value of the parent, and
may mean another thing in each. G and Q therefore have a block for every value of the
parent. In a deeper hierarchy it is one for every value of the parent in each block of
the parent itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

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
        `uniform` (U(-1, 1)), `gaussian` (N(0, 1)) or `angle` (uniform on a circle).
      size: the number of categories; 1 for a continuous code.
      weight: its lambda in the objective, >= 0; traced where runs of one program
        differ in it.
      parent: the name of the categorical code to which it belongs; "" for none.
      of_kind: what its kind does: the object in `KINDS` when the code was made. Codes
        of a kind that was replaced since then are other codes, whose programs are
        compiled anew.
    """

    name: str
    kind: str
    size: int = 1
    weight: float | Float[Array, ""] = 1.0
    parent: str = ""
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
      codes: the structured code c; a parent comes before the codes that belong to it.
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
            self.blocks(code) * code.of_kind.input_size(code.size)
            for code in self.codes
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
    def roots(self) -> tuple[Code, ...]:
        """The codes without a parent: they mean one thing in all images."""
        return tuple(code for code in self.codes if not code.parent)

    @property
    def continuous(self) -> tuple[Code, ...]:
        """The continuous codes without a parent."""
        return tuple(code for code in self.roots if not code.is_categorical)

    def code(self, name: str) -> Code:
        """Returns the code of a name."""
        return next(code for code in self.codes if code.name == name)

    def blocks(self, code: Code) -> int:
        """Returns how many blocks a code has in G's input and in Q's output."""
        if not code.parent:
            return 1
        parent = self.code(code.parent)
        return self.blocks(parent) * parent.size

    @property
    def output_size(self) -> int:
        """The length of Q's output vector: logits, or mean (and raw log sd)."""
        return sum(self.output_sizes)

    @property
    def output_sizes(self) -> tuple[int, ...]:
        """The number of Q's outputs for each code."""
        return tuple(
            self.blocks(c) * c.of_kind.output_size(c.size, self.spread)
            for c in self.codes
        )

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
    """Returns G's input: the codes in order, one-hot or as values, then noise.

    A code with a parent is in the block of its parent's value; its other blocks are 0.
    """
    parts = [_packed(spec, code, latents.codes) for code in spec.codes]
    return jnp.concatenate([*parts, latents.noise], axis=-1)


def _packed(
    spec: LatentSpec, code: Code, values: Mapping[str, Any]
) -> Float[Array, "batch inputs"]:
    packed = code.of_kind.pack(jnp.asarray(values[code.name]), code.size)
    if not code.parent:
        return packed
    in_block = _one_block(spec, code, values) * packed[:, None, :]
    return in_block.reshape(in_block.shape[0], in_block.shape[1] * in_block.shape[2])


def posterior(
    spec: LatentSpec,
    outputs: Float[Array, "batch outputs"],
    given: Codes | None = None,
) -> Posterior:
    """Returns the posterior Q(c_i | x) of each code from Q's output vector.

    That of a code with a parent is conditional, Q(c_i | x, parent).

    Args:
      spec: the codes.
      outputs: of Q.
      given: the values of the parents. Without them the value of a parent is the most
        probable one.
    """
    posteriors: dict[str, Categorical | ContinuousPosterior] = {}
    values = dict(given or {})
    parents = {code.parent for code in spec.codes}
    for code, own in split(spec, outputs):
        if code.parent:
            in_blocks = own.reshape(own.shape[0], spec.blocks(code), -1)
            own = jnp.sum(_one_block(spec, code, values) * in_blocks, axis=1)
        q = code.of_kind.unpack(own, spec.spread)
        if given is None and code.name in parents:
            values[code.name] = jnp.argmax(q.logits, axis=-1)
        posteriors[code.name] = q
    return posteriors


def split(
    spec: LatentSpec, outputs: Float[Array, "batch outputs"]
) -> Iterator[tuple[Code, Float[Array, "batch _"]]]:
    """Yields each code with Q's outputs for it, those of all its blocks."""
    start = 0
    for code, size in zip(spec.codes, spec.output_sizes, strict=True):
        yield code, outputs[:, start : start + size]
        start += size


def block_of(
    spec: LatentSpec, code: Code, values: Mapping[str, Any]
) -> Int[Array, "batch"]:
    """Returns the block of a code with a parent for given values of the parents."""
    parent = spec.code(code.parent)
    value = jnp.asarray(values[parent.name])
    if not parent.parent:
        return value
    return block_of(spec, parent, values) * parent.size + value


def _one_block(
    spec: LatentSpec, code: Code, values: Mapping[str, Any]
) -> Float[Array, "batch blocks 1"]:
    """Returns 1 for the block of the parents' values, and 0 for the others.

    Products with it need no gather, so that their gradient is a product as well.
    """
    block = block_of(spec, code, values)
    return jax.nn.one_hot(block, spec.blocks(code))[:, :, None]


def entropy(code: Code) -> float:
    """Returns H(c) of a code's prior in nats; differential for a continuous code.

    With a parent it is H(c | parent): the prior is the same in each of its values.
    """
    return code.of_kind.entropy(code.size)


def log_prob(posterior: Posterior, codes: Codes) -> dict[str, Float[Array, "batch"]]:
    """Returns log Q(c_i | x), or log Q(c_i | x, parent), of each code, in nats."""
    return {name: q.log_prob(codes[name]) for name, q in posterior.items()}


def weighted_sum(
    spec: LatentSpec, values: Mapping[str, Float[Array, ""]]
) -> Float[Array, ""]:
    """Returns sum_i lambda_i v_i over the codes whose names are in `values`."""
    terms = (c.weight * values[c.name] for c in spec.codes if c.name in values)
    return sum(terms, start=jnp.zeros(()))
