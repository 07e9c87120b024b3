"""Components one after another: each resumes, none is trained twice, all are mixed."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from run_results import assert_same_run
from verbs import call

from infogan_jax import restoring, training
from infogan_jax.analysis import modes
from infogan_jax.analysis.modes import Measures
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.run import data_record
from infogan_jax.several import boosting, mixture
from infogan_jax.several.mixture import Mixture, load_mixture

STEPS = 20  # of the classifiers


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No classifier of modes, which takes seconds to compile."""
    monkeypatch.setattr(modes, "measures", lambda *_, **__: Measures(bright, "bright"))
    monkeypatch.setattr(mixture, "SAMPLES", 1000)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("boosting")


@pytest.fixture
def config(tiny_config):
    tiny_config.training.update(steps=4, picture_every=4)
    return tiny_config.to_dict()


@pytest.fixture
def ran(directory, config, monkeypatch):
    """Two rounds, of which the second was stopped by ctrl-c after two steps."""
    workdir = directory / "boost"
    if workdir.exists():
        return workdir
    is_due, calls = Experiment.is_due, []

    def interrupt(self, cadence, step):
        if self.seed == 1 and step == 2 and not calls:
            calls.append(step)
            os.kill(os.getpid(), signal.SIGINT)
        return is_due(self, cadence, step)

    with monkeypatch.context() as patched:
        patched.setattr(Experiment, "is_due", interrupt)
        assert boost(config, workdir, 2) == 128 + signal.SIGINT
    begun = record(workdir)
    assert [len(begun), "measures" in begun[0], "measures" in begun[1]] == [2, 1, 0]
    assert boost(config, workdir, 2) == 0
    assert record(workdir)[1]["weights_sha256"] == begun[1]["weights_sha256"]
    return workdir


def bright(images):
    return {"modes_found": float(len(np.unique(images.mean(axis=(1, 2, 3)) // 26)))}


def boost(config, workdir, rounds, **options):
    return boosting.run(config, workdir, rounds, classifier_steps=STEPS, **options)


def record(workdir):
    return json.loads((workdir / "boost.json").read_text())["rounds"]


def test_the_first_component_is_the_run_of_the_config_itself(ran, config, tmp_path):
    assert training.train(config, tmp_path / "alone") == 0
    assert_same_run(ran / "round_1", tmp_path / "alone")


def test_a_round_that_was_stopped_ends_as_one_that_was_not(ran, config, tmp_path):
    exp, state = restoring.restore(ran / "round_2")
    weights = data_record.read_weights(ran / "round_2")
    assert exp.dataset.train.weights is not None, "an evaluation knows them too"
    dataset = restoring.restore(ran / "round_1")[0].dataset
    dataset = replace(dataset, train=replace(dataset.train, weights=weights))
    whole = tmp_path / "whole"
    extensions = training.Extensions(dataset=dataset)
    assert training.train({**config, "seed": 1}, whole, extensions=extensions) == 0
    assert_same_run(ran / "round_2", whole)


def test_the_record_says_how_the_weights_came_about(ran):
    first, second = record(ran)
    weights = data_record.read_weights(ran / "round_2")
    assert (
        "weights_sha256" not in first
        and data_record.read_weights(ran / "round_1") is None
    )
    assert weights.sum() == pytest.approx(1)
    assert second["images_of_weight_0"] == np.sum(weights == 0)
    assert second["effective_size"] == pytest.approx(1 / np.sum(weights**2))
    assert (second["beta"], second["mixture_weights"]) == (0.5, [0.5, 0.5])
    assert 0.4 < second["lambda"] < 3
    assert 1 <= second["measures"]["modes_found"] <= 10
    for name in ("samples.png", "rounds.png"):
        assert (ran / name).stat().st_size > 1000


def test_the_same_command_again_trains_nothing(ran, config, monkeypatch):
    before = {
        path: path.stat().st_mtime_ns for path in ran.rglob("*") if path.is_file()
    }
    monkeypatch.setattr(training, "train", None)
    assert boost(config, ran, 2) == 0
    after = {path: path.stat().st_mtime_ns for path in before}
    assert {path for path in before if after[path] != before[path]} <= {ran / "lock"}


def test_a_mixture_draws_its_components_by_weight_and_repeats_itself(ran):
    both = load_mixture(ran)
    images, components = both.sample(400, seed=3)
    again = both.sample(400, seed=3)
    np.testing.assert_array_equal(images, again.images)
    assert components.mean() == pytest.approx(0.5, abs=0.1)
    uneven = Mixture(both.components, np.array([1.0, 0.0]))
    assert not uneven.sample(50).components.any()
    first = load_mixture(ran, rounds=1)
    np.testing.assert_array_equal(
        first.sample(50, seed=4).images, uneven.sample(50, seed=4).images
    )


def test_the_mixture_s_q_is_a_distribution_over_component_and_code(ran):
    both, images = load_mixture(ran), np.zeros((3, 8, 8, 1), np.uint8)
    read = both.posterior(images)
    component = read["component/probabilities"]
    joint = component[:, :, None] * read["categorical_0/probabilities"]
    assert joint.shape == (3, 2, 10)
    np.testing.assert_allclose(joint.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert read["uniform_0/mean"].shape == (3, 2)
    information = both.component_information(count=300)
    assert information <= np.log(2) + 1e-9
    alone = load_mixture(ran, rounds=1)
    assert alone.component_information(count=10) == 0


def test_without_weights_it_is_an_ensemble_of_seeds(ran, config, tmp_path):
    workdir = tmp_path / "ensemble"
    assert boost(config, workdir, 2, reweight=False) == 0
    first, second = record(workdir)
    assert first == record(ran)[0]
    assert "lambda" not in second and second["mixture_weights"] == [0.5, 0.5]
    assert data_record.read_weights(workdir / "round_2") is None
    with pytest.raises(UserError, match=r"--reweight \(=True\) must stay False"):
        boost(config, workdir, 2)


def test_another_beta_or_more_steps_would_not_be_the_same_mixture(ran, config):
    with pytest.raises(UserError, match=r"--beta \(=0\.3\) must stay None"):
        boost(config, ran, 3, beta=0.3)
    config["training"]["steps"] = 8
    with pytest.raises(UserError, match=r"steps \(=8\) must stay 4"):
        boost(config, ran, 3)


def test_a_run_by_itself_is_not_made_a_mixture(ran, config):
    with pytest.raises(UserError, match="round_1.* is a run by itself; name a new"):
        boost(config, ran / "round_1", 2)


def test_mistakes_are_refused_before_anything_is_written(config, tmp_path):
    workdir = tmp_path / "new"
    with pytest.raises(UserError, match=r"--rounds \(=0\) must be at least 1"):
        boost(config, workdir, 0)
    with pytest.raises(UserError, match=r"--beta \(=1\.5\) must be between 0 and 1"):
        boost(config, workdir, 2, beta=1.5)
    config["seed"] = 2**32 - 2
    with pytest.raises(UserError, match="seed"):
        boost(config, workdir, 5)
    assert not workdir.exists()


@pytest.mark.filterwarnings("ignore:the load_module")  # of ml_collections
@pytest.mark.parametrize(
    "flags, words",
    [("--rounds=0", r"rounds \(=0\)"), ("--beta=1", r"beta \(=1\)")],
)
def test_the_command_hands_its_flags_on(flags, words, tmp_path):
    with pytest.raises(UserError, match=words):
        call(f"infogan boost --config=gaussians {flags} --workdir={tmp_path / 'new'}")


def test_a_directory_without_a_mixture_is_refused(ran, tmp_path):
    with pytest.raises(UserError, match=r"boost\.json cannot be read"):
        load_mixture(tmp_path)
    with pytest.raises(UserError, match=r"rounds \(=3\) must be from 1 to the 2"):
        load_mixture(ran, rounds=3)
    (tmp_path / "boost.json").write_text("[]")
    with pytest.raises(UserError, match="cannot be read"):
        load_mixture(tmp_path)
