"""The kinds of code: its prior, how G receives it, and what Q says of it.

A kind of one's own is one more class, whose object is entered in `KINDS` under the name
that `config.latents.codes` uses.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from infogan_jax.model import distributions

_SHORTEST = 1e-3  # below it a direction fades, so that its gradient stays finite


@dataclass(frozen=True)
class Spread:
    """How Q gets the standard deviation of a continuous code.

    Attributes:
      fixed: the standard deviation; None if Q learns it.
      floor: the smallest one that Q can learn. Without a floor the log likelihood is
        unbounded.
    """

    fixed: float | None
    floor: float


@runtime_checkable
class ContinuousPosterior(Protocol):
    """Q's posterior of a continuous code for a batch of images.

    Attributes:
      mean: which reports show.
      log_sd: the logarithm of the standard deviation.
    """

    @property
    def mean(self) -> Float[Array, "batch"]: ...

    @property
    def log_sd(self) -> Float[Array, "batch"]: ...

    def log_prob(self, value: Any) -> Float[Array, "batch"]: ...


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


class VonMises(NamedTuple):
    """Q's posterior of an angle."""

    direction: Float[Array, "batch 2"]
    log_sd: Float[Array, "batch"]

    @property
    def mean(self) -> Float[Array, "batch"]:
        """In radians, from -pi to pi."""
        return jnp.arctan2(self.direction[:, 1], self.direction[:, 0])

    def log_prob(self, value: Float[Array, "batch"]) -> Float[Array, "batch"]:
        return distributions.von_mises_log_prob(value, self.direction, self.log_sd)


@runtime_checkable
class Kind(Protocol):
    """What the objective needs to know of a kind of code.

    `size` is the number of categories, and 1 for every other kind.

    Attributes:
      is_categorical: whether the values are the categories 0 .. size - 1.
    """

    is_categorical: bool

    def prior_sd(self, size: int) -> float:
        """Returns the standard deviation of the prior."""

    def sweep(self, size: int, steps: int) -> Shaped[np.ndarray, "columns"]:
        """Returns the values that a traversal takes, `steps` of a continuous code."""

    def entropy(self, size: int) -> float:
        """Returns H(c) of the prior in nats; differential for a continuous code."""

    def input_size(self, size: int) -> int:
        """Returns how many of G's inputs the code takes."""

    def output_size(self, size: int, spread: Spread) -> int:
        """Returns how many of Q's outputs describe the posterior."""

    def sample(self, uniform: Float[Array, "batch"], size: int) -> Array:
        """Returns values [batch] from the prior, one for each number from U(-1, 1)."""

    def pack(self, values: Array, size: int) -> Float[Array, "batch inputs"]:
        """Returns G's inputs of values."""

    def unpack(self, outputs: Float[Array, "batch outputs"], spread: Spread) -> Any:
        """Returns the posterior that Q's outputs describe.

        It is a `Categorical` or a `ContinuousPosterior`.
        """


class CategoricalKind:
    """Equally likely categories, packed as one-hot vectors; Q gives their logits."""

    is_categorical = True

    def prior_sd(self, size: int) -> float:
        return math.sqrt((size**2 - 1) / 12.0)

    def sweep(self, size: int, steps: int) -> Int[np.ndarray, "size"]:
        """All categories, however many steps are asked for."""
        return np.arange(size, dtype=np.int32)

    def entropy(self, size: int) -> float:
        return distributions.categorical_entropy(size)

    def input_size(self, size: int) -> int:
        return size

    def output_size(self, size: int, spread: Spread) -> int:
        return size

    def sample(self, uniform: Float[Array, "batch"], size: int) -> Int[Array, "batch"]:
        return distributions.category(uniform, size)

    def pack(
        self, values: Int[Array, "batch"], size: int
    ) -> Float[Array, "batch inputs"]:
        return jax.nn.one_hot(values, size)

    def unpack(
        self, outputs: Float[Array, "batch outputs"], spread: Spread
    ) -> Categorical:
        return Categorical(outputs)


class ContinuousKind:
    """One real number, packed as it is; Q gives the mean and log sd of a normal.

    A learned standard deviation is exp(output) + floor, computed in log space. It is
    smooth and never below the floor. Near the floor it keeps a gradient until
    exp(output) underflows in float32. A subclass adds its prior: `prior_sd`, `entropy`
    and `sample`.
    """

    is_categorical = False

    def sweep(self, size: int, steps: int) -> Float[np.ndarray, "steps"]:
        """Even steps from -2 to 2, wider than a uniform prior, as in figure 2."""
        return np.linspace(-2.0, 2.0, steps, dtype=np.float32)

    def input_size(self, size: int) -> int:
        return 1

    def output_size(self, size: int, spread: Spread) -> int:
        return 2 if spread.fixed is None else 1

    def pack(
        self, values: Float[Array, "batch"], size: int
    ) -> Float[Array, "batch inputs"]:
        return values[:, None]

    def unpack(self, outputs: Float[Array, "batch outputs"], spread: Spread) -> Any:
        return Normal(outputs[:, 0], _log_sd(outputs[:, 1:], spread))


def _log_sd(outputs: Float[Array, "batch _"], spread: Spread) -> Float[Array, "batch"]:
    """Returns the log sd that one output describes, or none where it is fixed."""
    if spread.fixed is not None:
        return jnp.full(outputs.shape[:1], jnp.log(spread.fixed))
    return jnp.logaddexp(outputs[:, 0], jnp.log(spread.floor))


class UniformKind(ContinuousKind):
    """U(-1, 1)."""

    def prior_sd(self, size: int) -> float:
        return 1.0 / math.sqrt(3.0)

    def entropy(self, size: int) -> float:
        return distributions.uniform_entropy()

    def sample(
        self, uniform: Float[Array, "batch"], size: int
    ) -> Float[Array, "batch"]:
        return uniform


class GaussianKind(ContinuousKind):
    """N(0, 1)."""

    def prior_sd(self, size: int) -> float:
        return 1.0

    def entropy(self, size: int) -> float:
        return distributions.normal_entropy()

    def sample(
        self, uniform: Float[Array, "batch"], size: int
    ) -> Float[Array, "batch"]:
        return distributions.standard_normal(uniform)


class AngleKind(ContinuousKind):
    """An angle in radians, uniform on the circle, for what turns once around.

    G receives its cosine and sine, so that -pi and pi are one image. Q gives a
    direction and the log sd of a von Mises distribution.
    """

    def prior_sd(self, size: int) -> float:
        return math.pi / math.sqrt(3.0)

    def sweep(self, size: int, steps: int) -> Float[np.ndarray, "steps"]:
        """Even steps from -pi to pi, once around."""
        return np.linspace(-math.pi, math.pi, steps, dtype=np.float32)

    def entropy(self, size: int) -> float:
        return distributions.angle_entropy()

    def input_size(self, size: int) -> int:
        return 2

    def output_size(self, size: int, spread: Spread) -> int:
        return 3 if spread.fixed is None else 2

    def sample(
        self, uniform: Float[Array, "batch"], size: int
    ) -> Float[Array, "batch"]:
        return math.pi * uniform

    def pack(
        self, values: Float[Array, "batch"], size: int
    ) -> Float[Array, "batch inputs"]:
        return jnp.stack([jnp.cos(values), jnp.sin(values)], axis=1)

    def unpack(
        self, outputs: Float[Array, "batch outputs"], spread: Spread
    ) -> VonMises:
        plane = outputs[:, :2]
        length = jnp.sqrt(jnp.sum(plane**2, axis=1, keepdims=True) + _SHORTEST**2)
        return VonMises(plane / length, _log_sd(outputs[:, 2:], spread))


KINDS: dict[str, Kind] = {
    "categorical": CategoricalKind(),
    "uniform": UniformKind(),
    "gaussian": GaussianKind(),
    "angle": AngleKind(),
}
"""By the name in a config; a kind of one's own is added here."""
