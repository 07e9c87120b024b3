"""Config -> experiment: validates a config and builds what it describes.

What a field means is decided here alone, so that training and evaluation cannot differ
in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax.traverse_util import unflatten_dict

from infogan_jax.data import batches
from infogan_jax.data.batches import Feed
from infogan_jax.data.dataset import Dataset, Request
from infogan_jax.data.sources import catalog
from infogan_jax.default_config import RULES
from infogan_jax.errors import UserError
from infogan_jax.game import memory_estimate
from infogan_jax.game.algorithm import Algorithm, Optimisers
from infogan_jax.game.real_information.bounds import RealInformation
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.game.state import TrainState, create_state
from infogan_jax.game.terms import Term
from infogan_jax.machine import compilation, memory
from infogan_jax.model import networks, notation
from infogan_jax.model.latents import LatentSpec
from infogan_jax.model.layers import Layer
from infogan_jax.model.networks import Modules, Networks
from infogan_jax.validation import check, check_relations

GIB = 2**30
EXTENSIONS = "extensions"
GENERATOR = "config.networks.generator"


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

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (height, width, channels) of an image; no data is read for it."""
        return self.algorithm.nets.image_shape

    def with_seed(self, seed: int) -> "Experiment":
        """Returns the experiment with another seed; the images are shared."""
        other = {"seed": seed}
        return replace(self, config=self.config | other, flat=self.flat | other)

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
        create = partial(create_state, self.algorithm)
        return compilation.jit_once(create)(jnp.uint32(self.seed))

    def call_ends(self, first_step: int) -> range:
        """Returns the number of finished steps after each call of the step."""
        per_call = self.steps_per_call
        return range(first_step + per_call, self.steps + 1, per_call)

    def feed(self, first_step: int) -> Feed:
        """Returns the real images for every call of the step from `first_step` on."""
        make = batches.streamed if self.flat["data.stream"] else batches.resident
        return make(
            self.dataset.train.images,
            self.seed,
            range(first_step, self.steps, self.steps_per_call),
            self.batch_size,
        )


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
    spec = LatentSpec(
        notation.parse_codes(flat["latents.codes"]),
        flat["latents.noise_size"],
        flat["latents.noise_kind"],
        flat["latents.fixed_sd"] or None,
        flat["latents.sd_floor"],
    )
    request = Request(**_group(flat, "data", Request))
    algorithm = Algorithm(
        spec,
        networks.with_modules(_networks(flat, spec, request), extensions.modules),
        _optimisers(flat),
        _noise_schedule(flat),
        flat["objective.real_label"],
        flat["objective.info_to_generator"],
        flat["objective.info_to_trunk"],
        flat["optimiser.average_decay"],
        _real_information(flat, spec).terms() + extensions.terms,
    )

    @cache
    def load_once() -> Dataset:
        dataset = load(request)
        _check_data(flat, dataset)
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


def _networks(flat: dict[str, Any], spec: LatentSpec, request: Request) -> Networks:
    field = "config.networks."
    generator, trunk, recognition = (
        notation.parse_layers(flat[f"networks.{name}"], field + name)
        for name in ("generator", "trunk", "recognition")
    )
    image_shape = _image_shape(generator, request)
    features = notation.follow(trunk, image_shape, f"{field}trunk")
    notation.follow(recognition, features, f"{field}recognition")
    return networks.build(
        generator=generator,
        trunk=trunk,
        recognition=recognition,
        input_size=spec.input_size,
        output_size=spec.output_size,
        image_shape=image_shape,
        slope=flat["networks.lrelu_slope"],
        spectral_norm=flat["networks.spectral_norm"],
        precision=flat["networks.precision"],
    )


def _image_shape(
    generator: tuple[Layer, ...], request: Request
) -> tuple[int, int, int]:
    """Returns the shape of G's images, which is that of the data as far as it is known.

    Raises:
      UserError: where G makes no images, or others than the request asks for.
    """
    shape = notation.follow(generator, (), GENERATOR)
    if len(shape) == 1:
        raise UserError(
            f"{GENERATOR} makes vectors of {shape[0]}, not images; let it end in an "
            "upconv, or in fc HEIGHTxWIDTHxCHANNELS."
        )
    height, width, channels = shape or (1, 1, 1)
    side = request.size or request.crop
    asked = side or height, side or width, request.channels or channels
    asked = catalog.SHAPES.get(request.source, asked)
    notation.check_generator(generator, asked, GENERATOR)
    return asked


def _optimisers(flat: dict[str, Any]) -> Optimisers:
    return Optimisers(
        _optimiser(flat, flat["optimiser.discriminator_learning_rate"]),
        _optimiser(flat, flat["optimiser.generator_learning_rate"]),
    )


def _optimiser(flat: dict[str, Any], rate: float) -> optax.GradientTransformation:
    """Returns Adam, with clipping and a schedule of the rate if they are on."""
    warmup, decay = flat["optimiser.warmup_steps"], flat["optimiser.decay_steps"]
    schedule: float | optax.Schedule = rate
    if decay:
        schedule = optax.cosine_decay_schedule(rate, decay)
    if warmup:
        later = schedule if decay else optax.constant_schedule(rate)
        rising = optax.linear_schedule(0.0, rate, warmup)
        schedule = optax.join_schedules([rising, later], [warmup])
    adam = optax.adam(schedule, flat["optimiser.beta1"], flat["optimiser.beta2"])
    norm = flat["optimiser.clip_norm"]
    return optax.chain(optax.clip_by_global_norm(norm), adam) if norm else adam


def _noise_schedule(flat: dict[str, Any]) -> optax.Schedule | None:
    sd, anneal = flat["objective.noise_sd"], flat["objective.noise_anneal_steps"]
    if not sd:
        return None
    if not anneal:
        return optax.constant_schedule(sd)
    return optax.linear_schedule(sd, 0.0, anneal)


def _real_information(flat: dict[str, Any], spec: LatentSpec) -> RealInformation:
    """Returns the bounds on real images that apply to the kinds of code there are."""
    group = "real_information"
    return RealInformation(
        flat[f"{group}.weight"] if spec.has_categories else 0.0,
        flat[f"{group}.temperature"],
        flat[f"{group}.change_weight"] if spec.has_continuous else 0.0,
        Transformation(**_group(flat, group, Transformation)),
    )


def _group(flat: dict[str, Any], group: str, kind: type) -> dict[str, Any]:
    """Returns the fields of a group that have the names of a dataclass's fields."""
    return {field.name: flat[f"{group}.{field.name}"] for field in fields(kind)}
