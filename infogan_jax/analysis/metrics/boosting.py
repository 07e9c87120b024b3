"""Weights of examples for the next component of a mixture (AdaGAN).

A mixture of generators P_g is to become (1 - beta) P_g + beta Q. For every f-divergence
to the data P_d the best Q has the density (1/beta) (lambda* dP_d - (1 - beta) dP_g)_+
(Tolstikhin et al. 2017, theorem 1). On examples this is a weight for each of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Weights(NamedTuple):
    """Weights of examples, and the number that makes them sum to 1.

    Attributes:
      values: at least 0, with the sum 1.
      level: lambda*; in [beta, 1] for exact ratios, and possibly more for estimates.
    """

    values: Float[np.ndarray, "n"]
    level: float


def optimal_weights(
    ratios: Float[np.ndarray, "n"],
    beta: float,
    prior: Float[np.ndarray, "n"] | None = None,
) -> Weights:
    """Returns w_i = (p_i / beta) (lambda* - (1 - beta) h_i)_+ of every example.

    lambda* = beta / P_I (1 + (1 - beta)/beta sum_{i in I} p_i h_i), P_I the sum of p_i
    over I, is taken for the smallest set I of least ratios that is the set of examples
    with a weight (Tolstikhin et al. 2017, theorem 1 and its algorithm).

    Args:
      ratios: h_i, finite and at least 0: how many times as often the mixture makes an
        example as the data has it.
      beta: the share of the next component, in (0, 1].
      prior: p_i, with the sum 1; 1/n if not given.
    """
    p = np.full(len(ratios), 1.0 / len(ratios)) if prior is None else prior
    order = np.argsort(ratios, kind="stable")
    reached = (1.0 - beta) * ratios[order]
    levels = (beta + np.cumsum(p[order] * reached)) / np.cumsum(p[order])
    is_end = levels <= np.append(reached[1:], np.inf)
    level = float(levels[np.argmax(is_end)])
    values = p / beta * np.maximum(level - (1.0 - beta) * ratios, 0.0)
    return Weights(values / values.sum(), level)


def mixture_weights(betas: Sequence[float]) -> Float[np.ndarray, "components"]:
    """Returns the weight of each component after the last one was added.

    A component that is added with beta_t leaves 1 - beta_t to those before it. With
    beta_t = 1/t all weights are equal. The first beta must be 1.
    """
    weights = np.zeros(0)
    for beta in betas:
        weights = np.append((1.0 - beta) * weights, beta)
    return weights


def effective_size(weights: Float[np.ndarray, "n"]) -> float:
    """Returns (sum w)^2 / sum w^2: how many equal weights would vary as much.

    It is n for equal weights and 1 where one example has all the weight (Kish 1965).
    """
    return float(weights.sum() ** 2 / np.sum(weights**2))


def divergence(first: Float[np.ndarray, "n"], second: Float[np.ndarray, "n"]) -> float:
    """Returns twice the Jensen-Shannon divergence of two finite distributions, nats.

    D_f(first || second) with f(x) = x ln x - (x + 1) ln((x + 1)/2), at most 2 ln 2.
    """
    middle = (first + second) / 2
    return sum(
        float(np.sum(each[each > 0] * np.log(each[each > 0] / middle[each > 0])))
        for each in (first, second)
    )
