"""Builds the algorithm that a checked config describes: codes, networks, optimisers."""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError
from infogan_jax.game import labels
from infogan_jax.game.algorithm import Algorithm
from infogan_jax.game.contrast import Contrast
from infogan_jax.game.game import NO_GAME, Game
from infogan_jax.game.games import catalog as games
from infogan_jax.game.games.penalties import r1_terms
from infogan_jax.game.real_information.bounds import RealInformation
from infogan_jax.game.real_information.colours import Colours
from infogan_jax.game.real_information.info_vae import InfoVAE
from infogan_jax.game.real_information.parity import Parity
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.game.terms import Term
from infogan_jax.model import networks, notation
from infogan_jax.model.latents import LatentSpec
from infogan_jax.model.layers import Layer
from infogan_jax.model.networks import Modules, Networks
from infogan_jax.schedules import NOISE_SD, RATES, noise_schedule, optimisers

GENERATOR = "config.networks.generator"
CODES = "latents.codes"
PARTS = (
    "networks.",
    "objective.",
    "labels.",
    "real_information.",
    "contrastive.",
    "info_vae.",
    "optimiser.",
)
"""The groups of fields that describe an algorithm, besides codes and noise."""


def build_algorithm(
    flat: dict[str, Any],
    request: Request,
    modules: Modules,
    terms: tuple[Term, ...],
) -> Algorithm:
    """Returns the algorithm of a checked config.

    Without modules and terms of a user's own, the same fields give the same object: so
    a process that trains several runs compiles their step once.

    Args:
      flat: the config, with dotted names.
      request: the data that it asks for, which decides the shape of the images.
      modules: a user's own networks.
      terms: what the players maximise besides what the config says.

    Raises:
      UserError: where codes, networks or game cannot be read, or do not fit each
        other.
    """
    spec = LatentSpec(
        notation.parse_codes(flat[CODES]),
        flat["latents.noise_size"],
        flat["latents.noise_kind"],
        flat["latents.fixed_sd"] or None,
        flat["latents.sd_floor"],
    )
    game = _game(flat)
    own = {name: value for name, value in flat.items() if name.startswith(PARTS)}
    if not modules and not terms:
        return _built(spec, game, tuple(own.items()), request)
    return _build(spec, game, own, request, modules, terms)


@lru_cache(maxsize=8)
def _built(
    spec: LatentSpec, game: Game, items: tuple[tuple[str, Any], ...], request: Request
) -> Algorithm:
    return _build(spec, game, dict(items), request, {}, ())


def _build(
    spec: LatentSpec,
    game: Game,
    flat: dict[str, Any],
    request: Request,
    modules: Modules,
    terms: tuple[Term, ...],
) -> Algorithm:
    if game is NO_GAME and not (flat["info_vae.sd"] or terms):
        raise UserError(
            "config.objective.game (=none) has no D, and config.info_vae.sd (=0) asks "
            "for no decoding, so that nothing makes images like the data; set "
            "config.info_vae.sd=0.3, or config.objective.game=non_saturating."
        )
    nets = networks.with_modules(_networks(flat, spec, game, request), modules)
    return Algorithm(
        spec,
        nets,
        optimisers(flat),
        noise_schedule(flat) if flat[NOISE_SD] else None,
        flat["objective.real_label"],
        flat["objective.info_to_generator"],
        flat["objective.info_to_trunk"],
        flat["optimiser.average_decay"],
        game.terms
        + r1_terms(flat["objective.r1_weight"])
        + labels.terms(flat["labels.count"], flat["labels.weight"], spec, game)
        + _real_information(flat, spec, nets).terms()
        + _parity(flat, spec).terms()
        + InfoVAE(**group(flat, "info_vae", InfoVAE)).terms(spec)
        + terms,
        game,
        _contrast(flat, spec, nets),
    )


def _game(flat: dict[str, Any]) -> Game:
    """Returns the game of a config, with which its other switches mean something.

    Raises:
      UserError: for an unknown name, or a switch that the game does not know.
    """
    name, label = flat["objective.game"], flat["objective.real_label"]
    game = games.named(name)
    if label != 1 and not game.has_labels:
        labelled = [each for each, other in games.GAMES.items() if other.has_labels]
        raise UserError(
            f"config.objective.real_label (={label}) smooths a label of real images, "
            f"but the game {name} has none; set it to 1, or config.objective.game to "
            f"one of {', '.join(labelled)}."
        )
    weight = flat["objective.r1_weight"]
    if weight and (game.outputs > 1 or game.compares == "images"):
        has_d = game.compares != "images"
        number = f"a D of {game.outputs} outputs" if has_d else "no D"
        raise UserError(
            f"config.objective.r1_weight (={weight}) weighs a penalty on the one "
            f"output of D, but the game {name} has {number}; set it to 0, or choose "
            "another config.objective.game."
        )
    return game


def _networks(
    flat: dict[str, Any], spec: LatentSpec, game: Game, request: Request
) -> Networks:
    field = "config.networks."
    generator, trunk, recognition = (
        notation.parse_layers(flat[f"networks.{name}"], field + name)
        for name in ("generator", "trunk", "recognition")
    )
    notation.refuse_minibatch(generator, f"{field}generator")
    notation.refuse_minibatch(recognition, f"{field}recognition")
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
        d_size=game.outputs,
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


def program_of(flat: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns what two configs must share so that their runs fit into one program.

    They may differ in seed and name, and in the `numbers` of their algorithms.
    """
    free = (*RATES, NOISE_SD, CODES, "seed", "name")
    codes = notation.parse_codes(flat[CODES])
    kinds = [(code.name, code.kind, code.size, code.parent) for code in codes]
    rest = [(name, value) for name, value in flat.items() if name not in free]
    return (*kinds, bool(flat[NOISE_SD]), *sorted(rest))


def numbers(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the numbers of a config that may be arrays: one for each of several runs.

    They are the learning rates, the instance noise and lambda of each code.
    """
    weights = [code.weight for code in notation.parse_codes(flat[CODES])]
    return {name: flat[name] for name in (*RATES, NOISE_SD)} | {CODES: weights}


def with_numbers(
    algorithm: Algorithm, flat: Mapping[str, Any], given: Mapping[str, Any]
) -> Algorithm:
    """Returns an algorithm with other `numbers`, which may be traced.

    Args:
      algorithm: of the config.
      flat: the config, with dotted names.
      given: as `numbers` returns them.
    """
    codes = tuple(
        replace(code, weight=given[CODES][place])
        for place, code in enumerate(algorithm.spec.codes)
    )
    other = {**flat, **{name: given[name] for name in (*RATES, NOISE_SD)}}
    return replace(
        algorithm,
        spec=replace(algorithm.spec, codes=codes),
        optimisers=optimisers(other),
        noise_sd=noise_schedule(other) if flat[NOISE_SD] else None,
    )


def _real_information(
    flat: dict[str, Any], spec: LatentSpec, nets: Networks
) -> RealInformation:
    """Returns the bounds on real images that apply to the kinds of code there are."""
    name = "real_information"
    return RealInformation(
        flat[f"{name}.weight"] if spec.has_categories else 0.0,
        flat[f"{name}.temperature"],
        flat[f"{name}.change_weight"] if spec.continuous else 0.0,
        Transformation(**group(flat, name, Transformation)),
        Colours(**group(flat, name, Colours)),
        nets.output_range,
    )


def _parity(flat: dict[str, Any], spec: LatentSpec) -> Parity:
    """Returns what a mirror is to do to the continuous codes; nothing at weight 0.

    A code with a parent is none of them.

    Raises:
      UserError: where more codes are to be odd than there are continuous codes.
    """
    weight, odd = (
        flat[f"real_information.{n}"] for n in ("parity_weight", "odd_codes")
    )
    continuous = len(spec.continuous)
    if not (weight and continuous):
        return Parity()
    if odd > continuous:
        raise UserError(
            f"config.real_information.odd_codes (={odd}) is more than the number of "
            f"continuous codes (={continuous}) of config.latents.codes; set it to at "
            f"most {continuous}, or parity_weight to 0."
        )
    return Parity(weight, odd)


def _contrast(
    flat: dict[str, Any], spec: LatentSpec, nets: Networks
) -> Contrast | None:
    """Returns the contrastive term, with an H like D, or None at weight 0.

    Raises:
      UserError: where there are fewer than two codes among which H could tell, or H's
        layers cannot be read or do not fit the images.
    """
    weight, count = flat["contrastive.weight"], len(spec.continuous)
    if not weight:
        return None
    if count < 2:
        raise UserError(
            f"config.contrastive.weight (={weight}) asks which continuous code two "
            f"images share, but config.latents.codes has {count} of them; give it at "
            "least 2, as in '2 x uniform', or set the weight to 0."
        )
    own = "contrastive.network" if flat["contrastive.network"] else "networks.trunk"
    layers = notation.parse_layers(flat[own], f"config.{own}")
    height, width, channels = nets.image_shape
    notation.follow(layers, (height, width, 2 * channels), f"config.{own}")
    network = nets.discriminator.head.clone(layers=(*layers, Layer("fc", (count,))))
    return Contrast(
        network, weight, flat["contrastive.from_step"], flat["contrastive.gap"]
    )


def group(flat: dict[str, Any], name: str, kind: type) -> dict[str, Any]:
    """Returns the fields of a group that have the names of a dataclass's fields."""
    return {field.name: flat[f"{name}.{field.name}"] for field in fields(kind)}
