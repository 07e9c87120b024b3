"""What the recipes of this project change in the paper's, and what they leave alone."""

import pytest
from flax.traverse_util import flatten_dict

from configs import celeba, chairs, digits, faces, folder, mnist, svhn
from infogan_jax.default_config import default_config, make_pictures
from infogan_jax.model import notation


@pytest.mark.parametrize("mode", ["default", "smoke"])
def test_mnist_has_the_paper_s_networks_and_what_the_digits_add(mode):
    config, paper = mnist.get_config(mode), mnist.get_config("paper")
    assert config.networks == paper.networks
    assert config.optimiser == digits.get_config().optimiser
    slower = {"discriminator_learning_rate": 2e-4}
    assert dict(paper.optimiser) == dict(config.optimiser) | slower
    strengths = {
        "latents": "noise_size",
        "objective": "noise_sd",
        "real_information": "weight",
    }
    for part, strength in strengths.items():
        found, wanted = dict(config[part]), dict(digits.get_config()[part])
        assert found != dict(paper[part])
        assert 0 < found.pop(strength) < wanted.pop(strength)
        for added in ("change_weight", "stroke"):
            assert found.pop(added, 1.0) > wanted.pop(added, 0.0) == 0.0
        assert found | {"codes": ""} == wanted | {"codes": ""}


def test_mnist_has_the_paper_s_codes_of_which_one_continuous_one_is_worth_more():
    codes, paper = (
        notation.parse_codes(mnist.get_config(mode).latents.codes)
        for mode in ("default", "paper")
    )
    kinds = [(code.name, code.kind, code.size) for code in codes]
    assert kinds == [(code.name, code.kind, code.size) for code in paper]
    first, second = (code.weight for code in codes if not code.is_categorical)
    assert first > second > 0


def test_the_hierarchy_on_mnist_is_the_same_recipe_with_styles_in_each_digit():
    whole, flat = mnist.get_config("hierarchy"), mnist.get_config()
    codes, others = (
        notation.parse_codes(config.latents.codes) for config in (whole, flat)
    )
    [style] = [code for code in codes if code.parent]
    assert (style.kind, style.parent) == ("categorical", codes[0].name)
    kinds = [(code.kind, code.size, code.weight) for code in codes if code != style]
    assert kinds == [(code.kind, code.size, code.weight) for code in others]
    whole.name, whole.latents.codes = flat.name, flat.latents.codes
    assert whole.to_dict() == flat.to_dict()


@pytest.mark.parametrize("experiment", [svhn, celeba, folder, faces, chairs])
def test_pictures_have_batch_norm_in_all_of_g_near_rates_and_an_odd_code(experiment):
    config = experiment.get_config()
    layers = notation.parse_layers(config.networks.generator, "generator")
    assert all(layer.norm for layer in layers[:-1])
    assert layers[0].shape[:2] == (4, 4)
    rates = config.optimiser
    assert rates.generator_learning_rate / rates.discriminator_learning_rate < 5
    assert bool(config.real_information.weight) == (experiment is svhn)
    codes = notation.parse_codes(config.latents.codes)
    continuous = [code for code in codes if not code.is_categorical]
    assert config.real_information.parity_weight > 0
    assert 1 <= config.real_information.odd_codes < len(continuous)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", folder.SIZES)
def test_the_networks_for_pictures_fit_every_size(size, channels):
    config = default_config("pictures")
    make_pictures(config, size, channels)
    generator, trunk = (
        notation.parse_layers(config.networks[name], name)
        for name in ("generator", "trunk")
    )
    notation.check_generator(generator, (size, size, channels), "generator")
    assert notation.follow(trunk, (size, size, channels), "")[:2] == (4, 4)
    assert generator[-1].activation == ("sigmoid" if channels == 1 else "tanh")


@pytest.mark.parametrize("mode", ["labels", "classes"])
@pytest.mark.parametrize("whole", [digits, mnist])
def test_few_labels_are_added_to_a_recipe_whose_rates_then_end_at_0(whole, mode):
    config, recipe = (
        flatten_dict(whole.get_config(each).to_dict(), sep=".")
        for each in (mode, "default")
    )
    changed = {name for name in config if config[name] != recipe[name]}
    narrower = {"networks.generator", "networks.trunk"} if whole is mnist else set()
    assert changed - {"objective.game"} == narrower | {
        *("name", "labels.count", "optimiser.decay_steps", "training.steps")
    }
    assert config["optimiser.decay_steps"] == config["training.steps"]
    assert ("objective.game" in changed) == (mode == "classes")
