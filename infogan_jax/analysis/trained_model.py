"""A trained InfoGAN, with the images on which it is evaluated.

The network outputs and generated images that several sections of the report need are
computed at their first use and then kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from infogan_jax.analysis import encode, generate
from infogan_jax.analysis.encode import NetworkOutputs
from infogan_jax.analysis.reconstruction import reconstruct
from infogan_jax.data import scaling
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.data.labelled import Labelled
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState
from infogan_jax.model import latents
from infogan_jax.model.latents import Codes, LatentSpec

LIMIT = 10_000
"""The largest number of real images of a split that any metric uses."""


class Generated(NamedTuple):
    """Generated images as bytes, their codes, and Q's outputs for them.

    Q's outputs are computed before the rounding to bytes, with the batch statistics of
    512 images at a time, as in training.
    """

    codes: Codes
    images: UInt8[np.ndarray, "n height width channels"]
    outputs: Float[np.ndarray, "n outputs"]


@dataclass(frozen=True)
class TrainedModel:
    """A trained InfoGAN, and the images on which it is evaluated.

    Attributes:
      algorithm: codes and networks.
      state: the trained parameters.
      seed: the seed of all random draws.
      samples: the number of images to generate.
      train: at most 10,000 of the training images.
      test: at most 10,000 of the held-out images.
      data_name: the name of the data set, as a part of metric names.
      test_is_held_out: whether the images of `test` are not in `train` as well.
      factor_names: of the true factors of the images, where they are known.
      factor_kinds: of these factors (`Dataset.factor_kinds`).
      labelled: the training images whose labels training used; None without any.
    """

    algorithm: Algorithm
    state: TrainState
    seed: int
    samples: int
    train: Split
    test: Split
    data_name: str
    test_is_held_out: bool = True
    factor_names: tuple[str, ...] = ()
    factor_kinds: tuple[str, ...] = ()
    labelled: Labelled | None = None

    @property
    def spec(self) -> LatentSpec:
        return self.algorithm.spec

    @property
    def train_description(self) -> str:
        """The number of training images, in words for protocols."""
        return f"{len(self.train.images)} training images"

    @property
    def test_description(self) -> str:
        """The number of images in `test`, in words for protocols."""
        kind = "held-out images" if self.test_is_held_out else "images, not held out"
        return f"{len(self.test.images)} {kind}"

    @cached_property
    def train_outputs(self) -> NetworkOutputs:
        """The outputs of D and Q for the training images."""
        return self.apply_discriminator(self.train.images)

    @cached_property
    def test_outputs(self) -> NetworkOutputs:
        """The outputs of D and Q for the images of `test`."""
        return self.apply_discriminator(self.test.images)

    @cached_property
    def generated(self) -> Generated:
        """`samples` generated images."""
        drawn = generate.sample_latents(self.spec, self.seed, self.samples)
        range_ = self.algorithm.nets.output_range
        parts = [
            (
                scaling.to_uint8(part, range_),
                self.apply_discriminator(part, batch_statistics=True).outputs,
            )
            for part in self.generate(self.samples)
        ]
        images, outputs = (np.concatenate(part) for part in zip(*parts, strict=True))
        codes = {name: jnp.asarray(value) for name, value in drawn.codes.items()}
        return Generated(codes, images, outputs)

    @cached_property
    def reconstructed(self) -> UInt8[np.ndarray, "n height width channels"]:
        """What G makes of the codes that Q reads in the images of `test`."""
        posterior = latents.posterior(self.spec, jnp.asarray(self.test_outputs.outputs))
        nets, sampling = self.algorithm.nets, self.state.sampling
        return reconstruct(self.spec, nets, sampling, posterior, self.seed)

    def generate(
        self, count: int
    ) -> Iterator[Float[np.ndarray, "batch height width channels"]]:
        """Yields `count` generated images in the networks' range, a batch at a time."""
        nets, state = self.algorithm.nets, self.state
        drawn = generate.sample_latents(self.spec, self.seed, count)
        return generate.generate_in_batches(self.spec, nets, *state.sampling, drawn)

    def apply_discriminator(
        self, images: encode.Images, *, batch_statistics: bool = False
    ) -> NetworkOutputs:
        """Returns the outputs of D and Q for any images (`encode`)."""
        nets, state = self.algorithm.nets, self.state
        return encode.apply_discriminator(
            nets, state.params, state.stats, images, batch_statistics=batch_statistics
        )


def from_dataset(
    algorithm: Algorithm,
    state: TrainState,
    seed: int,
    samples: int,
    dataset: Dataset,
    labelled: Labelled | None = None,
) -> TrainedModel:
    """Returns the model with the images of a data set, or a fixed subset of them."""
    provenance = dataset.provenance
    return TrainedModel(
        algorithm,
        state,
        seed,
        samples,
        subset(dataset.train),
        subset(dataset.test),
        re.sub(r"\W+", "_", str(provenance["name"]).split("/")[0]),
        provenance.get("test_is_held_out", True),
        dataset.factor_names,
        dataset.factor_kinds,
        labelled,
    )


def subset(split: Split, limit: int = LIMIT) -> Split:
    """Returns at most `limit` images of a split, the same ones at every call."""
    count = len(split.images)
    if count <= limit:
        return split
    rows = np.sort(np.random.default_rng(0).permutation(count)[:limit])
    labels, factors, values = (
        None if each is None else each[rows]
        for each in (split.labels, split.factors, split.factor_values)
    )
    images = np.asarray(split.images[rows])
    return Split(images, labels, factors, factor_values=values)
