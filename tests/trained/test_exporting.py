"""A trained run in other frameworks gives the images and codes that it gives here."""

import builtins
import json
import re
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from verbs import call

import infogan_jax
from infogan_jax.data.sources import digits
from infogan_jax.errors import UserError
from infogan_jax.run import code_names
from infogan_jax.trained import exporting

IMAGES = digits.load().test.images[:5]
needs = {
    name: pytest.mark.skipif(
        not all(map(find_spec, packages)), reason=f"needs {', '.join(packages)}"
    )
    for name, packages in exporting.PACKAGES.items()
}


@pytest.fixture(scope="module")
def programs(model):
    return exporting.make_programs(model)


def arguments(model, drawn):
    return [*(np.asarray(drawn.codes[code.name]) for code in model.codes), drawn.noise]


def test_the_generator_gives_the_images_of_codes_and_noise_in_0_to_1(model, programs):
    program, drawn = programs["generator"], model.latents(4, seed=3)
    assert list(program.inputs) == [*(code.name for code in model.codes), "noise"]
    [images] = program.function(*arguments(model, drawn))
    assert 0 <= images.min() < images.max() <= 1
    np.testing.assert_allclose(255 * images, model.generate(drawn), atol=0.51)


def test_the_encoder_reads_what_the_run_reads(model, programs):
    program = programs["encoder"]
    found = program.function(jnp.float32(IMAGES) / 255)
    expected = model.encode(IMAGES)
    assert program.outputs == tuple(expected)
    for array, name in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, expected[name], atol=1e-5)


def test_bytes_of_jax_export_are_the_program_for_any_batch(model, programs):
    content = exporting.serialise(programs["generator"])
    exported = jax.export.deserialize(bytearray(content))
    assert set(exported.platforms) == set(exporting.PLATFORMS)
    for count in (1, 3):
        inputs = arguments(model, model.latents(count))
        [images], [expected] = (
            function(*inputs)
            for function in (exported.call, programs["generator"].function)
        )
        np.testing.assert_allclose(images, expected, atol=1e-6)


@needs["safetensors"]
def test_an_exported_folder_stands_for_the_run(own_run, model, tmp_path, capsys):
    code_names.write_names(own_run, {"uniform_1": "slant"}, model.codes)
    out = tmp_path / "out"
    call(f"infogan export --workdir={own_run} --out={out} --formats=safetensors")
    assert "model.safetensors: 0.0" in capsys.readouterr().out
    loaded = infogan_jax.load(out)
    assert (loaded.step, loaded.code("slant").name) == (8, "uniform_1")
    np.testing.assert_array_equal(loaded.sample(5), model.sample(5))
    for name, array in model.encode(IMAGES).items():
        np.testing.assert_array_equal(loaded.encode(IMAGES)[name], array)


@needs["safetensors"]
def test_a_damaged_or_foreign_file_of_parameters_is_named(own_run, tmp_path):
    out = tmp_path / "out"
    call(f"infogan export --workdir={own_run} --out={out} --formats=safetensors")
    whole = (out / "model.safetensors").read_bytes()
    (out / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(UserError, match="model.safetensors is damaged"):
        infogan_jax.load(out)
    (out / "model.safetensors").write_bytes(whole)
    config = json.loads((out / "config.json").read_text())
    config["networks"]["trunk"] = "fc 17 bn lrelu"
    (out / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="does not fit .*config.json: params/discrim"):
        infogan_jax.load(out)


@needs["onnx"]
def test_onnx_runtime_agrees_with_jax_for_any_batch(model, programs):
    import onnxruntime

    for name, program in programs.items():
        content = exporting.to_onnx(name, program)
        assert exporting.compare(program, content) < 1e-5
        session = onnxruntime.InferenceSession(content)
        assert [each.name for each in session.get_inputs()] == list(program.inputs)
        inputs = [jnp.float32(IMAGES) / 255]
        if name == "generator":
            inputs = arguments(model, model.latents(5))
        named = zip(program.inputs, map(np.asarray, inputs), strict=True)
        found = session.run(None, dict(named))
        for one, other in zip(found, program.function(*inputs), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_card_and_the_config_say_what_is_shared_and_no_path(own_run, tmp_path):
    config = json.loads((own_run / "config.json").read_text())
    config["data"]["directory"] = "/home/somebody"
    (own_run / "config.json").write_text(json.dumps(config))
    record = {"nmi": {"value": 0.5, "unit": "a|b", "protocol": "<b>of\nall"}}
    (own_run / "evaluation.json").write_text(json.dumps({"metrics": record}))
    out = tmp_path / "out"
    call(f"infogan export --workdir={own_run} --out={out} --formats=jax")
    names = {path.name for path in out.iterdir()}
    programs = {"generator.jax", "encoder.jax"}
    assert names == programs | {"README.md", "config.json", "data.json"}
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: infogan-jax\n")
    assert "| nmi | 0.5 | a\\|b | &lt;b>of all |" in card
    assert "| `categorical_0` | 10 categories, equally likely |  |" in card
    assert "trained with infogan-jax" in card and card.count("TO FILL IN") == 3
    for path in out.iterdir():
        assert b"/home/somebody" not in path.read_bytes()


def test_the_card_s_own_commands_run(own_run, model, tmp_path, monkeypatch):
    out = tmp_path / "out"
    call(f"infogan export --workdir={own_run} --out={out} --formats=jax")
    card = (out / "README.md").read_text()
    [block] = re.findall(r"^    import jax\n(?:    .*\n)+", card, re.MULTILINE)
    lines = "\n".join(line[4:] for line in block.splitlines())
    drawn = model.latents(4)
    values = {code.name: np.asarray(drawn.codes[code.name]) for code in model.codes}
    values["noise"] = np.asarray(drawn.noise)
    monkeypatch.chdir(out)
    exec(lines, values)
    np.testing.assert_allclose(255 * values["images"], model.generate(drawn), atol=0.51)


@pytest.mark.parametrize(
    "flags, words",
    [
        ("--out=out --formats=tflite", "must be of onnx, safetensors, jax; leave out"),
        ("--out=out --formats=,", "--formats (=,) is empty"),
        ("--formats=jax", "--out is missing; name a new folder"),
        ("--out=full --formats=jax", "is there already and not an empty folder"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    trained_run, tmp_path, monkeypatch, flags, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full" / "of").mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        call(f"infogan export --workdir={trained_run} {flags}")
    assert words in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_missing_package_is_named_with_a_way_out(trained_run, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        call(f"infogan export --workdir={trained_run} --out={tmp_path}/out")
    said = str(caught.value)
    assert "onnx needs the package jax2onnx" in said
    [advice] = re.findall(r"--formats=[\w,]+", said)
    call(f"infogan export --workdir={trained_run} --out={tmp_path}/out {advice}")
    assert (tmp_path / "out" / "generator.jax").exists()


def test_without_safetensors_an_exported_folder_says_what_it_needs(
    own_run, monkeypatch
):
    (own_run / "model.safetensors").touch()
    imported = builtins.__import__

    def refuse(name, *rest):
        if name == "safetensors":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match="needs the package safetensors"):
        infogan_jax.load(own_run)
