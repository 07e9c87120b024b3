"""What is measured: a trained InfoGAN, images it knows, images held out.

What several themes need (the codes of real images, generated images) is computed
when it is first asked for, and kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from infogan_jax import encode, images, traversals
from infogan_jax.algorithm import Algorithm
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.encode import Judgement
from infogan_jax.latents import Codes, LatentSpec
from infogan_jax.state import TrainState

LIMIT = 10_000
"""No measure looks at more real images, nor at more generated ones than asked for."""


class Generated(NamedTuple):
    """Images of G, the codes they were made from, and what Q reads in them.

    Batch norm is as in training: Q reads them 512 at a time, by their own statistics.
    """

    codes: Codes
    images: UInt8[np.ndarray, "n height width channels"]
    outputs: Float[np.ndarray, "n outputs"]


@dataclass(frozen=True)
class Subject:
    """A trained InfoGAN, and what it is measured on.

    Attributes:
      algorithm: codes and networks.
      state: the trained parameters.
      seed: of everything that is drawn.
      samples: how many images to generate.
      train: at most 10,000 of the training images.
      test: at most 10,000 of the held-out images.
      data: the name of the data set, as a word.
      test_is_held_out: whether those of `test` are not in `train` as well.
    """

    algorithm: Algorithm
    state: TrainState
    seed: int
    samples: int
    train: Split
    test: Split
    data: str
    test_is_held_out: bool = True

    @property
    def spec(self) -> LatentSpec:
        return self.algorithm.spec

    @property
    def known(self) -> str:
        """The training images, in words."""
        return f"{len(self.train.images)} training images"

    @property
    def unknown(self) -> str:
        """The images of `test`, in words."""
        kind = "held-out images" if self.test_is_held_out else "images, not held out"
        return f"{len(self.test.images)} {kind}"

    @cached_property
    def train_read(self) -> Judgement:
        """What D and Q make of the training images."""
        return self.judge(self.train.images)

    @cached_property
    def test_read(self) -> Judgement:
        """What D and Q make of the held-out images."""
        return self.judge(self.test.images)

    @cached_property
    def generated(self) -> Generated:
        """`samples` images of G, rounded to bytes after Q has read them."""
        drawn = traversals.draw(self.spec, self.seed, self.samples)
        range_ = self.algorithm.nets.output_range
        parts = [
            (images.to_uint8(part, range_), self.judge(part, together=True).outputs)
            for part in self.paint(self.samples)
        ]
        painted, outputs = (np.concatenate(part) for part in zip(*parts, strict=True))
        codes = {name: jnp.asarray(value) for name, value in drawn.codes.items()}
        return Generated(codes, painted, outputs)

    def paint(
        self, count: int
    ) -> Iterator[Float[np.ndarray, "batch height width channels"]]:
        """`count` images of G in the networks' range, a batch at a time."""
        nets, state = self.algorithm.nets, self.state
        drawn = traversals.draw(self.spec, self.seed, count)
        return traversals.paint_in_batches(self.spec, nets, *state.sampling, drawn)

    def judge(self, pictures: encode.Pictures, *, together: bool = False) -> Judgement:
        """D and Q on any images; each on its own (running averages) or `together`."""
        nets, state = self.algorithm.nets, self.state
        return encode.judge(
            nets, state.params, state.stats, pictures, together=together
        )


def choose(
    algorithm: Algorithm, state: TrainState, seed: int, samples: int, dataset: Dataset
) -> Subject:
    """The subject of an evaluation; of large splits some images, drawn for good."""
    about = dataset.provenance
    return Subject(
        algorithm,
        state,
        seed,
        samples,
        subset(dataset.train),
        subset(dataset.test),
        re.sub(r"\W+", "_", str(about["name"]).split("/")[0]),
        about.get("test_is_held_out", True),
    )


def subset(split: Split, limit: int = LIMIT) -> Split:
    """The whole split, or `limit` of its images, always the same ones."""
    count = len(split.images)
    if count <= limit:
        return split
    rows = np.sort(np.random.default_rng(0).permutation(count)[:limit])
    labels, factors = (
        None if each is None else each[rows] for each in (split.labels, split.factors)
    )
    return Split(np.asarray(split.images[rows]), labels, factors)
