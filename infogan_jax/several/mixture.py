"""A weighted mixture of trained runs: samples of it, and what its Qs read in images.

The component of a sample is a code as well: its prior is the weights, and a classifier
of the mixture's own samples is its Q.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from infogan_jax.analysis import encode, generate
from infogan_jax.analysis.classifier import LAYERS, Classifier, train_classifier
from infogan_jax.data import scaling
from infogan_jax.errors import UserError
from infogan_jax.experiment import NO_EXTENSIONS, Experiment, Extensions
from infogan_jax.game.state import TrainState
from infogan_jax.model import notation
from infogan_jax.restoring import restore
from infogan_jax.several import boosting_record

SAMPLES = 10_000
"""Samples to which the classifier of components is fitted."""

Bytes = UInt8[np.ndarray, "n height width channels"]


class Component(NamedTuple):
    """A trained run in a mixture."""

    exp: Experiment
    state: TrainState


class Samples(NamedTuple):
    """Images of a mixture, in random order, and the component of each."""

    images: Bytes
    components: Int[np.ndarray, "n"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Trained runs of one config with a weight each.

    Attributes:
      components: the runs, in the order in which they were added.
      weights: at least 0, with the sum 1.
    """

    components: tuple[Component, ...]
    weights: Float[np.ndarray, "components"]

    def sample(self, count: int, seed: int = 0) -> Samples:
        """Draws images: first a component by weight, then an image of its averaged G.

        The same arguments give the same bytes.
        """
        draw = np.random.default_rng(seed).choice
        chosen = draw(len(self.weights), size=count, p=self.weights)
        shape = self.components[0].exp.image_shape
        images = np.zeros((count, *shape), np.uint8)
        for place, component in enumerate(self.components):
            rows = np.flatnonzero(chosen == place)
            if len(rows):
                images[rows] = _generate(component, place, len(rows), seed)
        return Samples(images, chosen)

    def generate(self, place: int, count: int, seed: int = 0) -> Bytes:
        """Draws images of one component."""
        return _generate(self.components[place], place, count, seed)

    def posterior(self, images: Bytes) -> dict[str, np.ndarray]:
        """Returns Q(k | x) of the component k, and Q_k(c | x) of the codes.

        The posterior of both is their product, Q(k, c | x) = Q(k | x) Q_k(c | x).
        Q(k | x) is the output of a classifier of 10,000 samples of the mixture, fitted
        to their components: it estimates w_k p_k(x) / sum_j w_j p_j(x), with the
        weights w and the densities p of the components. Q_k is the Q of component k.

        Returns:
          `component/probabilities` [n, components]; of a categorical code
          `<code>/probabilities` [n, components, categories], of a continuous one
          `<code>/mean` and `<code>/sd` [n, components].
        """
        read = [
            encode.posterior_arrays(
                encode.encode(
                    exp.algorithm.spec,
                    exp.algorithm.nets,
                    state.params,
                    state.stats,
                    images,
                )
            )
            if exp.algorithm.spec.codes
            else {}
            for exp, state in self.components
        ]
        stacked = {name: np.stack([own[name] for own in read], 1) for name in read[0]}
        return {"component/probabilities": self.component_of(images)} | stacked

    def component_of(self, images: Bytes) -> Float[np.ndarray, "n components"]:
        """Returns Q(k | x), the probability of each component at each image."""
        count = len(self.components)
        if count == 1:
            return np.ones((len(images), 1))
        shares = self._classifier.probabilities(images)
        return np.pad(shares, ((0, 0), (0, count - shares.shape[1])))

    def component_information(self, count: int = 2000, seed: int = 1) -> float:
        """Returns a lower bound of the information that an image has on its component.

        H(w) + E log Q(k | x) in nats, on samples that the classifier has not seen. It
        is near H(w) where no two components make the same images, and 0 or less where
        all make the same.
        """
        images, components = self.sample(count, seed)
        shares = self.component_of(images)[np.arange(count), components]
        positive = self.weights[self.weights > 0]
        entropy = -np.sum(positive * np.log(positive))
        return float(entropy + np.mean(np.log(np.maximum(shares, 1e-12))))

    @property
    def layers(self) -> str:
        """Hidden layers of classifiers of its images: the trunk, with batch norm."""
        trunk = self.components[0].exp.flat["networks.trunk"] or LAYERS
        layers = notation.parse_layers(trunk, "config.networks.trunk")
        return ", ".join(notation.as_text(replace(each, norm=True)) for each in layers)

    @cached_property
    def _classifier(self) -> Classifier:
        """Tells the components apart.

        A component without a sample among 10,000 has the probability 0.
        """
        images, components = self.sample(SAMPLES)
        return train_classifier(images, components, layers=self.layers)


def _generate(component: Component, place: int, count: int, seed: int) -> Bytes:
    exp, state = component
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    own = int(np.random.SeedSequence([seed, place]).generate_state(1)[0])
    drawn = generate.sample_latents(spec, own, count, "mixture")
    images = generate.generate(spec, nets, *state.sampling, drawn)
    return scaling.to_uint8(images, nets.output_range)


def load_mixture(
    workdir: Path | str,
    rounds: int | None = None,
    extensions: Extensions = NO_EXTENSIONS,
) -> Mixture:
    """Returns the mixture of a directory that `infogan boost` has written.

    Args:
      workdir: with `boost.json`.
      rounds: how many of its components, the first ones; None is all.
      extensions: those with which the runs were trained.

    Raises:
      UserError: where there is no such record, or fewer components.
    """
    workdir = Path(workdir)
    record = boosting_record.read(workdir)
    done = [each for each in record["rounds"] if "measures" in each]
    count = len(done) if rounds is None else rounds
    if not 0 < count <= len(done):
        raise UserError(
            f"rounds (={rounds}) must be from 1 to the {len(done)} trained components "
            f"of {workdir}; train more with `infogan boost --rounds`."
        )
    components = tuple(
        Component(*restore(workdir / each["run"], extensions=extensions))
        for each in done[:count]
    )
    return Mixture(components, np.array(done[count - 1]["mixture_weights"]))


def of_runs(runs: Sequence[Path], weights: Sequence[float]) -> Mixture:
    """Returns a mixture of any runs of one config, with given weights."""
    components = tuple(Component(*restore(run)) for run in runs)
    return Mixture(components, np.array(weights) / np.sum(weights))
