"""A trained InfoGAN to use: sample, encode, traverse.

This is the one object behind the commands for a trained run, and the one to take into a
program of your own: `infogan_jax.load("runs/digits").sample(100)`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt8

from infogan_jax.analysis import code_values, generate, traversals
from infogan_jax.analysis import encode as encoder
from infogan_jax.analysis.code_values import Ranges
from infogan_jax.analysis.encode import Images, NetworkOutputs
from infogan_jax.data import scaling
from infogan_jax.data.rendering import Rules
from infogan_jax.errors import UserError
from infogan_jax.model.code_kinds import Categorical
from infogan_jax.model.latents import Code, Latents, LatentSpec, Posterior
from infogan_jax.model.networks import Networks, Variables
from infogan_jax.run import code_names
from infogan_jax.run.code_names import Names
from infogan_jax.trained.pictures import read_picture

Pictures = UInt8[np.ndarray, "n height width channels"]
"""Images as bytes."""


Chosen = str | Mapping[str, Any]
"""Values of codes: as the text of --codes, or each a number, a category's name, or a
pair (low, high); the codes by their names. Those that are not named are drawn."""


@dataclass(frozen=True, eq=False)
class InfoGAN:
    """A trained InfoGAN: images of codes, and codes of images.

    Attributes:
      workdir: the run directory that it was loaded from.
      config: as recorded, nested.
      step: the number of steps that it was trained for.
      spec: codes and noise.
      nets: the networks G, D and Q.
      params: the parameters of D and Q (and of G without its average).
      stats: their batch-norm averages.
      sampling: parameters and batch-norm averages for G, of its average if it is on.
      names: what codes and categories are called (`names.json`).
      rules: by which the run's data was read, and further pictures are.
    """

    workdir: Path
    config: Mapping[str, Any]
    step: int
    spec: LatentSpec
    nets: Networks
    params: Variables
    stats: Variables
    sampling: tuple[Variables, Variables]
    names: Names
    rules: Rules

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes, in the order of the config."""
        return self.spec.codes

    @property
    def seed(self) -> int:
        """The seed of the run, from which its pictures are drawn."""
        seed: int = self.config["seed"]
        return seed

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images that G makes and Q reads."""
        return self.nets.image_shape

    def code(self, name: str) -> Code:
        """Returns the code of a name: its given one, or that of the config.

        Raises:
          UserError: where there is none.
        """
        return code_names.find_code(self.names, self.codes, name)

    def shown(self, code: Code) -> str:
        """Returns what a code is called in tables and files."""
        return code_names.shown(self.names, code)

    def ranges(self, codes: Chosen) -> Ranges:
        """Returns chosen values by code.

        Raises:
          UserError: for a code or a category that is not there, or a value that is not
            finite.
        """
        text = codes if isinstance(codes, str) else _text(codes)
        return code_values.parse(text, self.codes, self.names)

    def latents_in_batches(
        self, count: int, codes: Chosen = "", seed: int = 0, *, hold: bool = False
    ) -> Iterator[Latents]:
        """Yields the latents of `sample`, at most 512 at a time."""
        ranges, first = self.ranges(codes), 0
        for drawn in generate.latents_in_batches(self.spec, seed, count):
            if hold and first == 0:
                held = jax.tree.map(lambda leaf: leaf[:1], drawn)
            if hold:
                size = len(drawn.noise)
                drawn = jax.tree.map(lambda leaf, n=size: leaf.repeat(n, 0), held)
            yield code_values.fill(drawn, self.codes, ranges, first, count)
            first += len(drawn.noise)

    def latents(
        self, count: int, codes: Chosen = "", seed: int = 0, *, hold: bool = False
    ) -> Latents:
        """Returns codes and noise of `count` images, as `sample` draws them."""
        parts = list(self.latents_in_batches(count, codes, seed, hold=hold))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)

    def sample(
        self, count: int, codes: Chosen = "", seed: int = 0, *, hold: bool = False
    ) -> Pictures:
        """Generates images; the same arguments give the same bytes.

        Args:
          count: how many.
          codes: such as "categorical_0=3, uniform_1=-2..2" or {"uniform_1": (-2, 2)}.
            Over a range a continuous code goes in even steps from the first image to
            the last, and a categorical code takes its categories in turn.
          seed: of the codes that are not chosen, and of the noise.
          hold: whether these are the same in every image.

        Raises:
          UserError: as `ranges`.
        """
        return self.generate(self.latents(count, codes, seed, hold=hold))

    def generate(
        self, drawn: Latents, batch_size: int = generate.BATCH_SIZE
    ) -> Pictures:
        """Returns the images of latents.

        A program is compiled for each `batch_size`; a small one answers sooner where
        only a few images are asked for.
        """
        images = generate.generate(
            self.spec, self.nets, *self.sampling, drawn, batch_size
        )
        return scaling.to_uint8(images, self.nets.output_range)

    def traverse(
        self,
        code: str | Code,
        rows: int = 10,
        steps: int = 10,
        seed: int | None = None,
    ) -> UInt8[np.ndarray, "rows columns height width channels"]:
        """Generates rows of images in which only one code changes.

        A categorical code takes all its categories from column to column, a continuous
        one `steps` values from -2 to 2. The rows are those of the run's own pictures
        unless another seed is given. Of a code with a parent they go through the
        categories of the parent.
        """
        code = self.code(code) if isinstance(code, str) else code
        seed = self.seed if seed is None else seed
        base = traversals.base_latents(self.spec, seed, rows, code)
        drawn, columns = traversals.traverse(code, base, steps)
        return self.generate(drawn).reshape(rows, columns, *self.image_shape)

    def posterior(self, images: Images) -> Posterior:
        """Returns Q's posterior of every code for each image."""
        return encoder.encode(
            self.spec, self.nets, self.params, self.stats, self._fitting(images)
        )

    def encode(self, images: Images) -> dict[str, np.ndarray]:
        """Returns what Q reads in images: one row for each image.

        Args:
          images: bytes, or floats in the networks' range (`nets.output_range`).

        Returns:
          `<code>/probabilities` [n, k] of a categorical code, `<code>/mean` and
          `<code>/sd` [n] of a continuous one, by the names of the config. Those of a
          code with a parent are within the most probable category of the parent.

        Raises:
          UserError: where the images have another shape.
        """
        return dict(encoder.posterior_arrays(self.posterior(images)))

    def outputs(self, images: Images) -> NetworkOutputs:
        """Returns D's logits, Q's outputs and the trunk's features of images."""
        return encoder.apply_discriminator(
            self.nets, self.params, self.stats, self._fitting(images)
        )

    def reconstruct(self, images: Images, seed: int = 0) -> Pictures:
        """Returns G's images of the codes that Q reads: G(codes of Q, noise).

        The codes are the most probable category and the mean; what no code tells is
        noise, drawn from the seed and the same for every image.
        """
        drawn = self.latents(len(images), seed=seed, hold=True)
        codes: Any = most_probable(self.posterior(images))
        return self.generate(drawn._replace(codes=codes))

    def read(self, file: Path | BytesIO) -> UInt8[np.ndarray, "height width channels"]:
        """Returns a picture as `read_picture` reads it for this run.

        Raises:
          UserError: where it cannot be decoded, or cannot be given the size.
        """
        return read_picture(file, self.image_shape, self.rules)

    def _fitting(self, images: Images) -> Images:
        if not self.codes:
            raise UserError(f"{self.workdir} is a run without codes: none to read.")
        if images.shape[1:] != self.image_shape:
            raise UserError(
                f"images (of shape {images.shape}) must be [n, "
                f"{', '.join(map(str, self.image_shape))}]; resize them."
            )
        return images


def most_probable(posterior: Posterior) -> dict[str, np.ndarray]:
    """Returns the most probable category, or the mean, of every code [n]."""
    return {
        name: np.asarray(q.logits.argmax(-1), np.int32)
        if isinstance(q, Categorical)
        else np.asarray(q.mean, np.float32)
        for name, q in posterior.items()
    }


def _text(codes: Mapping[str, Any]) -> str:
    """Returns chosen values as the text of --codes."""
    values = {
        name: "..".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in codes.items()
    }
    return ", ".join(f"{name}={value}" for name, value in values.items())
