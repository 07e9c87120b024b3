"""A run from its first step to its last, and what a resumed run promises."""

import json
import math
import os
import shutil
import signal

import jax
import numpy as np
import pytest
from run_results import (
    TIMING,
    assert_same_run,
    checkpoint_steps,
    lines_of,
    state_of,
    stats_of,
)
from tiny import TINY

from infogan_jax import evaluation, experiment, restoring, training
from infogan_jax.errors import UserError
from infogan_jax.experiment import Experiment
from infogan_jax.restoring import restore
from infogan_jax.run import run_directory

SMALL = {
    "networks.generator": "fc 8x8x1 sigmoid",
    "networks.trunk": "fc 16 lrelu",
    "networks.recognition": "fc 8 lrelu",
    "training.steps": 2,
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture
def finished(directory, tiny_config):
    """A run of 8 steps, shared: copy it before going on with it."""
    workdir = directory / "run"
    if not workdir.exists():
        assert training.train(tiny_config.to_dict(), workdir) == 0
    return workdir


def interrupt_at(monkeypatch, step):
    """The user presses ctrl-c while the call that ends at `step` runs."""
    is_due, calls = Experiment.is_due, []

    def is_due_and_interrupt(self, cadence, at):
        if at == step and not calls:
            calls.append(at)
            os.kill(os.getpid(), signal.SIGINT)
        return is_due(self, cadence, at)

    monkeypatch.setattr(Experiment, "is_due", is_due_and_interrupt)


def differ(one, other):
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return any(not np.array_equal(a, b) for a, b in leaves)


def test_a_run_leaves_exactly_the_files_of_its_record(finished, tiny_config):
    names = {path.name for path in finished.iterdir()}
    [events] = [name for name in names if name.startswith("events.")]
    assert names - {events} == {
        "checkpoints",
        "config.json",
        "data.json",
        "image_digests.npz",
        "environment.json",
        "lock",
        "pictures",
        "stats.jsonl",
    }
    codes = ["categorical_0", *(f"uniform_{n}" for n in range(4))]
    pictures = ["samples", *(f"traversal_{code}" for code in codes)]
    assert {path.name for path in (finished / "pictures").iterdir()} == {
        "data.png",
        *(f"{name}_{step:07d}.png" for name in pictures for step in (4, 8)),
    }
    assert checkpoint_steps(finished) == [4, 8]
    recorded = json.loads((finished / "config.json").read_text())
    assert recorded == tiny_config.to_dict()


def test_the_last_state_has_taken_every_step(finished, tiny_config):
    state = state_of(finished)
    assert (int(state.step), int(state.seed)) == (8, tiny_config.seed)
    first = experiment.build(tiny_config.to_dict()).first_state()
    for player in state.params:
        assert differ(state.params[player], first.params[player])


def test_a_line_of_the_record_has_the_names_that_others_rely_on(finished):
    lines = lines_of(finished)
    assert [line["step"] for line in lines] == [2, 4, 6, 8]
    names = {"loss/discriminator", "loss/generator", "jsd_bound", *TIMING}
    names |= {"mi_bound/categorical_0", *(f"mi_bound/uniform_{n}" for n in range(4))}
    for line in lines:
        assert names <= line.keys()
        assert all(math.isfinite(value) for value in line.values())
        assert line["mi_bound/categorical_0"] <= math.log(10)


def test_the_same_seed_gives_the_same_run(finished, tiny_config, tmp_path):
    training.train(tiny_config.to_dict(), tmp_path / "again")
    assert_same_run(tmp_path / "again", finished)


def test_another_seed_gives_another_run(finished, tiny_config, tmp_path):
    tiny_config.seed = 1
    training.train(tiny_config.to_dict(), tmp_path / "other")
    assert differ(state_of(tmp_path / "other").params, state_of(finished).params)
    assert stats_of(tmp_path / "other") != stats_of(finished)


def test_an_interrupted_run_is_saved_and_goes_on_as_if_nothing_had_happened(
    finished, tiny_config, tmp_path, monkeypatch, capsys
):
    workdir = tmp_path / "run"
    with monkeypatch.context() as patch:
        interrupt_at(patch, 6)
        assert training.train(tiny_config.to_dict(), workdir) == 130
    assert checkpoint_steps(workdir) == [4, 6]
    assert "stopped and saved at step 6" in capsys.readouterr().out
    assert training.train(tiny_config.to_dict(), workdir) == 0
    assert "goes on from step 6" in capsys.readouterr().out
    assert_same_run(workdir, finished)
    for picture in (workdir / "pictures").iterdir():
        same = finished / "pictures" / picture.name
        assert picture.read_bytes() == same.read_bytes()


def test_an_interrupt_between_two_log_lines_leaves_no_trace_in_the_record(
    tiny_config, tmp_path, monkeypatch
):
    tiny_config.networks.update(TINY)
    tiny_config.training.log_every = 4
    training.train(tiny_config.to_dict(), tmp_path / "straight")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 2)
        training.train(tiny_config.to_dict(), tmp_path / "run")
    training.train(tiny_config.to_dict(), tmp_path / "run")
    assert_same_run(tmp_path / "run", tmp_path / "straight")


def test_a_finished_run_called_again_does_nothing(
    finished, tiny_config, tmp_path, capsys
):
    workdir = shutil.copytree(finished, tmp_path / "run")
    assert training.train(tiny_config.to_dict(), workdir) == 0
    assert "is complete: step 8" in capsys.readouterr().out

    def kept(root):
        return {
            path.relative_to(root): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and path.name != "lock"
        }

    assert kept(workdir) == kept(finished)


def test_a_streamed_run_takes_the_steps_of_one_in_memory(
    finished, tiny_config, tmp_path
):
    tiny_config.data.stream = True
    assert training.train(tiny_config.to_dict(), tmp_path) == 0
    for streamed, kept in zip(lines_of(tmp_path), lines_of(finished), strict=True):
        for name in streamed.keys() - set(TIMING):
            assert streamed[name] == pytest.approx(kept[name], abs=1e-4)


def test_a_run_with_more_steps_goes_on_where_it_ended(
    finished, tiny_config, tmp_path, monkeypatch
):
    workdir = shutil.copytree(finished, tmp_path / "run")
    tiny_config.training.steps = 12
    with monkeypatch.context() as patch:
        patch.delattr(Experiment, "first_state")  # which nobody needs any more
        assert training.train(tiny_config.to_dict(), workdir) == 0
    assert training.train(tiny_config.to_dict(), tmp_path / "straight") == 0
    assert checkpoint_steps(workdir) == [4, 8, 12]
    assert_same_run(workdir, tmp_path / "straight")


def test_a_run_whose_generator_ignores_the_information_still_measures_it(
    tiny_config, tmp_path
):
    tiny_config.update_from_flattened_dict(SMALL)
    tiny_config.objective.info_to_generator = False
    assert training.train(tiny_config.to_dict(), tmp_path) == 0
    [line] = lines_of(tmp_path)
    assert math.isfinite(line["mi_bound/categorical_0"])


def test_a_run_without_codes_is_a_gan_and_is_evaluated_as_one(tiny_config, tmp_path):
    tiny_config.update_from_flattened_dict(SMALL | {"latents.codes": ""})
    assert training.train(tiny_config.to_dict(), tmp_path) == 0
    [line] = lines_of(tmp_path)
    assert not [name for name in line if "mi_bound" in name]
    evaluation.evaluate(tmp_path, quick=True)
    metrics = json.loads((tmp_path / "evaluation.json").read_text())["metrics"]
    assert metrics.keys() == {"jsd_bound", "visible/noise"}
    assert metrics["visible/noise"]["value"] == pytest.approx(1, abs=0.1)
    written = {path.name for path in (tmp_path / "evaluation").iterdir()}
    assert written == {"samples.png", "curves.png", "report.html"}


def moved(config, images, place):
    """The config of a run whose images lie in an archive at `place`."""
    place.parent.mkdir(exist_ok=True)
    np.savez(place, images=images, labels=images[:, 0, 0] % 3)
    config.data.update(source="npz", directory=str(place))
    return config.to_dict()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


@pytest.fixture
def of_an_archive(directory, tiny_config, images):
    """A run of 2 steps on 60 images in an archive; shared: copy it."""
    tiny_config.update_from_flattened_dict(SMALL)
    workdir = directory / "archive" / "run"
    if not workdir.exists():
        config = moved(tiny_config, images, directory / "archive" / "data.npz")
        assert training.train(config, workdir) == 0
    return workdir


def test_a_run_whose_data_was_moved_goes_on_and_knows_its_new_place(
    of_an_archive, tiny_config, images, tmp_path, capsys
):
    workdir = shutil.copytree(of_an_archive, tmp_path / "run")
    place = tmp_path / "elsewhere" / "other.npz"
    assert training.train(moved(tiny_config, images, place), workdir) == 0
    assert "is complete: step 2" in capsys.readouterr().out
    assert run_directory.read_config(workdir)["data"]["directory"] == str(place)
    assert len(restore(workdir)[0].dataset.train.images) == 54


def test_a_run_whose_data_has_changed_goes_on_only_where_that_is_accepted(
    of_an_archive, tiny_config, images, tmp_path
):
    workdir = shutil.copytree(of_an_archive, tmp_path / "run")
    config = moved(tiny_config, images[1:], tmp_path / "data.npz")
    before = (workdir / "config.json").read_bytes()
    with pytest.raises(UserError, match=r"of its 60 images 1 are gone .* 0 are new"):
        training.train(config, workdir)
    assert (workdir / "config.json").read_bytes() == before
    held_out = restoring.described(workdir).dataset.test.images
    assert training.train(config, workdir, accept_data=True) == 0
    dataset = restoring.described(workdir).dataset
    np.testing.assert_array_equal(
        dataset.test.images,
        [image for image in held_out if not np.array_equal(image[..., 0], images[0])],
    )
    assert len(dataset.train.images) + len(dataset.test.images) == 59


def test_a_run_whose_data_is_gone_gives_networks_and_codes_and_says_what_it_cannot(
    of_an_archive, tiny_config, images, tmp_path
):
    workdir = shutil.copytree(of_an_archive, tmp_path / "run")
    config = run_directory.read_config(workdir)
    config["data"]["directory"] = str(tmp_path / "gone.npz")
    (workdir / "config.json").write_text(json.dumps(config))
    exp, state = restore(workdir)
    assert exp.image_shape == (8, 8, 1) and int(state.step) == 2
    with pytest.raises(UserError, match=r"an evaluation needs it: .* with --data; sam"):
        evaluation.evaluate(workdir, quick=True)
    moved(tiny_config, images, tmp_path / "elsewhere.npz")
    exp = restoring.described(workdir, str(tmp_path / "elsewhere.npz"))
    assert len(exp.dataset.train.images) == 54


def test_what_needs_no_image_is_checked_before_the_data_is_read(
    of_an_archive, tiny_config, tmp_path, monkeypatch
):
    def read(request):
        raise AssertionError("the data was read")

    monkeypatch.setattr(experiment.catalog, "load", read)
    tiny_config.data.update(source="folder", directory="x", size=8, channels=1)
    wrong = [
        ({"networks.trunk": "convv 8"}, "cannot read 'convv 8'", "new"),
        ({"data.size": 16}, "makes images of 8 x 8 x 1, but the data has 16 x", "new"),
        ({"data.channels": 3}, "8 x 8 x 1, but the data has 8 x 8 x 3", "new"),
        ({"data.batch_size": 15}, "must be divisible", "new"),
        ({"networks.generator": "fc 64 sigmoid"}, "makes vectors of 64, not", "new"),
        ({"networks.trunk": "fc 999999 relu, fc 999999 relu"}, "GiB of memory", "new"),
        ({}, "was made with another config", of_an_archive),
    ]
    for fields, message, workdir in wrong:
        config = tiny_config.copy_and_resolve_references()
        config.update_from_flattened_dict(fields)
        with pytest.raises(UserError, match=message):
            training.train(config.to_dict(), tmp_path / workdir)
    assert not list(tmp_path.iterdir())


def test_a_run_begins_with_the_parameters_of_another_and_a_new_optimiser(
    of_an_archive, tiny_config, tmp_path, monkeypatch, capsys
):
    tiny_config.update_from_flattened_dict(SMALL | {"training.checkpoint_every": 2})
    tiny_config.seed = 3
    tiny_config.optimiser.average_decay = 0.5
    config, workdir = tiny_config.to_dict(), tmp_path / "run"
    assert training.train(config, workdir, init_from=of_an_archive) == 0
    assert checkpoint_steps(workdir) == [0, 2]
    first = shutil.copytree(workdir, tmp_path / "first")
    shutil.rmtree(first / "checkpoints" / "2")
    begun, source = state_of(first), state_of(of_an_archive)
    assert (int(begun.step), int(begun.seed)) == (0, 3)
    for name in ("params", "stats"):
        assert not differ(getattr(begun, name), getattr(source, name))
    assert not differ(begun.average["params"], source.params["generator"])
    moments = jax.tree.leaves(begun.opt_state)
    assert not any(np.any(moment) for moment in moments)
    assert run_directory.read_origin(workdir) == {
        "run": str(of_an_archive),
        "name": "tiny",
        "seed": 0,
        "step": 2,
    }
    # the same command goes on, also where that run is gone
    monkeypatch.setattr(training, "begin_from", None)
    capsys.readouterr()
    assert training.train(config, workdir, init_from=of_an_archive) == 0
    assert training.train(config, workdir) == 0
    assert "is complete: step 2" in capsys.readouterr().out
    with pytest.raises(UserError, match="begins a new run, but .* has begun with /"):
        training.train(config, workdir, init_from=tmp_path / "another")
    with pytest.raises(UserError, match="has begun with random parameters; use ano"):
        training.train(
            run_directory.read_config(of_an_archive),
            of_an_archive,
            init_from=tmp_path / "another",
        )


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"networks.trunk": "fc 8 lrelu"}, r"trunk \('fc 16 lrelu' there, 'fc 8 lre"),
        ({"latents.codes": "categorical(3)"}, r"codes \('.*' there, 'categorical\(3"),
        ({"latents.noise_size": 5}, r"noise_size \(62 there, 5 here\); take the"),
    ],
)
def test_a_run_of_other_networks_or_codes_cannot_be_begun_with(
    of_an_archive, tiny_config, tmp_path, fields, message
):
    tiny_config.update_from_flattened_dict(SMALL | fields)
    with pytest.raises(UserError, match=message):
        training.train(tiny_config.to_dict(), tmp_path / "run", init_from=of_an_archive)
    assert not list(tmp_path.iterdir())


def test_the_way_out_of_a_changed_config_is_offered_where_the_networks_fit(
    of_an_archive, tiny_config
):
    tiny_config.update_from_flattened_dict(SMALL)
    offer = rf"or another --workdir; .* --init_from={of_an_archive} begins with these"
    with pytest.raises(UserError, match=offer):
        training.train(tiny_config.to_dict(), of_an_archive)
    tiny_config.networks.trunk = "fc 8 lrelu"
    with pytest.raises(UserError, match=r"or another --workdir\."):
        training.train(tiny_config.to_dict(), of_an_archive)
