"""A run with codes within codes, from training to what one does with it afterwards."""

import math
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import make_tiny_config
from tiny import VECTORS
from tiny_model import build_model, network_outputs, values

from infogan_jax import experiment, restoring
from infogan_jax.analysis import trained_model, traversals
from infogan_jax.analysis.grids import split_grid
from infogan_jax.analysis.report import attributes, classes, information, real_images
from infogan_jax.analysis.report.contents import contents
from infogan_jax.analysis.trained_model import Generated
from infogan_jax.data.dataset import Split
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError
from infogan_jax.explorer import readings, views
from infogan_jax.game import train_step
from infogan_jax.trained import exporting, loading, model_card, sorting
from infogan_jax.trained.encoding import read_codes

CODES = (
    "digit=categorical(3), style=categorical(2) @ 0.3 in digit, "
    "slant=uniform in digit, width=uniform"
)
IMAGES = digits.load().test.images[:20]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def exp():
    config = make_tiny_config()
    config.latents.codes = CODES
    config.networks.update(VECTORS)
    config.real_information.update(
        weight=1.0, change_weight=1.0, parity_weight=1.0, odd_codes=1
    )
    return experiment.describe(config.to_dict())


@pytest.fixture(scope="module")
def model(exp, tmp_path_factory):
    """A run before its first step."""
    workdir = tmp_path_factory.mktemp("hierarchy")
    return loading.from_state(workdir, exp, exp.first_state())


def test_a_step_logs_the_bounds_of_each_code(exp):
    images = jax.ShapeDtypeStruct((16, 8, 8, 1), jnp.uint8)
    step = partial(train_step.train_step, exp.algorithm)
    _, line = jax.eval_shape(step, jax.eval_shape(exp.first_state), images)
    found = {prefix: set() for prefix in ("mi", "real_mi", "change", "parity")}
    for name in line:
        kind, slash, code = name.partition("/")
        found.get(kind.removesuffix("_bound"), set()).add(code if slash else "")
    assert found == {
        "mi": {"digit", "style", "slant", "width"},
        "real_mi": {"digit", "style"},
        "change": {"width"},
        "parity": {"width"},
    }


def test_the_report_names_the_parent_and_calls_the_information_conditional(exp):
    state, dataset = exp.first_state(), exp.dataset
    model = trained_model.from_dataset(exp.algorithm, state, 0, 300, dataset)
    sections = {"Information": information.measure(model)}
    measure = sections["Information"].measures["mi_bound/style"]
    assert measure.protocol.startswith("within digit, H(c) + E[log Q(c|x, digit)]")
    assert sections["Information"].tables.keys() == {
        "information_within_style",
        "information_within_slant",
    }
    page = " ".join(contents(model, [], sections, {"digit": "cipher"}, b"").values())
    assert page.count("style in cipher <input") == 1
    assert "By the category of style in cipher" in page
    assert f"L_I {measure.value:.2f} of 0.69 nats within digit" in page


def test_a_picture_has_a_row_for_each_category_and_a_part_for_each_kind(model):
    code = model.code("style")
    drawn, rows, columns = traversals.traverse_within(model.spec, code, model.seed)
    assert (rows, columns) == (3, 6)
    shape = (2, rows, columns)
    style, digit = (drawn.codes[name].reshape(shape) for name in ("style", "digit"))
    np.testing.assert_array_equal(style, np.indices(shape)[0])
    np.testing.assert_array_equal(digit, np.indices(shape)[1])
    for other in (drawn.noise, drawn.codes["width"][:, None]):
        each = other.reshape(*shape, -1)
        np.testing.assert_array_equal(each, np.broadcast_to(each[:1, :1], each.shape))
    assert len(np.unique(drawn.noise, axis=0)) == columns
    grids = traversals.sample_and_traversal_grids(
        model.spec, model.nets, *model.sampling, model.seed
    )
    picture = grids["traversal_style"]
    half = (picture.shape[1] - traversals.GAP) // 2
    images = model.generate(drawn).repeat(4, axis=1).repeat(4, axis=2)
    for part, place in ((0, 0), (1, half + traversals.GAP)):
        cells = split_grid(picture[:, place : place + half], rows, columns)
        expected = images.reshape(2, -1, 32, 32, 1)[part]
        np.testing.assert_array_equal(cells[:, :32, :32], expected)
    assert grids["traversal_slant"].shape[0] == picture.shape[0]


def test_rows_take_the_categories_of_the_parent_in_turn(model):
    base = traversals.base_latents(model.spec, 0, 7, model.code("slant"))
    np.testing.assert_array_equal(base.codes["digit"], np.arange(7) % 3)
    assert model.traverse("style", rows=3).shape == (3, 2, 8, 8, 1)


def test_columns_of_encoded_images_are_those_of_the_category_that_is_read(model):
    read = read_codes(model, IMAGES)
    outputs = model.outputs(IMAGES).outputs
    digit = outputs[:, :3].argmax(axis=1)
    np.testing.assert_array_equal(read["category"], digit)
    own = outputs[:, 3:9].reshape(-1, 3, 2)[np.arange(len(digit)), digit]
    shares = np.exp(own) / np.exp(own).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(read["style/probabilities"], shares, rtol=1e-4)
    np.testing.assert_array_equal(read["style/category"], own.argmax(axis=1))
    np.testing.assert_allclose(read["style/confidence"], shares.max(1), rtol=1e-4)
    means = outputs[:, 9:15].reshape(-1, 3, 2)[np.arange(len(digit)), digit, 0]
    np.testing.assert_allclose(read["slant/mean"], means, rtol=1e-5)


def test_samples_have_the_kinds_that_are_asked_for(model):
    drawn = model.latents(6, "digit=1, style=0..1")
    np.testing.assert_array_equal(drawn.codes["style"], [0, 1] * 3)
    images = model.sample(2, "digit=1, style=0..1", hold=True)
    assert np.any(images[0] != images[1])
    assert model.reconstruct(IMAGES).shape == IMAGES.shape


def test_pictures_are_sorted_by_the_category_and_not_by_a_kind_within_it(model):
    assert sorting.category_folders(model) == ["0", "1", "2"]


def test_exported_programs_give_the_same_images_and_codes(model):
    programs, drawn = exporting.make_programs(model), model.latents(4)
    inputs = [*(np.asarray(drawn.codes[code.name]) for code in model.codes)]
    [images] = programs["generator"].function(*inputs, drawn.noise)
    np.testing.assert_allclose(255 * images, model.generate(drawn), atol=0.51)
    found = programs["encoder"].function(jnp.float32(IMAGES) / 255)
    expected = model.encode(IMAGES)
    assert programs["encoder"].outputs == tuple(expected)
    for array, name in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, expected[name], atol=1e-5)
    assert len(exporting.serialise(programs["encoder"])) > 1000
    assert "2 categories, equally likely, within each category of `digit`" in (
        model_card.write(model, ())
    )


@pytest.mark.skipif(
    not all(map(find_spec, exporting.PACKAGES["onnx"])), reason="needs ONNX"
)
def test_onnx_runtime_agrees_with_jax(model):
    for name, program in exporting.make_programs(model).items():
        assert exporting.compare(program, exporting.to_onnx(name, program)) < 1e-4


def test_the_page_of_explore_shows_kinds_within_the_chosen_category(model):
    codes = {"digit": 2, "style": 0, "slant": 0.0, "width": 0.0}
    view = views.View(codes, (3,))
    sprite, shown = views.traversal(model, view, model.code("style"))
    assert shown == [0, 1]
    cells = split_grid(sprite, 1, 2, margin=0)
    assert np.any(cells[0] != cells[1])
    found = readings.read(model, IMAGES[0]).codes
    assert len(found["style"]["probabilities"]) == 2


def test_parameters_go_only_to_codes_with_the_same_parents():
    def described(codes):
        config = make_tiny_config()
        config.latents.codes = codes
        return experiment.describe(config.to_dict())

    first = "a=categorical(3), b=categorical(3), c=uniform in "
    with pytest.raises(UserError, match="these differ: config.latents.codes"):
        restoring._check_same_model(
            described(f"{first}a"), described(f"{first}b"), Path("x")
        )


DIGIT = np.arange(120) % 3
STYLE = np.arange(120) // 3 % 2
SURE = 20.0 * np.eye(3)[DIGIT]


def test_categories_are_compared_with_labels_and_kinds_within_them_are_not():
    split = Split(np.zeros((120, 8, 8, 1), np.uint8), DIGIT)
    outputs = network_outputs(np.hstack([SURE, RNG.standard_normal((120, 6))]))
    model = build_model(
        "digit=categorical(3), style=categorical(2) in digit",
        split,
        train_outputs=outputs,
        test_outputs=outputs,
    )
    section = classes.measure(model)
    assert values(section.measures)["accuracy_test"] == 1
    assert section.tables["confusion"].values.shape == (3, 3)


def test_the_information_of_a_kind_is_that_within_the_drawn_category():
    spec = build_model("digit=categorical(3), style=categorical(2) in digit").spec
    blocks = np.zeros((120, 3, 2))
    blocks[:, 1] = 20.0 * np.eye(2)[STYLE]  # what Q says of category 1 is true
    outputs = np.hstack([np.zeros((120, 3)), blocks.reshape(120, -1)])
    codes = {"digit": jnp.asarray(DIGIT), "style": jnp.asarray(STYLE)}
    [table] = information.within_parents(spec, codes, np.float32(outputs)).values()
    expected = [[0, math.log(2), 0]]
    np.testing.assert_allclose(table.values, expected, atol=1e-5)
    measures = values(information.mi_bounds(spec, codes, np.float32(outputs)))
    assert measures["mi_bound/style"] == pytest.approx(math.log(2) / 3, abs=1e-5)


def test_an_attribute_is_explained_within_each_category_of_the_parent():
    """Kind 1 is bright in category 0 and dark in the others: alone it says little."""
    bright = np.where(DIGIT == 0, STYLE, 1 - STYLE)
    images = np.zeros((120, 8, 8, 1), np.uint8)
    images[:, 2:6, 2:6] = (50 + 100 * bright)[:, None, None, None]
    codes = {"digit": jnp.asarray(DIGIT), "style": jnp.asarray(STYLE)}
    generated = Generated(codes, images, np.zeros((120, 9), np.float32))
    model = build_model(
        "digit=categorical(3), style=categorical(2) in digit", generated=generated
    )
    section = attributes.measure(model)
    strongest = {
        name: value
        for name, value in values(section.measures).items()
        if name.endswith("/style")
    }
    [(name, value)] = strongest.items()
    assert name.startswith("eta_squared_within_") and value == pytest.approx(1)
    assert section.tables["attributes_within_parents"].rows == ("style",)


def test_real_images_are_shown_by_pairs_of_category_and_kind():
    spec = build_model("digit=categorical(2), style=categorical(2) in digit").spec
    read = {
        "digit/probabilities": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "style/probabilities": np.array([[0.3, 0.7], [0.6, 0.4]]),
    }
    pairs, named = real_images._with_parent(
        spec, spec.code("style"), read, {"digit/1": "seven"}
    )
    assert named == ["0, 0", "0, 1", "seven, 0", "seven, 1"]
    np.testing.assert_allclose(pairs, [[0.3, 0.7, 0, 0], [0, 0, 0.6, 0.4]])
