"""The configs against the paper's tables, written out by hand; no array is made."""

import importlib
import json
import math
from functools import partial

import jax
import jax.numpy as jnp
import ml_collections
import pytest
from flax.traverse_util import flatten_dict

from configs import chairs, faces
from infogan_jax.model import networks, notation
from infogan_jax.model.latents import LatentSpec
from infogan_jax.validation import CADENCES

OWN = faces.OWN + chairs.OWN  # the same recipes on a user's images
FACES = "paper-elevation paper-lighting " + " ".join(faces.OWN)
CHAIRS = "paper-width " + " ".join(chairs.OWN)
CONFIGS = {  # modes; source, name in it, size, channels; the inputs of G
    "mnist": ("paper default hierarchy smoke", "tfds", "mnist", 28, 1, 74),
    "svhn": ("paper default light smoke", "tfds", "svhn_cropped", 32, 3, 168),
    "celeba": ("paper default 64 smoke", "tfds", "celeb_a", 32, 3, 228),
    "faces": (f"paper {FACES} default smoke", "heads", "", 32, 1, 133),
    "chairs": (f"paper {CHAIRS} default smoke", "seats", "", 64, 1, 189),
    "sprites": ("paper smoke", "sprites", "", 64, 1, 10),
    "folder": ("32x3 8x1 16x3 64x1 256x3 smoke 64x1-smoke", "folder", "", 32, 3, 140),
}
MODES = {name: facts[0].split() for name, facts in CONFIGS.items()}
EVERY = [(name, mode) for name, modes in MODES.items() for mode in modes]
BETTER = (
    "mnist",
    "svhn",
    "celeba",
    "faces",
    "chairs",
)  # have a default that is not the paper's recipe
DEFAULT = {name: "default" if name in BETTER else MODES[name][0] for name in MODES}
BEYOND = {(name, mode) for name in BETTER for mode in ("default", "smoke")} | {
    ("folder", mode) for mode in MODES["folder"]
}
BEYOND |= {("mnist", "hierarchy"), ("svhn", "light"), ("celeba", "64")}
RECIPES = {  # kind, size and lambda of the codes; rates of D and Q, and G; steps
    ("mnist", "paper"): ([("c", 10, 1)] + [("u", 1, 1)] * 2, 2e-4, 1e-3, 5000),
    ("svhn", "paper"): ([("c", 10, 1)] * 4 + [("u", 1, 0.1)] * 4, 2e-4, 1e-3, 20_000),
    ("celeba", "paper"): ([("c", 10, 1)] * 10, 2e-4, 1e-3, 20_000),
    ("faces", "paper"): ([("u", 1, 0.2)] * 5, 2e-4, 5e-4, 20_000),
    ("faces", "paper-elevation"): ([("u", 1, 0.1)] * 5, 4e-4, 3e-4, 20_000),
    ("faces", "paper-lighting"): ([("u", 1, 0.1)] * 5, 8e-4, 3e-4, 20_000),
    ("chairs", "paper"): ([("c", 20, 1)] * 3 + [("u", 1, 10)], 2e-4, 1e-3, 20_000),
    ("chairs", "paper-width"): (
        [("c", 20, 2)] * 3 + [("u", 1, 0.05)], 2e-4, 1e-3, 20_000),
    ("sprites", "paper"): ([("u", 1, 0.05)] * 5, 2e-3, 1e-3, 288_000),
}  # fmt: skip
COLOUR = ("2x2x448 4x4x256 8x8x128 16x16x64 32x32x3", "16x16x64 8x8x128 4x4x256")
SMALL = "128 4x4x64 8x8x64 16x16x32 32x32x32 64x64x1"
LARGE = "1024 8x8x256 8x8x256 8x8x256 16x16x128 32x32x64 64x64x1"
SHAPES = {  # after every layer of G, and of the trunk
    "mnist": ("1024 7x7x128 14x14x64 28x28x1", "14x14x64 7x7x128 1024"),
    "faces": ("1024 8x8x128 16x16x64 32x32x1", "16x16x64 8x8x128 1024"),
    "chairs": (LARGE, "32x32x64 16x16x128 8x8x256 8x8x256 8x8x256 1024"),
    "sprites": (SMALL, "32x32x32 16x16x32 8x8x64 4x4x64 128"),
} | dict.fromkeys(("svhn", "celeba"), COLOUR)


def biased(inputs, units):
    return inputs * units + units


def normed(inputs, units):
    """Batch norm has a scale and a shift for each unit, and the layer no bias."""
    return inputs * units + 2 * units


K = 4 * 4
GRAY_G = normed(K * 128, 64) + biased(K * 64, 1)
GRAY_D = biased(K, 64) + normed(K * 64, 128)


def colour(inputs, outputs):
    return (
        normed(inputs, 2 * 2 * 448) + normed(K * 448, 256) + biased(K * 256, 128)
        + biased(K * 128, 64) + biased(K * 64, 3),
        biased(K * 3, 64) + normed(K * 64, 128) + normed(K * 128, 256)
        + biased(4 * 4 * 256, 1),
        normed(4 * 4 * 256, 128) + biased(128, outputs),
    )  # fmt: skip


COUNTS = {  # parameters of G; of the trunk and D's head; of Q's head
    "mnist": (
        normed(74, 1024) + normed(1024, 7 * 7 * 128) + GRAY_G,
        GRAY_D + normed(7 * 7 * 128, 1024) + biased(1024, 1),
        normed(1024, 128) + biased(128, 12)),  # 10 logits, 2 means
    "svhn": colour(168, 48),  # 40 logits, 4 means, 4 deviations
    "celeba": colour(228, 100),
    "faces": (
        normed(133, 1024) + normed(1024, 8 * 8 * 128) + GRAY_G,
        GRAY_D + normed(8 * 8 * 128, 1024) + biased(1024, 1), biased(1024, 10)),
    "chairs": (
        normed(189, 1024) + normed(1024, 8 * 8 * 256) + 2 * normed(K * 256, 256)
        + normed(K * 256, 128) + GRAY_G,
        GRAY_D + normed(K * 128, 256) + 2 * normed(K * 256, 256)
        + normed(8 * 8 * 256, 1024) + biased(1024, 1),
        biased(1024, 62)),  # 60 logits, a mean, a deviation
    "sprites": (
        normed(10, 128) + normed(128, 4 * 4 * 64) + normed(K * 64, 64)
        + normed(K * 64, 32) + normed(K * 32, 32) + biased(K * 32, 1),
        biased(K, 32) + biased(K * 32, 32) + biased(K * 32, 64) + biased(K * 64, 64)
        + biased(4 * 4 * 64, 128) + biased(128, 1), biased(128, 5)),
}  # fmt: skip


def get(name, *mode):
    return importlib.import_module(f"configs.{name}").get_config(*mode)


def image_shape(name, config):
    size, channels = CONFIGS[name][3:5]
    return (config.data.size or size,) * 2 + (config.data.channels or channels,)


def build(name, config):
    """Layers by name, the networks, and the shapes of what `init` gives."""
    given, shape = config.latents, image_shape(name, config)
    codes = notation.parse_codes(given.codes)
    spec = LatentSpec(codes, given.noise_size, fixed_sd=given.fixed_sd or None)
    parts = ("generator", "trunk", "recognition")
    layers = {key: notation.parse_layers(config.networks[key], key) for key in parts}
    notation.check_generator(layers["generator"], shape, "generator")
    spectral = config.networks.spectral_norm
    sizes = {"input_size": spec.input_size, "output_size": spec.output_size}
    nets = networks.build(**layers, **sizes, image_shape=shape, spectral_norm=spectral)
    init = partial(networks.init, nets)
    return layers, nets, *jax.eval_shape(init, jax.random.key(0))


def shapes_after(layers, *shape):
    """The shape after each layer, as the text of the tables."""
    parts = [layers[: count + 1] for count in range(len(layers))]
    return " ".join("x".join(map(str, notation.follow(p, shape, ""))) for p in parts)


@pytest.mark.parametrize("name", SHAPES)
def test_layers_and_parameters_are_those_of_the_tables(name):
    layers, nets, params, _ = build(name, get(name, MODES[name][0]))
    assert nets.input_size == CONFIGS[name][5]
    assert shapes_after(layers["generator"], nets.input_size) == SHAPES[name][0]
    assert shapes_after(layers["trunk"], *nets.image_shape) == SHAPES[name][1]
    sizes = jax.tree.map(lambda leaf: math.prod(leaf.shape), params)
    names = ("generator", "discriminator", "recognition")
    assert tuple(sum(jax.tree.leaves(sizes[key])) for key in names) == COUNTS[name]


@pytest.mark.parametrize(("name", "mode"), [p for p in EVERY if p[1] not in OWN])
def test_g_makes_images_of_the_data_s_shape_and_range_which_d_and_q_take(name, mode):
    _, nets, params, stats = build(name, config := get(name, mode))
    x = jnp.zeros((3, nets.input_size))
    generate = partial(networks.generate, nets, train=True)
    images, _ = jax.eval_shape(generate, params, stats, x)
    assert images.shape == (3, *image_shape(name, config))
    assert nets.output_range == ((0, 1) if images.shape[-1] == 1 else (-1, 1))
    judge = partial(networks.discriminate, nets, train=True)
    logits, outputs, *_ = jax.eval_shape(judge, params, stats, images)
    assert (*logits.shape, outputs.shape[0]) == (3, 3)


@pytest.mark.parametrize(("name", "mode"), RECIPES)
def test_codes_lambdas_rates_and_steps_are_those_of_the_paper(name, mode):
    config = get(name, mode)
    codes = notation.parse_codes(config.latents.codes)
    given, rates = [(c.kind[0], c.size, c.weight) for c in codes], config.optimiser
    d_rate, g_rate = rates.discriminator_learning_rate, rates.generator_learning_rate
    assert (given, d_rate, g_rate, config.training.steps) == RECIPES[name, mode]
    assert (rates.beta1, rates.beta2, rates.average_decay) == (0.5, 0.999, 0.0)


@pytest.mark.parametrize(("name", "mode"), sorted({*EVERY} - BEYOND))
def test_a_recipe_is_the_paper_s_game_without_additions(name, mode):
    config, is_sprites = get(name, mode), name == "sprites"
    players = {"info_to_generator": True, "info_to_trunk": True, "real_label": 1.0}
    noise = {"noise_sd": 0.0, "noise_anneal_steps": 0}
    game = {"game": "non_saturating", "r1_weight": 0.0}
    assert config.objective.to_dict() == game | players | noise
    assert config.data.batch_size == (64 if is_sprites else 128)
    assert config.networks.spectral_norm == is_sprites
    assert config.networks.lrelu_slope == 0.1
    assert config.latents.fixed_sd == (1.0 if name in ("mnist", "sprites") else 0.0)
    assert config.latents.noise_kind == "uniform"
    weights = ("weight", "change_weight", "parity_weight")
    assert not any(config.real_information[name] for name in weights)


@pytest.mark.parametrize("name", MODES)
def test_a_config_names_its_source_and_its_default_mode(name):
    data = get(name).data
    assert (data.source, data.name, data.directory) == (*CONFIGS[name][1:3], "")
    # of the networks' size already
    natural = name in ("mnist", "svhn", "sprites", "faces", "chairs")
    assert (data.size, data.channels) == ((0, 0) if natural else CONFIGS[name][3:5])
    assert get(name).to_dict() == get(name, DEFAULT[name]).to_dict()
    names = {mode: get(name, mode).name for mode in MODES[name]}
    assert len({*names.values()}) == len(names)
    assert all(given.startswith(name) for given in names.values())


@pytest.mark.parametrize(("name", "mode"), [p for p in EVERY if "smoke" in p[1]])
def test_smoke_is_the_same_experiment_in_a_few_steps(name, mode):
    whole = mode.removesuffix("-smoke") if "-" in mode else DEFAULT[name]
    one, two = (flatten_dict(get(name, m).to_dict(), sep=".") for m in (whole, mode))
    changed = {field for field in one if one[field] != two[field]}
    expected = {field for field in one if field.startswith("training.")}
    expected.remove("training.trackers")
    if name in ("sprites", "faces", "chairs"):  # to draw all images takes minutes
        expected.add("data.name")
        assert (one["data.name"], two["data.name"]) == ("", "small")
    assert changed == expected | {"name", "evaluation.samples"}
    assert two["training.steps"] <= 10 and two["evaluation.samples"] <= 1000


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_all_configs_have_the_same_fields_and_survive_json(name, mode):
    def types(config):
        return {
            key: type(value)
            for key, value in flatten_dict(config.to_dict(), sep=".").items()
        }

    config = get(name, mode)
    assert types(config) == types(get("digits"))
    read = ml_collections.ConfigDict(json.loads(config.to_json()))
    assert read.to_dict() == config.to_dict()
    assert types(read) == types(config)
    per_call = config.training.steps_per_call
    assert all(config.training[name] % per_call == 0 for name in CADENCES)


@pytest.mark.parametrize(
    ("get_config", "prefix", "data"),
    [
        (faces.get_config, "renderings", ("tfds", "rendered_faces", 32, 1)),
        (chairs.get_config, "rendered_chairs", ("tfds", "rendered_chairs", 64, 1)),
    ],
)
def test_the_paper_s_recipes_run_on_the_images_of_a_user_as_well(
    get_config, prefix, data
):
    modes = [mode for mode in OWN if mode.startswith(prefix)]
    assert len(modes) >= 2
    for mode in modes:
        own, paper = get_config(mode), get_config(mode.replace(prefix, "paper"))
        given = own.data
        assert (given.source, given.name, given.size, given.channels) == data
        own.name, own.data = paper.name, paper.data
        assert own.to_dict() == paper.to_dict()


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("mode", ["", "Smoke", "33x3", "32x2", "32x16x3", "-smoke"])
def test_an_unknown_mode_is_refused_with_those_that_there_are(name, mode):
    with pytest.raises(ValueError, match=f"/{name}.py:{mode}: the mode") as error:
        get(name, mode)
    known = (
        MODES[name]
        if name != "folder"
        else ("SIZExCHANNELS", "smoke", "16", "128", "256")
    )
    assert all(word in str(error.value) for word in known)


def test_a_folder_s_size_may_be_written_in_three_ways():
    three = (get("folder", mode).to_dict() for mode in ("32", "32x3", "32x32x3"))
    assert all(written == get("folder").to_dict() for written in three)
