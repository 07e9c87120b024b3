"""Experiment trackers get what TensorBoard gets, and cannot stop a run."""

import json
from importlib.util import find_spec

import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.errors import UserError
from infogan_jax.fields import RULES
from infogan_jax.run import trackers
from infogan_jax.run.progress import Progress
from infogan_jax.run.tracker_names import parse_trackers
from infogan_jax.run.trackers import Tracker, Trackers

CONFIG = {"name": "tiny", "data": {"batch_size": 16}}
PICTURE = np.full((4, 4, 1), 9, np.uint8)


def noting(calls, fails=False):
    def note(*call):
        calls.append(call)
        if fails:
            raise OSError("no network\nand more")

    return Tracker("noted", note, note, lambda: note("closed"))


def test_a_tracker_gets_the_numbers_and_pictures_of_a_run(tmp_path):
    calls, metrics = (
        [],
        {
            "loss/discriminator": jnp.asarray([1.0, 2.0]),
            "loss/generator": jnp.asarray([0.5, 0.5]),
        },
    )
    tracked = Trackers([noting(calls)], print)
    with Progress(tmp_path, 0, 8, 16, trackers=tracked) as progress:
        progress.log(4, metrics)
        progress.pictures(4, {"samples": PICTURE})
    [line] = (tmp_path / "stats.jsonl").read_text().splitlines()
    (step, values), (at, name, picture), closed = calls
    assert (step, at, name, closed) == (4, 4, "samples", ("closed",))
    assert values["loss/discriminator"] == 1.5 == json.loads(line)["loss/discriminator"]
    np.testing.assert_array_equal(picture, PICTURE)


def test_a_tracker_that_fails_is_said_once_and_the_others_go_on():
    calls, others, said = [], [], []
    tracked = Trackers([noting(calls, fails=True), noting(others)], said.append)
    tracked.scalars(2, {"a": 1.0})
    tracked.scalars(4, {"a": 1.0})
    tracked.close()
    assert said == ["warning: noted is left out: no network."]
    assert len(calls) == 1 and len(others) == 3


def test_a_client_that_cannot_start_is_left_out(tmp_path, monkeypatch):
    def fail(name):
        raise OSError("no account")

    said = []
    monkeypatch.setattr(trackers, "import_module", fail)
    trackers.start("wandb", tmp_path, CONFIG, said.append).scalars(2, {"a": 1.0})
    assert said == ["warning: wandb is left out: no account."]


def test_names_are_read_and_others_refused(monkeypatch):
    assert parse_trackers(" mlflow, wandb,mlflow,") == ["mlflow", "wandb"]
    rule = RULES["training.trackers"]
    assert rule.holds("") and rule.holds("wandb,mlflow")
    assert not rule.holds("neptune") and not rule.holds(None)
    trackers.check_installed("")
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"trackers \(=wandb\) needs the package wandb"):
        trackers.check_installed("wandb")


@pytest.mark.filterwarnings("ignore")  # of the client's own packages
@pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")
def test_wandb_keeps_a_run_offline_and_goes_on_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    said = []
    for step in (2, 4):
        tracked = trackers.start("wandb", tmp_path, CONFIG, said.append)
        tracked.scalars(step, {"loss/generator": 0.5})
        tracked.image(step, "samples", PICTURE)
        tracked.close()
    assert not said
    identity = json.loads((tmp_path / "trackers.json").read_text())["wandb"]
    kept = list((tmp_path / "wandb").glob(f"offline-run-*-{identity}"))
    assert kept and all(list(folder.glob("*.wandb")) for folder in kept)
    assert list((tmp_path / "wandb").rglob("*.png"))


@pytest.mark.filterwarnings("ignore")  # of the client's own packages
@pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow")
def test_mlflow_keeps_a_run_in_a_folder_and_goes_on_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    import mlflow

    said = []
    for step in (2, 4):
        tracked = trackers.start("mlflow", tmp_path, CONFIG, said.append)
        tracked.scalars(step, {"loss/generator": step / 8})
        tracked.image(step, "samples", PICTURE)
        tracked.close()
    assert not said
    client = mlflow.MlflowClient()
    run = client.get_run(json.loads((tmp_path / "trackers.json").read_text())["mlflow"])
    assert run.info.status == "FINISHED"
    assert run.data.params["data.batch_size"] == "16"
    history = client.get_metric_history(run.info.run_id, "loss/generator")
    assert [(each.step, each.value) for each in history] == [(2, 0.25), (4, 0.5)]
    pictures = client.list_artifacts(run.info.run_id, "pictures")
    names = [f"pictures/samples_{step:07d}.png" for step in (2, 4)]
    assert sorted(each.path for each in pictures) == names
