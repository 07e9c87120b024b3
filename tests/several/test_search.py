"""A search tries all settings, ranks them without labels, and goes on after a kill."""

import json

import pytest
from PIL import Image

from infogan_jax import evaluation, training
from infogan_jax.errors import UserError
from infogan_jax.several import search, seeds


def test_all_combinations_of_the_values_are_tried():
    varied = ["objective.noise_sd=0|0.1", "config.data.channels=1|3"]
    assert search.combinations(varied) == [
        {"objective.noise_sd": sd, "data.channels": channels}
        for sd in (0.0, 0.1)
        for channels in (1, 3)
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("latents.noise_size=62", 62),
        ("networks.spectral_norm=True", True),
        ("networks.spectral_norm=0", False),
        (
            "latents.codes=categorical(10), uniform @ 0.1",
            "categorical(10), uniform @ 0.1",
        ),
        ("networks.recognition=", ""),
    ],
)
def test_a_value_is_read_as_its_field_needs_it(text, value):
    [setting] = search.combinations([text])
    [read] = setting.values()
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        ([], "--vary is missing; write --vary="),
        (["objective.noise_sd"], "names no value; write --vary="),
        (["objective.noise_sb=1"], "Did you mean objective.noise_sd?"),
        (["seed=1|2"], "other than seed .use --seeds."),
        (["objective.noise_sd=1"] * 2, "names objective.noise_sd twice"),
        (["objective.noise_sd=0|x"], "'x' is no value of objective.noise_sd"),
        (["objective.noise_sd=-1"], "'-1' is no value of .* at least 0"),
        (["networks.spectral_norm=yes"], "'yes' is no value"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_is_varied_is_one_line(varied, message):
    with pytest.raises(UserError, match=message):
        search.combinations(varied)


def test_every_setting_has_a_directory_of_its_own():
    varied = ["latents.codes=uniform|2 x uniform|2_x_uniform", "objective.noise_sd=0|1"]
    names = [search.directory_name(each) for each in search.combinations(varied)]
    assert len(set(names)) == 6
    assert names[0] == "codes=uniform,noise_sd=0.0"
    assert not any(set(name) & set("/\\ :*") for name in names)
    long = {"networks.trunk": "conv 64 s2 lrelu, " * 40}
    assert len(search.directory_name(long)) < 120


def row(name, rate, agreement):
    return {"setting": {"a.b": name}, "success_rate": rate, "agreement": agreement}


def test_runs_without_a_warning_count_first_and_then_agreement():
    rows = [
        row("agrees, but warned", 0.5, [0.9, 0.9]),
        row("sound", 1.0, [0.5, 0.6]),
        {"setting": {"a.b": "failed"}},
        row("sound and agrees", 1.0, [0.5, 0.8]),
    ]
    order = [each["setting"]["a.b"] for each in search.ranked(rows)]
    assert order == ["sound and agrees", "sound", "agrees, but warned", "failed"]


def test_no_number_that_needs_labels_moves_the_order():
    def with_accuracy(value):
        good = row("first", 1.0, [0.6, 0.6]) | {"metrics": {"accuracy_test": value}}
        return [row("second", 1.0, [0.5, 0.5]), good]

    for accuracy in (0.0, 1.0):
        first, _ = search.ranked(with_accuracy(accuracy))
        assert first["setting"]["a.b"] == "first"


def test_of_codes_of_one_kind_the_mean_is_shown_and_of_all_the_least_visible():
    measured = {
        "mi_bound/digit": [2.0, 2.2],
        "mi_bound/slant": [1.0, 0.0],
        "mi_bound/width": [0.0, 2.0],
        "visible/digit": [0.5, 0.1],
        "visible/slant": [0.3, 0.2],
        "visible/width": [0.4, 0.9],
        "visible/noise": [0.0, 0.0],
        "accuracy_test": [0.9, 0.8],
        "accuracy_test_rematched": [0.9, 0.9],
    }
    kinds = {"digit": "categorical", "slant": "uniform", "width": "uniform"}
    row = {
        "agreement": [0.7, 0.7],
        "kinds": kinds,
        "metrics": {name: {"values": values} for name, values in measured.items()},
    }
    assert search.quantities(row) == {
        "agreement": [0.7, 0.7],
        "L_I, categorical": [2.0, 2.2],
        "L_I, uniform": [0.5, 1.0],
        "least visible": [0.3, 0.1],
        "accuracy_test": [0.9, 0.8],
    }


def test_a_plain_gan_is_refused_before_anything_is_trained(config, tmp_path):
    with pytest.raises(UserError, match="no code to compare runs by"):
        search.run(config, tmp_path, ["latents.codes=uniform|"], 2)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def config(tiny_config):
    tiny_config.training.steps = 2
    return tiny_config.to_dict()


@pytest.mark.long
def test_a_search_that_was_stopped_goes_on_to_the_same_table(
    config, tmp_path, monkeypatch, capsys
):
    trained, most = [], [1]

    def in_this_process(jobs, *, quick, accept_data):
        left = [
            job for job in jobs if not evaluation.is_done(job.workdir, 2, quick=True)
        ]
        for job in left[: most[0]]:
            trained.append(job.label)
            training.train(job.config, job.workdir)
            evaluation.evaluate(job.workdir, quick=quick)
        return (143 if len(left) > most[0] else 0), {}

    monkeypatch.setattr(seeds, "runner", lambda: in_this_process)
    varied = ["objective.noise_sd=0|0.2"]
    assert search.run(config, tmp_path, varied, 2, quick=True) == 143
    assert not (tmp_path / "search.json").exists()
    most[0] = 4
    assert search.run(config, tmp_path, varied, 2, quick=True) == 0
    assert trained == [
        f"noise_sd={sd}, seed {seed}" for sd in ("0.0", "0.2") for seed in (0, 1)
    ]
    record = (tmp_path / "search.json").read_text()
    for each in json.loads(record)["settings"]:
        summary = json.loads((tmp_path / each["directory"] / seeds.SUMMARY).read_text())
        assert {name: each[name] for name in summary} == summary
    with Image.open(tmp_path / "search.png") as picture:
        assert picture.width > 300
    table = capsys.readouterr().out.splitlines()[-6:]
    assert "least visible" in table[0] and "noise_sd=0.2" in "".join(table)
    assert search.run(config, tmp_path, varied, 2, quick=True) == 0
    assert len(trained) == 4, "no run is trained twice"
    assert (tmp_path / "search.json").read_text() == record
    assert capsys.readouterr().out.splitlines()[-6:] == table
