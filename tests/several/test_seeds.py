"""Several seeds by one command: each is in the summary, none is trained twice."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from infogan_jax import training
from infogan_jax.errors import Diverged, RunFailure, UserError
from infogan_jax.several import one_program, seeds, side_by_side


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture
def config(tiny_config):
    tiny_config.training.steps = 2
    tiny_config.seed = 5
    return tiny_config.to_dict()


@pytest.fixture
def ran(directory, config):
    if not (directory / "seeds.json").exists():
        assert seeds.run(config, directory, 2, quick=True) == 0
    return directory


def record(seed, accuracy, warnings=()):
    metrics = {"accuracy_test": {"value": accuracy}, f"only_{seed}": {"value": 1.0}}
    return {"run": {"seed": seed}, "metrics": metrics, "warnings": list(warnings)}


RECORDS = [record(3, 0.9), record(4, 0.6), record(5, 0.96, ["collapse"])]


def test_every_seed_is_trained_and_evaluated_in_a_directory_of_its_own(ran):
    summary = json.loads((ran / "seeds.json").read_text())
    assert summary["seeds"] == [5, 6]
    for place, seed in enumerate(summary["seeds"]):
        written = json.loads((ran / f"seed_{seed}" / "evaluation.json").read_text())
        assert written["run"]["seed"] == seed
        assert {name: m["value"] for name, m in written["metrics"].items()} == {
            name: m["values"][place] for name, m in summary["metrics"].items()
        }
    assert summary["agreement"][0] == summary["agreement"][1], "each has one other"
    assert 0 <= summary["agreement"][0] <= 1


def test_on_a_cpu_each_seed_trains_with_one_thread(ran):
    for seed in (5, 6):
        environment = json.loads(
            (ran / f"seed_{seed}" / "environment.json").read_text()
        )
        assert environment["threads"] == 1


def test_the_same_command_again_trains_nothing_and_says_the_same(ran, config, capsys):
    before = {path: path.stat().st_mtime_ns for path in ran.glob("seed_*/*.json*")}
    summary = (ran / "seeds.json").read_text()
    assert seeds.run(config, ran, 2, quick=True) == 0
    assert "is complete" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in ran.glob("seed_*/*.json*")} == before
    assert (ran / "seeds.json").read_text() == summary


def test_mean_sd_and_minimum_are_over_all_seeds():
    summary = seeds.summarise(RECORDS, [0.7, 0.8, 0.1], None)
    row = summary["metrics"]["accuracy_test"]
    assert row["values"] == [0.9, 0.6, 0.96]
    assert row["mean"] == pytest.approx(0.82)
    assert row["sd"] == pytest.approx(np.sqrt((0.08**2 + 0.22**2 + 0.14**2) / 2))
    assert row["min"] == 0.6
    assert set(summary["metrics"]) == {"accuracy_test"}, "measured for every seed"


def test_the_seed_that_agrees_most_is_chosen_whatever_its_accuracy():
    summary = seeds.summarise(RECORDS, [0.7, 0.8, 0.1], None)
    assert summary["chosen"] == 4
    assert summary["metrics"]["accuracy_test"]["chosen"] == 0.6


@pytest.mark.parametrize(
    ("condition", "rate"), [(None, 2 / 3), (("accuracy_test", 0.9), 1 / 3)]
)
def test_a_success_has_no_warning_and_reaches_what_was_asked(condition, rate):
    summary = seeds.summarise(RECORDS, [0.5, 0.5, 0.5], condition)
    assert summary["success_rate"] == pytest.approx(rate)


def test_a_metric_that_is_not_measured_cannot_be_a_success():
    with pytest.raises(UserError, match="--success names mig, which is not measured"):
        seeds.summarise(RECORDS, [0.5, 0.5, 0.5], ("mig", 0.5))


@pytest.mark.parametrize(
    "text", ["accuracy_test", "accuracy_test>0.9", "a>=0.9.1", "a>=nan", ">=1"]
)
def test_a_condition_that_cannot_be_read_is_refused_first(config, tmp_path, text):
    with pytest.raises(UserError, match="must be METRIC>=NUMBER"):
        seeds.run(config, tmp_path, 2, success=text)
    assert not list(tmp_path.iterdir())


def test_one_seed_and_a_run_without_codes_are_refused_first(config, tmp_path):
    with pytest.raises(UserError, match=r"--seeds \(=1\) must be at least 2"):
        seeds.run(config, tmp_path, 1)
    config["latents"]["codes"] = ""
    with pytest.raises(UserError, match="no code to compare seeds by"):
        seeds.run(config, tmp_path, 2)
    assert not list(tmp_path.iterdir())


def test_an_interrupt_ends_the_seeds_with_its_status(config, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **_more: 130)
    assert seeds.run(config, tmp_path, 2, together=False) == 130


def test_each_machine_has_its_way_to_train_and_another_can_be_asked_for(monkeypatch):
    def use(platform, *cores):
        device = SimpleNamespace(platform=platform)
        monkeypatch.setattr(seeds.parallel, "all_devices", lambda: [device])
        monkeypatch.setattr(seeds.compilation, "available_cores", lambda: [*cores])

    use("gpu", 0, 1)
    assert seeds.runner() is one_program.run
    assert seeds.runner(together=False) is seeds.run_one_by_one
    use("cpu", 0, 1)
    assert seeds.runner() is side_by_side.run
    assert seeds.runner(together=True) is one_program.run
    use("cpu", 3)
    assert seeds.runner() is seeds.run_one_by_one


@pytest.fixture
def diverging(monkeypatch):
    """Training in which the runs of some seeds diverge before they begin."""

    def diverge(*seeds):
        whole = training.train

        def train(config, workdir, **more):
            if config["seed"] in seeds:
                raise Diverged("loss/generator is nan")
            return whole(config, workdir, **more)

        monkeypatch.setattr(training, "train", train)

    return diverge


def test_a_seed_that_diverges_is_named_and_counted_and_the_others_go_on(
    config, tmp_path, diverging, capsys
):
    diverging(6)
    assert seeds.run(config, tmp_path, 3, quick=True, together=False) == 0
    summary = json.loads((tmp_path / "seeds.json").read_text())
    assert summary["seeds"] == [5, 7]
    assert summary["failed"] == {"6": "loss/generator is nan"}
    assert summary["success_rate"] <= 2 / 3
    assert "seed 6 failed: loss/generator is nan" in capsys.readouterr().out


def test_where_fewer_than_two_seeds_are_left_that_is_the_end(
    config, tmp_path, diverging
):
    diverging(5, 6)
    with pytest.raises(RunFailure, match="2 of 2 seeds failed.*loss/generator is nan"):
        seeds.run(config, tmp_path, 2, together=False)
