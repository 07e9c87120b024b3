"""Config -> experiment: validates a config and builds what it describes.

What a field means is decided here and in `building` alone, so that training and
evaluation cannot differ in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from flax.traverse_util import unflatten_dict
from jaxtyping import Array

from infogan_jax.building import GENERATOR, build_algorithm, group
from infogan_jax.data import batches, labelled
from infogan_jax.data.batches import Feed
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.labelled import Labelled
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError
from infogan_jax.fields import RULES
from infogan_jax.game import labels, memory_estimate
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.state import TrainState, create_state
from infogan_jax.game.terms import Term
from infogan_jax.machine import compilation, memory
from infogan_jax.model import notation
from infogan_jax.model.networks import Modules
from infogan_jax.validation import check, check_relations

GIB = 2**30
EXTENSIONS = "extensions"


@dataclass(frozen=True)
class Experiment:
    """What a config describes, built: algorithm, and data where it is asked for.

    Attributes:
      config: the validated config, nested, as it is recorded.
      flat: the same with dotted names.
      algorithm: codes, networks, optimisers and switches of the step.
      load: reads the data, once, and checks that it fits.
    """

    config: dict[str, Any]
    flat: dict[str, Any]
    algorithm: Algorithm
    load: Callable[[], Dataset]

    @cached_property
    def dataset(self) -> Dataset:
        """Images, and labels for evaluation, read when they are first asked for.

        Raises:
          UserError: where there is no such data, or it does not fit the config.
          RunFailure: where it cannot be downloaded or prepared.
        """
        return self.load()

    @cached_property
    def labelled(self) -> Labelled | None:
        """The training images whose labels training uses; None where it uses none."""
        if count := self.flat["labels.count"]:
            return labelled.draw(self.dataset.train, count, self.seed)
        return None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (height, width, channels) of an image; no data is read for it."""
        return self.algorithm.nets.image_shape

    def like(self, other: "Experiment") -> "Experiment":
        """Returns another experiment on the same images, which are shared."""
        return replace(other, load=lambda: self.dataset)

    @property
    def seed(self) -> int:
        return self.flat["seed"]

    @property
    def steps(self) -> int:
        return self.flat["training.steps"]

    @property
    def steps_per_call(self) -> int:
        return self.flat["training.steps_per_call"]

    @property
    def batch_size(self) -> int:
        return self.flat["data.batch_size"]

    @property
    def samples(self) -> int:
        return self.flat["evaluation.samples"]

    @property
    def trackers(self) -> str:
        return self.flat["training.trackers"]

    @property
    def crop(self) -> int:
        return self.flat["data.crop"]

    def is_due(self, cadence: str, step: int) -> bool:
        """Whether `log`, `picture` or `checkpoint` is due after `step` steps."""
        every = self.flat[f"training.{cadence}_every"]
        return step % every == 0 or step == self.steps

    def first_state(self) -> TrainState:
        """Draws the state before the first step."""
        return _first_state(self.algorithm)(jnp.uint32(self.seed))

    def call_ends(self, first_step: int) -> range:
        """Returns the number of finished steps after each call of the step."""
        per_call = self.steps_per_call
        return range(first_step + per_call, self.steps + 1, per_call)

    def feed(self, first_step: int) -> Feed:
        """Returns the real images for every call of the step from `first_step` on."""
        make = batches.streamed if self.flat["data.stream"] else batches.resident
        feed = make(
            self.dataset.train.images,
            self.seed,
            range(first_step, self.steps, self.steps_per_call),
            self.batch_size,
            self.dataset.train.weights,
        )
        return batches.with_labelled(feed, self.labelled) if self.labelled else feed


@lru_cache(maxsize=4)
def _first_state(algorithm: Algorithm) -> Callable[[Array], TrainState]:
    return compilation.jit_once(partial(create_state, algorithm))


@dataclass(frozen=True)
class Extensions:
    """What a user's program adds to a config, or puts in place of a part of it.

    A run records their names only: who restores it gives the same ones again.

    Attributes:
      dataset: images in place of those that `config.data` describes.
      modules: Flax modules in place of some of `generator`, `trunk` and `recognition`
        (`networks.with_modules`).
      terms: what the players maximise besides equation 6 and the bounds of the config.
    """

    dataset: Dataset | None = None
    modules: Modules = field(default_factory=dict)
    terms: tuple[Term, ...] = ()

    def load(self, request: Request) -> Dataset:
        """Returns the data set, or reads the one that is requested."""
        return self.dataset or catalog.load(request)

    @property
    def names(self) -> dict[str, str]:
        """The classes of the modules, and the names of the terms, for the record."""
        named = {name: type(module).__name__ for name, module in self.modules.items()}
        return named | {f"term {term.name}": term.player for term in self.terms}


NO_EXTENSIONS = Extensions()


def build(
    config: Mapping[str, Any], extensions: Extensions = NO_EXTENSIONS
) -> Experiment:
    """Validates a config and builds what it describes, with its data.

    Args:
      config: as in `configs/`, nested.
      extensions: what your program adds.

    Raises:
      UserError: naming the first field that is wrong, before any compilation.
    """
    exp = describe(config, extensions.load, extensions)
    _ = exp.dataset
    return exp


def describe(
    config: Mapping[str, Any],
    load: Callable[[Request], Dataset] = catalog.load,
    extensions: Extensions = NO_EXTENSIONS,
) -> Experiment:
    """Validates a config as `build` does, but reads no data before it is asked for.

    Args:
      config: as in `configs/`, nested.
      load: reads the data of a request.
      extensions: modules and terms; the data comes from `load`.

    Raises:
      UserError: naming the first field that is wrong, as far as no data is needed.
    """
    config = dict(config)
    _check_extensions(config.pop(EXTENSIONS, None), extensions.names)
    flat = check(config, RULES)
    check_relations(flat)
    request = Request(**group(flat, "data", Request))
    algorithm = build_algorithm(flat, request, extensions.modules, extensions.terms)

    @cache
    def load_once() -> Dataset:
        dataset = load(request)
        _check_data(flat, dataset)
        if count := flat["labels.count"]:
            labelled.check_count(dataset.train, count)
            classes = labelled.number_of_classes(dataset.train)
            labels.check_classes(algorithm.spec, algorithm.game, classes)
        return dataset

    recorded = unflatten_dict(flat, sep=".")
    if extensions.names:
        recorded[EXTENSIONS] = extensions.names
    return Experiment(recorded, flat, algorithm, load_once)


def _check_extensions(recorded: Any, given: dict[str, str]) -> None:
    if recorded is not None and recorded != given:
        raise UserError(
            f"the run was trained with the extensions {recorded}, not with {given}; "
            "restore it from Python: infogan_jax.restore(run, extensions=...)."
        )


def _check_data(flat: dict[str, Any], dataset: Dataset) -> None:
    size = len(dataset.train.images)
    if flat["data.batch_size"] > size:
        raise UserError(
            f"config.data.batch_size (={flat['data.batch_size']}) must be at most the "
            f"number of training images (={size}) of {dataset.provenance['name']}; try "
            f"--config.data.batch_size={size}."
        )
    layers = notation.parse_layers(flat["networks.generator"], GENERATOR)
    notation.check_generator(layers, dataset.image_shape, GENERATOR)


def check_memory(exp: Experiment, runs: int = 1, *, with_images: bool = True) -> str:
    """Compares an estimate of what training `runs` at once needs with what is free.

    The estimate is from shapes alone and right to a factor of 2. Without the images no
    data is read for it.

    Returns:
      A warning where the estimate is larger than what is free, else "".

    Raises:
      UserError: where it is more than twice as large, before any compilation.
    """
    devices = jax.local_devices()
    free = memory.available(devices[0])
    is_resident = with_images and not exp.flat["data.stream"]
    images = exp.dataset.train.images.nbytes if is_resident else 0
    share = max(1, exp.batch_size // jax.device_count())
    needed = images + runs * memory_estimate.estimate(exp.algorithm, share)
    if devices[0].platform == "cpu":  # devices of one memory
        needed *= len(devices)
    if free is None or needed <= free:
        return ""
    several = f" with {runs} seeds at once, not --notogether," if runs > 1 else ""
    text = (
        "config.networks, config.latents and config.data.batch_size "
        f"(={exp.batch_size}){several} need about {needed / GIB:,.1f} GiB of "
        f"memory, of which images take {images / GIB:,.1f}, but "
        f"{free / GIB:,.1f} GiB are free; make layers, codes or batches smaller, "
        "or set --config.data.stream=True."
    )
    if needed > 2 * free:
        raise UserError(text)
    return f"warning: {text}"
