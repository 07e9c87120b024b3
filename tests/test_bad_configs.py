"""Any wrong config is refused in one line; nothing is compiled or written."""

import math

import jax
import pytest
from flax.traverse_util import flatten_dict
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import VECTORS, changed

from infogan_jax import experiment, training
from infogan_jax.errors import UserError
from infogan_jax.fields import RULES
from infogan_jax.model import notation
from infogan_jax.validation import check

WRONG = {
    "training.trackers": ["tensorboard", "wandb;mlflow", 5, None],
    "name": ["", "a/b", "../../elsewhere", "a b", 5, "two\nlines"],
    "seed": [-1, 2**32, 0.5, "0", True, None],
    "data.source": ["", "imagenet", "DIGITS", 3],
    "data.crop": [-1, 10**9, 7],
    "data.size": [-1, 16, 1025],
    "data.channels": [2, 3, "rgb"],
    "data.held_out": [0.0, 1.0, math.nan],
    "data.stream": [1, "yes"],
    "data.batch_size": [0, 1, -16, 15, 16.0, 1438, 10**9, math.inf],
    "latents.codes": [
        "digit",
        "categorical",
        "categorical(0)",
        "categorical(1)",
        "categorical(-3)",
        "categorical(10) @",
        "categorical(10) @ -1",
        "uniform(2)",
        "uniform @ nan",
        "uniform @ 1e999",
        "0 x uniform",
        "a=uniform, a=gaussian",
        "../../x=uniform",
        "gaussian; uniform",
        5,
    ],
    "latents.noise_size": [-1, 2**31, 2.0, 2**31 - 1],
    "latents.noise_kind": ["normal", ""],
    "latents.fixed_sd": [-1.0, math.nan],
    "latents.sd_floor": [0.0, -0.1, math.inf],
    "networks.generator": [
        "",
        "fc 8x8x1",
        "fc 8x8x1 relu",
        "fc 8x8x3 sigmoid",
        "fc 7x7x1 sigmoid",
        "fc 64 sigmoid",
        "upconv 1 s2 sigmoid",
        "fc 8x8x1 s2 sigmoid",
        "fc 0x8x1 sigmoid",
        "fc 999999 relu, fc 999999 relu, fc 8x8x1 sigmoid",
    ],
    "networks.trunk": [
        "conv",
        "conv 8 s9",
        "conv 8x8x8",
        "fc 8, conv 8",
        "pool 2",
        "fc 99999999",
        "minibatch 50",
        "minibatch 0x5",
    ],
    "networks.recognition": ["conv 8", "fc -8", "minibatch 5x2"],
    "networks.lrelu_slope": [-0.1, 2.0],
    "networks.precision": ["float16", "bf16", 32],
    "objective.game": ["", "wgan", "jensen_shannon(0)", "jensen_shannon(1.5)", 5],
    "objective.r1_weight": [-1.0, math.nan],
    "objective.real_label": [0.0, 0.5, 1.5],
    "objective.noise_sd": [-0.1, math.nan, math.inf, "0.1"],
    "objective.noise_anneal_steps": [-1, 0.5],
    "labels.count": [-10, 7, 5000, 10.0, True],
    "labels.weight": [0.0, -1.0, math.nan, "1"],
    "real_information.weight": [-1.0, math.nan],
    "real_information.temperature": [0.0, -0.5, 1.5, math.nan],
    "real_information.change_weight": [-1.0, math.nan, None],
    "real_information.parity_weight": [-1.0, math.nan],
    "real_information.odd_codes": [-1, 0.5],
    "real_information.rotation": [46.0, -1.0],
    "real_information.stroke": [1.5, -0.5, math.inf],
    "real_information.contrast": [-0.1, 2.5, math.nan],
    "real_information.brightness": [-0.1, 1.5],
    "real_information.tint": [-0.1, 1.5],
    "real_information.shading": [-0.1, 1.5],
    "real_information.invert": [1, 0.5, "yes"],
    "optimiser.discriminator_learning_rate": [0.0, -1e-4, math.nan, "2e-4"],
    "optimiser.beta1": [1.0, -0.5],
    "contrastive.weight": [-1.0, math.nan, "2"],
    "contrastive.from_step": [-1, 0.5],
    "contrastive.gap": [-0.1, 1.0],
    "contrastive.network": [5],
    "optimiser.history_weight": [-1.0, math.inf],
    "optimiser.average_decay": [1.0],
    "training.steps": [0, -8, 7, 1e3, "8"],
    "training.steps_per_call": [0, 3],
    "training.log_every": [0, 3],
    "training.checkpoint_every": [0, 5],
    "evaluation.samples": [0, 99, 10**7],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]

CONTRADICTIONS = [
    (
        {"objective.noise_sd": 0.0, "objective.noise_anneal_steps": 100},
        r"noise_anneal_steps \(=100\) anneals .*noise_sd \(=0\) has none; set both",
    ),
    (
        {"real_information.change_weight": 1.0, "real_information.rotation": 0.0}
        | {"real_information.shear": 0.0, "real_information.scale": 0.0}
        | {"real_information.stroke": 0.0},
        r"change_weight \(=1\.0\) asks .* all four are 0; give",
    ),
    (
        {"real_information.odd_codes": 7, "real_information.parity_weight": 1.0},
        r"odd_codes \(=7\) is more .* \(=4\) .* at most 4, or parity_weight",
    ),
    (
        {"objective.real_label": 0.9, "objective.game": "hinge"},
        r"real_label \(=0\.9\) smooths .* hinge has none; set it to 1, or .*saturating",
    ),
    (
        {"objective.r1_weight": 1.0, "objective.game": "mmd_gaussian"},
        r"r1_weight \(=1\.0\) .* the game mmd_gaussian has a D of 16 outputs; set it",
    ),
    (
        {"objective.r1_weight": 1.0, "objective.game": "moment_matching"},
        r"r1_weight \(=1\.0\) .* the game moment_matching has no D; set it to 0",
    ),
    (
        {"contrastive.weight": 2.0, "latents.codes": "categorical(10), uniform"},
        r"contrastive\.weight \(=2\.0\) asks .* has 1 of them; give it at least 2",
    ),
    (
        {"contrastive.weight": 2.0, "contrastive.network": "fc 8, conv 8"},
        r"config\.contrastive\.network: 'conv 8' follows a vector",
    ),
    (
        {"data.source": "npz", "data.directory": ""},
        r"config\.data\.directory \(=''\) must be an existing \.npz file",
    ),
    ({"data.source": "tfds", "data.name": "../mnist"}, r"data\.name \(='\.\./mnist'\)"),
    ({"data.source": "tfds", "data.name": "huggingface:x"}, "must be a name of tfds"),
    ({"data.source": "folder", "data.directory": "/dev/null"}, "must be a folder"),
    ({"data.size": 16}, r"data\.size \(=16\) must be one of 0, 8 for the digits"),
]


@pytest.fixture(autouse=True)
def nothing_is_compiled(monkeypatch):
    def compiled(*args, **kwargs):
        raise AssertionError("something was compiled")

    monkeypatch.setattr(jax, "jit", compiled)


def refusal(config, tmp_path, message=None):
    with pytest.raises(UserError, match=message) as caught:
        training.train(config, tmp_path / "run")
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert not list(tmp_path.iterdir())
    return text


def test_there_are_enough_of_them():
    assert len(CASES) + len(CONTRADICTIONS) >= 60
    assert set(WRONG) <= set(RULES)


@pytest.mark.parametrize("name, value", CASES)
def test_a_wrong_value_is_refused_and_its_field_is_named(
    tiny_config, tmp_path, name, value
):
    text = refusal(changed(tiny_config, name, value), tmp_path)
    last = name.split(".")[-1]
    named = last in text or name.split(".")[0] in text
    assert named and text.startswith(("config.", "the environment"))


@pytest.mark.parametrize("fields, message", CONTRADICTIONS)
def test_fields_that_contradict_each_other_or_the_data_are_refused(
    tiny_config, tmp_path, fields, message
):
    tiny_config.update_from_flattened_dict(fields)
    refusal(tiny_config.to_dict(), tmp_path, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
WORDS = (
    "fc conv upconv minibatch 5x2 bn relu sigmoid categorical( uniform gaussian "
    "x @ = ) , s2"
)
PHRASES = st.lists(
    st.sampled_from(WORDS.split())
    | st.integers(-3, 10**7).map(str)
    | st.text(max_size=3),
    max_size=12,
).map(" ".join)
REASONABLE = settings(max_examples=150, deadline=None)


def in_words(function, *arguments):
    """The result, or None where it was refused in one line of words."""
    try:
        return function(*arguments)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return None


@REASONABLE
@given(st.sampled_from(sorted(RULES)), JSON)
def test_any_value_of_any_field_is_taken_or_refused_in_words(name, value):
    config = dict.fromkeys(RULES) | {name: value}
    in_words(check, config, RULES)
    rule = RULES[name]
    if rule.holds(value):
        assert type(value) in (bool, int, float, str)
        assert not (isinstance(value, float) and not math.isfinite(value))


@REASONABLE
@given(JSON)
def test_any_json_in_the_place_of_a_config_is_refused_in_words(value):
    config = value if isinstance(value, dict) else {"config": value}
    assert in_words(experiment.build, config) is None


@REASONABLE
@given(PHRASES | st.text(max_size=40))
def test_any_text_is_codes_or_is_refused_in_words(text):
    codes = in_words(notation.parse_codes, text)
    for code in codes or ():
        assert code.size >= 1 and 0.0 <= code.weight < math.inf
        assert code.name.replace("_", "a").isalnum(), "it becomes a file's name"


@REASONABLE
@given(PHRASES | st.text(max_size=40))
def test_any_text_is_layers_or_is_refused_in_words(text):
    layers = in_words(notation.parse_layers, text, "networks.trunk") or ()
    shape = in_words(notation.follow, layers, (8, 8, 1), "networks.trunk")
    assert shape is None or all(size >= 1 for size in shape)
    if layers:
        in_words(notation.check_generator, layers, (8, 8, 1), "networks.generator")


def test_the_config_that_all_these_were_made_from_is_right(tiny_config):
    flat = flatten_dict(tiny_config.to_dict(), sep=".")
    assert {name: flat[f"networks.{name}"] for name in VECTORS} == VECTORS
    experiment.build(tiny_config.to_dict())
