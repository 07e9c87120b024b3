"""What the recipes of this project change in the paper's, and what they leave alone."""

import pytest
from flax.traverse_util import flatten_dict

from configs import celeba, digits, mnist, svhn
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


def test_celeba_changes_lambdas_noise_and_the_rate_of_d_alone():
    get = celeba.get_config
    paper, ours = (
        flatten_dict(get(mode).to_dict(), sep=".") for mode in ("paper", "default")
    )
    changed = {field for field in paper if paper[field] != ours[field]}
    assert changed == {
        "name",
        "latents.codes",
        "latents.noise_size",
        "latents.noise_kind",
        "objective.noise_sd",
        "optimiser.discriminator_learning_rate",
    }
    theirs, codes = (
        notation.parse_codes(each["latents.codes"]) for each in (paper, ours)
    )
    for their, code in zip(theirs, codes, strict=True):
        assert (their.name, their.kind, their.size) == (code.name, code.kind, code.size)
        assert code.weight >= 2 * their.weight > 0


def test_svhn_makes_pictures_by_batch_norm_in_all_of_g_and_rates_near_each_other():
    config = svhn.get_config()
    layers = notation.parse_layers(config.networks.generator, "generator")
    assert all(layer.norm for layer in layers[:-1])
    assert layers[0].shape[:2] == (4, 4)
    rates = config.optimiser
    assert rates.generator_learning_rate / rates.discriminator_learning_rate < 5
    assert not config.real_information.weight
