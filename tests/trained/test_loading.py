"""A trained run as one object: images of codes, codes of images."""

import io
import json
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest
from PIL import Image

import infogan_jax
from infogan_jax.analysis import encode, generate, traversals
from infogan_jax.data import scaling
from infogan_jax.data.rendering import Rules
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError
from infogan_jax.run import code_names

IMAGES = digits.load().test.images[:6]


@pytest.fixture(scope="module")
def restored(trained_run):
    return infogan_jax.restore(trained_run)


def test_load_has_what_the_run_has(model, trained_run, restored):
    exp, state = restored
    loaded = infogan_jax.load(str(trained_run))
    assert [code.name for code in loaded.codes] == [
        code.name for code in exp.algorithm.spec.codes
    ]
    assert loaded.step == int(state.step) == 8
    assert loaded.image_shape == (8, 8, 1)
    assert loaded.names == {}
    with pytest.raises(FrozenInstanceError):
        loaded.step = 9


def test_samples_are_those_of_the_prior_and_a_chosen_code_leaves_the_rest(
    model, restored
):
    exp, state = restored
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    drawn = generate.sample_latents(spec, 7, 30)
    plain = model.latents(30, seed=7)
    chosen = model.latents(30, "categorical_0=3, uniform_1=-2..2", seed=7)
    for name, value in drawn.codes.items():
        np.testing.assert_array_equal(plain.codes[name], value)
        if name not in ("categorical_0", "uniform_1"):
            np.testing.assert_array_equal(chosen.codes[name], value)
    np.testing.assert_array_equal(chosen.noise, drawn.noise)
    assert set(chosen.codes["categorical_0"]) == {3}
    steps = np.linspace(-2, 2, 30)
    np.testing.assert_allclose(chosen.codes["uniform_1"], steps, atol=1e-6)
    images = generate.generate(spec, nets, *state.sampling, chosen)
    sampled = model.sample(30, {"categorical_0": 3, "uniform_1": (-2, 2)}, seed=7)
    assert sampled.dtype == np.uint8
    np.testing.assert_array_equal(sampled, scaling.to_uint8(images, nets.output_range))


def test_held_images_differ_in_the_chosen_codes_alone(model):
    drawn = model.latents(520, "uniform_0=-1..1, categorical_0=2..4", hold=True)
    assert np.ptp(drawn.noise, axis=0).max() == 0
    assert np.ptp(drawn.codes["uniform_1"]) == 0
    np.testing.assert_array_equal(drawn.codes["categorical_0"], np.arange(520) % 3 + 2)
    ends = drawn.codes["uniform_0"][[0, 259, 260, 519]]
    np.testing.assert_allclose(ends, [-1, -1 / 519, 1 / 519, 1], atol=1e-6)


@pytest.mark.parametrize(
    "codes, words",
    [
        ("height=1", "'height' is no code of this run; its codes: categorical_0"),
        ("categorical_0=10", "'10' is no category of categorical_0; it has 0 to 9"),
        ("categorical_0=5..3", "goes down; write the smaller category first"),
        ("uniform_0=nan", "uniform_0 (=nan) must be a finite number"),
        ("uniform_0=1..inf", "uniform_0 (=inf) must be a finite number"),
        ("uniform_0", "cannot read 'uniform_0'; write CODE=VALUE or CODE=LOW..HIGH"),
        ("uniform_0=", "cannot read 'uniform_0='"),
        ("uniform_0=1, uniform_0=2", "'uniform_0' is given twice"),
    ],
)
def test_a_value_that_cannot_be_is_named(model, codes, words):
    with pytest.raises(UserError) as caught:
        model.sample(2, codes)
    assert words in str(caught.value)


def test_encode_reads_what_q_reads(model, restored):
    exp, state = restored
    posterior = encode.encode(
        exp.algorithm.spec, exp.algorithm.nets, state.params, state.stats, IMAGES
    )
    arrays = model.encode(IMAGES)
    assert list(arrays) == list(encode.posterior_arrays(posterior))
    for name, array in encode.posterior_arrays(posterior).items():
        np.testing.assert_array_equal(arrays[name], array)
    with pytest.raises(UserError, match=r"\(6, 4, 8, 1\)\) must be \[n, 8, 8, 1\]"):
        model.encode(IMAGES[:, :4])


def test_a_traversal_is_that_of_the_pictures_of_the_run(model, restored):
    exp, state = restored
    grids = traversals.sample_and_traversal_grids(
        exp.algorithm.spec, exp.algorithm.nets, *state.sampling, exp.seed
    )
    for name in ("uniform_1", "categorical_0"):
        rows = model.traverse(name)
        assert rows.shape == (10, 10, 8, 8, 1)
        flat = rows.reshape(100, 8, 8, 1)
        np.testing.assert_array_equal(
            traversals.grid(flat, 10), grids[f"traversal_{name}"]
        )
    assert model.traverse("uniform_1", rows=2, steps=3).shape == (2, 3, 8, 8, 1)


def test_a_reconstruction_is_the_image_of_the_codes_that_q_reads(model):
    rebuilt = model.reconstruct(IMAGES)
    arrays = model.encode(IMAGES)
    for row, image in enumerate(rebuilt):
        codes = {
            code.name: int(arrays[f"{code.name}/probabilities"][row].argmax())
            if code.is_categorical
            else float(arrays[f"{code.name}/mean"][row])
            for code in model.codes
        }
        again = model.sample(1, codes)
        np.testing.assert_allclose(np.int32(again[0]), np.int32(image), atol=1)


def test_a_picture_is_read_from_a_file_or_from_bytes(model, tmp_path):
    path, content = tmp_path / "a.png", io.BytesIO()
    Image.fromarray(IMAGES[0, ..., 0]).save(path)
    Image.fromarray(IMAGES[0, ..., 0]).convert("RGB").save(content, "png")
    np.testing.assert_array_equal(model.read(path), IMAGES[0])
    np.testing.assert_array_equal(model.read(content), IMAGES[0])
    with pytest.raises(UserError, match="the picture cannot be read"):
        model.read(io.BytesIO(b"no picture"))


def test_a_picture_is_read_by_the_recorded_rules_of_the_run_s_data(own_run, tmp_path):
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 65
    Image.fromarray(values).save(tmp_path / "slice.png")
    path = own_run / "data.json"
    rules = Rules(8, 8, 1, deep_range=(0, 4095))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rules": asdict(rules)}))
    pixels = infogan_jax.load(own_run).read(tmp_path / "slice.png")[..., 0]
    np.testing.assert_array_equal(pixels, np.rint(values * 255.0 / 4095))
    path.write_text('{"rules": {"colour": 1}}')
    with pytest.raises(UserError, match="has rules that are none"):
        infogan_jax.load(own_run)


def test_given_names_stand_for_codes_and_categories(model, own_run):
    names = {"uniform_1": "slant", "categorical_0": "digit", "categorical_0/3": "five"}
    code_names.write_names(own_run, names, model.codes)
    named = infogan_jax.load(own_run)
    assert [named.shown(code) for code in named.codes][:1] == ["digit"]
    assert named.code("slant") == named.code("uniform_1")
    by_names = named.sample(5, "digit=five, slant=-2..2")
    by_numbers = model.sample(5, "categorical_0=3, uniform_1=-2..2")
    np.testing.assert_array_equal(by_names, by_numbers)
