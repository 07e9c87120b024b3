"""The way out that a message offers works where it is followed to its end."""

import json
import re
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from absl import flags
from ml_collections import config_flags
from tiny import VECTORS

from configs import digits
from infogan_jax import experiment, restoring, training
from infogan_jax.commands import program
from infogan_jax.errors import UserError
from infogan_jax.machine import parallel
from infogan_jax.run import data_record, run_directory

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


def archive(path, images=IMAGES):
    np.savez(path, images=images)
    return str(path)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A directory with the archive `data.npz` and a `run` of two steps on it."""
    root = tmp_path_factory.mktemp("ways_out")
    config = digits.get_config()
    config.networks.update(VECTORS)
    config.data.update(
        batch_size=16, source="npz", directory=archive(root / "data.npz")
    )
    config.training.update(
        steps=2, steps_per_call=2, log_every=2, picture_every=2, checkpoint_every=2
    )
    assert training.train(config.to_dict(), root / "run") == 0
    return root


@pytest.fixture
def run(home, tmp_path):
    return shutil.copytree(home / "run", tmp_path / "run")


def recorded(run, **fields):
    """The recorded config with some other values."""
    config = digits.get_config()
    config.update(run_directory.read_config(run))
    config.update_from_flattened_dict(fields)
    return config


def told(function, *args, **options):
    """What is said where something is refused, in one line."""
    with pytest.raises(UserError) as caught:
        function(*args, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def followed(text, flag):
    """The value of a flag that a message offers."""
    [value] = re.findall(rf"--{flag}=([^\s,;]+?)[.?]?(?=[\s,;]|$)", text)
    return value


def parsed(*words):
    """The config that a command line gives."""
    values = flags.FlagValues()
    config_flags.DEFINE_config_file("config", digits.__file__, flag_values=values)
    values(["train.py", *words])
    return values.config


def test_a_batch_size_that_is_offered_for_the_data_is_taken(run):
    config = recorded(run, **{"data.batch_size": 1000})
    message = told(experiment.build, config.to_dict())
    config.data.batch_size = int(followed(message, r"config\.data\.batch_size"))
    assert len(experiment.build(config.to_dict()).dataset.train.images) == 54


def test_streaming_that_is_offered_takes_the_images_out_of_the_memory(run, monkeypatch):
    config = recorded(run)
    exp = experiment.build(config.to_dict())
    size = exp.dataset.train.images.nbytes
    monkeypatch.setattr(experiment.memory_estimate, "estimate", lambda *_: 10 * size)
    monkeypatch.setattr(experiment.memory, "available", lambda _: 10 * size)
    monkeypatch.setattr(experiment.jax, "local_devices", lambda: jax.devices()[:1])
    message = experiment.check_memory(exp)
    offer = followed(message, r"config\.data\.stream")
    config.data.stream = {"True": True}[offer]
    assert experiment.check_memory(experiment.build(config.to_dict())) == ""


@pytest.mark.parametrize(
    "name", ["steps", "log_every", "picture_every", "checkpoint_every"]
)
def test_the_multiple_that_is_offered_fits(run, name):
    config = recorded(run, **{f"training.{name}": 7})
    message = told(experiment.describe, config.to_dict())
    config.training[name] = int(re.search(r"; try (\d+)\.", message)[1])
    experiment.describe(config.to_dict())


def test_a_batch_size_that_is_offered_for_the_devices_fits(run):
    message = told(parallel.make_mesh, 15)
    for offer in re.findall(r"\d+", message.split("; try ")[1]):
        parallel.make_mesh(int(offer))


@pytest.mark.parametrize(
    "word, path", [("steps=10", "training.steps"), ("batch_size=32", "data.batch_size")]
)
def test_the_flag_that_is_offered_for_one_that_is_not_there_is_one(
    monkeypatch, word, path
):
    monkeypatch.setattr(flags, "FLAGS", {"config": None})
    message = program._in_one_line(
        flags.UnrecognizedFlagError(word.split("=")[0], f"--{word}")
    )
    [offer] = re.findall(r"Did you mean (--\S+)\?", message)
    config = parsed(offer)
    for part in path.split("."):
        config = config[part]
    assert config == int(word.split("=")[1])


def test_a_config_file_that_defines_what_is_asked_for_is_taken(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    message = program._mistake_in(str(path), [])
    assert "must define get_config(), which returns an ml_collections.C" in message
    [example] = re.findall(r"configs/\w+\.py", message)
    shutil.copy(Path(digits.__file__).parent / Path(example).name, path)
    assert program._mistake_in(str(path), []) == ""
    assert parsed(f"--config={path}").name == "digits"


def test_the_ways_out_of_another_config(run, tmp_path):
    """The recorded values, another directory, or a run that begins with this one."""
    other = recorded(run, **{"optimiser.beta1": 0.25, "seed": 7})
    message = told(run_directory.check, run, other.to_dict())
    for name, old in re.findall(r"([\w.]+) \(recorded ([\d.]+), now", message):
        other.update_from_flattened_dict({name: json.loads(old)})
    assert run_directory.check(run, other.to_dict()) is not None
    assert run_directory.check(tmp_path / "another", other.to_dict()) is None
    source = Path(followed(message, "init_from"))
    other.optimiser.beta1 = 0.25
    exp = experiment.describe(other.to_dict())
    state, origin = restoring.begin_from(exp, source, parallel.make_mesh())
    assert (int(state.step), origin["step"]) == (0, 2)


def test_the_ways_out_of_changed_data(run, home, tmp_path):
    """The data as it was, --accept_data, or a new run that begins with this one."""
    place = archive(tmp_path / "changed.npz", IMAGES[1:])
    config = recorded(run, **{"data.directory": place}).to_dict()
    message = told(training.train, config, run)
    assert "Put the data back" in message and "--accept_data" in message
    assert followed(message, "init_from") == str(run)
    archive(Path(place))
    assert training.train(config, run) == 0
    archive(Path(place), IMAGES[1:])
    assert training.train(config, run, accept_data=True) == 0
    assert training.train(config, run) == 0
    assert data_record.read(run)["train"] + data_record.read(run)["test"] == 59


def test_the_way_out_of_a_damaged_record_of_the_data(run):
    path = run / data_record.DIGESTS
    path.write_bytes(b"")
    exp = restoring.described(run)
    assert "or remove it" in told(lambda: exp.dataset)
    path.unlink()
    assert len(restoring.described(run).dataset.train.images) == 54


def test_the_way_out_of_data_that_lies_elsewhere(run, home, tmp_path):
    config = recorded(run, **{"data.directory": str(tmp_path / "gone.npz")}).to_dict()
    (run / "config.json").write_text(json.dumps(config))
    exp, _ = restoring.restore(run)
    message = told(lambda: exp.dataset)
    assert "name the place with --data;" in message
    exp, _ = restoring.restore(run, str(home / "data.npz"))
    assert len(exp.dataset.train.images) == 54


def test_the_way_out_of_a_link(run, tmp_path):
    shutil.move(run / "pictures", tmp_path / "pictures")
    (run / "pictures").symlink_to(tmp_path / "pictures")
    assert "put a copy of what it points to in its place" in told(
        run_directory.refuse_links, run
    )
    (run / "pictures").unlink()
    shutil.copytree(tmp_path / "pictures", run / "pictures")
    run_directory.refuse_links(run)


def test_the_way_out_of_checkpoints_that_are_all_damaged(run, tmp_path):
    good = shutil.copytree(run / "checkpoints", tmp_path / "copy")
    for path in (run / "checkpoints").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    assert "restore a copy or use another --workdir" in told(restoring.restore, run)
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(good, run / "checkpoints")
    assert int(restoring.restore(run)[1].step) == 2
