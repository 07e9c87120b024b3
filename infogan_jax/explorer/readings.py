"""What Q reads in a picture, G's images of it, and the training images most like it."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from infogan_jax.analysis.encode import posterior_arrays
from infogan_jax.analysis.nearest import find_nearest
from infogan_jax.analysis.trained_model import subset
from infogan_jax.data.dataset import Split
from infogan_jax.explorer.views import BATCH, row_noise
from infogan_jax.model import latents
from infogan_jax.model.latents import Latents
from infogan_jax.trained.infogan import InfoGAN, most_probable

NEIGHBOURS = 8
PART = 512

Images = UInt8[np.ndarray, "n height width channels"]


class Reading(NamedTuple):
    """What Q reads in one picture.

    Attributes:
      codes: for each code `probabilities` of a categorical one, `mean` and `sd` of a
        continuous one.
      reconstructions: G's images of the most probable category and the means, each of
        other noise.
    """

    codes: dict[str, dict[str, Any]]
    reconstructions: Images


def read(model: InfoGAN, picture: UInt8[np.ndarray, "h w channels"]) -> Reading:
    """Returns what Q reads in a picture of the networks' size."""
    outputs = jnp.asarray(model.outputs(picture[None]).outputs)
    posterior = latents.posterior(model.spec, outputs)
    codes: dict[str, dict[str, Any]] = {code.name: {} for code in model.codes}
    for name, values in posterior_arrays(posterior).items():
        code, _, part = name.rpartition("/")
        codes[code][part] = values[0].tolist()
    noise = row_noise(model.spec, 0)
    chosen: Any = {
        name: np.repeat(value, len(noise), axis=0)
        for name, value in most_probable(posterior).items()
    }
    return Reading(codes, model.generate(Latents(chosen, noise), BATCH))  # type: ignore[arg-type]


class Neighbours:
    """The training images, by the features that D and Q share, as `infogan nearest`.

    At the first question at most 10,000 of them are read, and their features kept.
    """

    def __init__(self, model: InfoGAN, load: Callable[[], Split]) -> None:
        """Keeps how to `load` the training images for later."""
        self._model, self._load = model, load

    @cached_property
    def _known(self) -> tuple[Images, Float[np.ndarray, "n features"], int]:
        split = self._load()
        images = np.asarray(subset(split).images)
        return images, self._model.outputs(images).features, len(split.images)

    def of(
        self, picture: UInt8[np.ndarray, "h w channels"]
    ) -> tuple[Images, Float[np.ndarray, "n"], str]:
        """Returns the nearest images, their distances, and among how many they are.

        Raises:
          UserError: where the training images are not there.
        """
        images, features, total = self._known
        query = self._model.outputs(picture[None]).features[0]
        parts = (features[i : i + PART] for i in range(0, len(features), PART))
        found = find_nearest(query, parts, NEIGHBOURS)
        among = f"{len(images)} of {total}" if len(images) < total else f"{total}"
        return images[found.places], found.distances, f"{among} training images"
