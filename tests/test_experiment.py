"""A config is built into an experiment, or refused before anything is compiled."""

import re
import subprocess
import sys
from functools import partial

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

import infogan_jax
from configs import digits
from infogan_jax import Extensions, experiment, training
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.errors import UserError
from infogan_jax.fields import FIELDS
from infogan_jax.machine import parallel

SIZE = 1437

REFUSED = [
    ({"data.source": "imagenet"}, r"config\.data\.source \(='imagenet'\) .* digits"),
    (
        {"data.batch_size": SIZE + 1},
        rf"batch_size \(={SIZE + 1}\) must be at most .* training images \(={SIZE}\)",
    ),
    ({"data.batch_size": 15}, r"batch_size \(=15\) must be divisible .* \(=2\)"),
    ({"latents.codes": "uniform @ -0.1"}, r"lambda of 'uniform_0' \(=-0\.1\)"),
    ({"latents.codes": "uniform @ nan"}, r"lambda of 'uniform_0' \(=nan\)"),
    ({"latents.codes": "uniform @ inf"}, r"lambda of 'uniform_0' \(=inf\)"),
    ({"latents.codes": "uniform @ much"}, r"lambda of 'uniform_0' \(=much\)"),
    (
        {"latents.codes": "a=uniform, a=categorical(3)"},
        "the name 'a' is used 2 times; names must differ",
    ),
    ({"latents.codes": "uniform, uniform_0=gaussian"}, "'uniform_0' is used 2 times"),
    ({"latents.codes": "categorical"}, "needs a size"),
    ({"latents.codes": "categorical(1)"}, "must have at least 2"),
    ({"latents.codes": "poisson"}, "cannot read 'poisson'"),
    ({"training.steps": 9}, r"steps \(=9\) must be a multiple .*per_call \(=2\); .*10"),
    ({"training.log_every": 3}, r"log_every \(=3\) must be a multiple .*; try 4"),
    ({"training.picture_every": 5}, r"picture_every \(=5\) must be a multiple .*try 6"),
    ({"training.checkpoint_every": 1}, r"checkpoint_every \(=1\) must .*; try 2"),
    (
        {"networks.generator": "fc 7x7x8 relu, upconv 1 s2 sigmoid"},
        r"generator makes images of 14 x 14 x 1, but the data has 8 x 8 x 1",
    ),
    (
        {"networks.generator": "fc 4x4x8 relu, upconv 3 s2 sigmoid"},
        r"generator makes images of 8 x 8 x 3, but the data has 8 x 8 x 1",
    ),
    ({"networks.generator": "fc 8x8x1"}, r"generator must end in sigmoid .* or tanh"),
    ({"networks.generator": "fc 8x8x1 relu"}, "generator must end in sigmoid"),
    ({"networks.generator": ""}, "generator must end in sigmoid"),
    (
        {"networks.generator": "upconv 1 s2 sigmoid"},
        r"config\.networks\.generator: 'upconv 1' follows a vector",
    ),
    (
        {"networks.trunk": "fc 16 lrelu, conv 8 s2 lrelu"},
        r"config\.networks\.trunk: 'conv 8' follows a vector",
    ),
    (
        {"networks.recognition": "conv 8 lrelu"},
        r"config\.networks\.recognition: 'conv 8' follows a vector",
    ),
    ({"networks.trunk": "dense 16"}, r"networks\.trunk: cannot read 'dense 16'"),
    ({"networks.trunk": "conv 0"}, r"networks\.trunk: 'conv 0' has an impossible"),
]


@pytest.mark.parametrize("fields, message", REFUSED)
def test_a_wrong_experiment_is_refused_before_anything_is_written_or_compiled(
    tiny_config, tmp_path, monkeypatch, fields, message
):
    def compiled(*args, **kwargs):
        raise AssertionError("something was compiled")

    monkeypatch.setattr(jax, "jit", compiled)
    tiny_config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=message) as caught:
        training.train(tiny_config.to_dict(), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch_size", [3, 15, 101])
def test_the_batch_sizes_offered_for_the_devices_are_possible(batch_size):
    with pytest.raises(UserError, match="; try ") as caught:
        parallel.make_mesh(batch_size)
    offered = [int(n) for n in re.findall(r"\d+", str(caught.value).split("; try ")[1])]
    assert offered
    for offer in offered:
        parallel.make_mesh(offer)


def test_the_largest_possible_batch_is_the_data_itself(tiny_config):
    tiny_config.data.batch_size = SIZE - 1
    built = experiment.build(tiny_config.to_dict())
    assert len(built.dataset.train.images) == SIZE
    assert next(built.feed(0).calls(np.arange(SIZE - 1))).shape == (2, SIZE - 1)


def test_a_config_without_codes_is_a_plain_gan(tiny_config):
    tiny_config.latents.codes = ""
    built = experiment.build(tiny_config.to_dict())
    assert built.algorithm.spec.codes == ()
    assert built.algorithm.spec.input_size == tiny_config.latents.noise_size


@pytest.mark.parametrize(
    "codes, weights",
    [("2 x uniform", (0, 2)), ("categorical(3)", (4, 0)), ("", (0, 0))],
)
def test_only_codes_that_are_there_are_asked_of_real_images(
    tiny_config, codes, weights
):
    tiny_config.latents.codes = codes
    tiny_config.real_information.weight = 4.0
    tiny_config.real_information.change_weight = 2.0
    terms = experiment.build(tiny_config.to_dict()).algorithm.terms
    built = [term.value.__self__ for term in terms]
    found = [(each.weight, each.change_weight) for each in built]
    assert found == ([weights] if any(weights) else [])


def test_the_default_config_has_exactly_the_fields():
    assert flatten_dict(digits.get_config().to_dict(), sep=".").keys() == FIELDS.keys()


@pytest.mark.parametrize("mode", ["default", "smoke"])
def test_every_mode_of_the_default_config_builds(mode):
    config = digits.get_config(mode).to_dict()
    built = experiment.build(config)
    assert built.config == config
    assert built.dataset.image_shape == (8, 8, 1)


def test_the_smoke_run_is_shorter():
    steps = {m: digits.get_config(m).training.steps for m in ("default", "smoke")}
    assert steps["smoke"] * 10 <= steps["default"]


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match="fast.*one of default, labels, classes, smoke"
    ):
        digits.get_config("fast")


def test_the_switches_reach_the_algorithm(tiny_config):
    tiny_config.update_from_flattened_dict(
        {
            "latents.codes": "digit=categorical(7) @ 2, gaussian @ 0.25",
            "latents.noise_kind": "gaussian",
            "latents.fixed_sd": 0.0,
            "latents.sd_floor": 0.05,
            "objective.real_label": 0.9,
            "objective.info_to_generator": False,
            "objective.info_to_trunk": False,
            "objective.noise_sd": 0.2,
            "objective.noise_anneal_steps": 10,
            "optimiser.average_decay": 0.5,
        }
    )
    algorithm = experiment.build(tiny_config.to_dict()).algorithm
    spec = algorithm.spec
    assert [(c.name, c.size, c.weight) for c in spec.codes] == [
        ("digit", 7, 2.0),
        ("gaussian_0", 1, 0.25),
    ]
    assert (spec.noise_kind, spec.fixed_sd, spec.sd_floor) == ("gaussian", None, 0.05)
    assert (algorithm.real_label, algorithm.average_decay) == (0.9, 0.5)
    assert (algorithm.info_to_generator, algorithm.info_to_trunk) == (False, False)
    assert [float(algorithm.noise_sd(step)) for step in (0, 5, 10)] == pytest.approx(
        [0.2, 0.1, 0.0]
    )


@pytest.mark.parametrize(
    "step, due", [(2, False), (4, True), (6, False), (8, True), (10, True)]
)
def test_a_cadence_is_due_at_its_multiples_and_at_the_end(tiny_config, step, due):
    tiny_config.training.steps = 10
    built = experiment.build(tiny_config.to_dict())
    assert built.is_due("checkpoint", step) is due


def test_images_of_one_s_own_take_the_place_of_those_of_the_config(tiny_config):
    rng = np.random.default_rng(0)
    own = Split(rng.integers(0, 256, (40, 8, 8, 1), np.uint8))
    dataset = Dataset(own, own, {"name": "mine", "test_is_held_out": False})
    exp = infogan_jax.build(tiny_config.to_dict(), Extensions(dataset))
    step = jax.jit(partial(infogan_jax.train_step, exp.algorithm))
    state, metrics = step(exp.first_state(), own.images[:16])
    assert state.step == 1
    assert np.isfinite(metrics["mi_bound/categorical_0"])
    tiny_config.data.batch_size = 41
    with pytest.raises(UserError, match="at most the number of training images .=40"):
        infogan_jax.build(tiny_config.to_dict(), Extensions(dataset))


def test_what_users_need_most_is_at_the_top_and_imported_only_when_asked_for():
    code = "import sys, infogan_jax; print('jax' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    for name in set(infogan_jax.__all__) - {"__version__"}:
        assert callable(getattr(infogan_jax, name))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        infogan_jax.trian  # noqa: B018


def rates(config, steps):
    """The change of a parameter with gradient 1 in each step, minus the rate."""
    adam = experiment.build(config.to_dict()).algorithm.optimisers.discriminator
    state, changes = adam.init(np.float32(0)), []
    for _ in range(steps):
        change, state = adam.update(np.float32(1), state)
        changes.append(-float(change))
    return changes


def test_the_learning_rate_rises_and_then_falls_by_a_cosine(tiny_config):
    tiny_config.optimiser.discriminator_learning_rate = 0.5
    tiny_config.optimiser.beta1 = 0.0
    constant = rates(tiny_config, 5)
    np.testing.assert_allclose(constant, 0.5, rtol=1e-4)
    tiny_config.optimiser.update(warmup_steps=2, decay_steps=4)
    both = rates(tiny_config, 8)
    cosine = 0.25 * (1 + np.cos(np.pi * np.arange(5) / 4))
    np.testing.assert_allclose(both, [0, 0.25, *cosine, 0], rtol=1e-4, atol=1e-7)
    tiny_config.optimiser.decay_steps = 0
    np.testing.assert_allclose(rates(tiny_config, 4), [0, 0.25, 0.5, 0.5], rtol=1e-4)


def test_a_gradient_is_clipped_to_the_largest_norm_before_adam(tiny_config):
    tiny_config.optimiser.clip_norm = 0.1
    clipped = experiment.build(tiny_config.to_dict()).algorithm.optimisers.generator
    gradient = {"a": np.float32([3.0]), "b": np.float32([4.0])}
    _, state = clipped.update(gradient, clipped.init(gradient))
    kept = 1 - tiny_config.optimiser.beta1
    moments = [np.asarray(leaf) for leaf in jax.tree.leaves(state) if np.ndim(leaf)]
    np.testing.assert_allclose(moments[0], kept * 0.06, rtol=1e-5)
    np.testing.assert_allclose(moments[1], kept * 0.08, rtol=1e-5)


@pytest.mark.parametrize("field, value", [("seed", 9), ("training.steps", 6)])
def test_runs_that_differ_in_seed_or_length_share_one_algorithm(
    tiny_config, field, value
):
    one = experiment.describe(tiny_config.to_dict()).algorithm
    tiny_config.update_from_flattened_dict({field: value})
    assert experiment.describe(tiny_config.to_dict()).algorithm is one


@pytest.mark.parametrize(
    "field, value",
    [
        ("optimiser.generator_learning_rate", 3e-4),
        ("objective.noise_sd", 0.07),
        ("latents.noise_size", 3),
        ("real_information.weight", 1.0),
        ("networks.spectral_norm", True),
    ],
)
def test_runs_that_differ_in_the_step_have_algorithms_of_their_own(
    tiny_config, field, value
):
    one = experiment.describe(tiny_config.to_dict()).algorithm
    tiny_config.update_from_flattened_dict({field: value})
    assert experiment.describe(tiny_config.to_dict()).algorithm != one
