"""Seeds that train as one program are the runs they would be one by one."""

import json
from functools import partial

import chex
import jax
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax import building, experiment, training
from infogan_jax.data.sources import catalog
from infogan_jax.errors import UserError
from infogan_jax.game import state, train_step
from infogan_jax.game.real_information.bounds import RealInformation
from infogan_jax.restoring import restore
from infogan_jax.run.progress import Progress
from infogan_jax.run.signals import StopRequest
from infogan_jax.several import one_program, search
from infogan_jax.several.job import Job


@pytest.fixture
def config(tiny_config):
    tiny_config.training.steps = 4
    tiny_config.seed = 5
    return tiny_config.to_dict()


def directories(root, *seeds):
    return {seed: root / f"seed_{seed}" for seed in seeds}


def jobs(config, places):
    return [
        Job(f"seed {seed}", {**config, "seed": seed}, path)
        for seed, path in places.items()
    ]


def train(config, places):
    return one_program.run(jobs(config, places))


def record(directory):
    """The lines of a run's record, without the times."""
    lines = (directory / "stats.jsonl").read_text().splitlines()
    timed = ("step_time", "images_per_second")
    return [
        {k: v for k, v in json.loads(line).items() if k not in timed} for line in lines
    ]


def of_seed(place, tree):
    return jax.tree.map(lambda leaf: leaf[place], tree)


def saved(directory):
    """The step and the seed of a run's newest checkpoint."""
    state = restore(directory)[1]
    return int(state.step), int(state.seed)


def drawn(directory):
    return sorted(path.name for path in directory.glob("pictures/*"))


@pytest.mark.long
def test_a_step_of_several_seeds_is_the_step_of_each():
    algorithm = build_tiny(noise_sd=lambda step: 0.1)
    create, together, alone = (
        jax.jit(function)
        for function in (
            jax.vmap(partial(state.create_state, algorithm)),
            partial(one_program.vmapped_step, one_program.same_for_all(algorithm)),
            partial(train_step.train_step, algorithm),
        )
    )
    states = create(np.arange(3, dtype=np.uint32))
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8, 1), np.uint8)
    after, metrics = together(states, images)
    for seed in range(3):
        one, found = alone(of_seed(seed, states), images[:, seed])
        chex.assert_trees_all_close(of_seed(seed, metrics), found, rtol=1e-4, atol=1e-5)
        # not the parameters: Adam's first step moves each by its learning rate, so
        # that a gradient of 0 up to rounding may go either way
        chex.assert_trees_all_close(
            of_seed(seed, after.stats), one.stats, rtol=1e-4, atol=1e-5
        )


def test_mapped_over_seeds_no_convolution_is_left_to_a_gpu_s_library(as_on_a_gpu):
    as_on_a_gpu()
    algorithm = build_tiny(terms=RealInformation(weight=1.0).terms())
    one = jax.eval_shape(partial(state.create_state, algorithm), np.uint32(0))
    two = jax.tree.map(lambda a: jax.ShapeDtypeStruct((2, *a.shape), a.dtype), one)
    images = jax.ShapeDtypeStruct((4, 2, 8, 8, 1), np.uint8)
    together = jax.make_jaxpr(
        partial(one_program.vmapped_step, one_program.same_for_all(algorithm))
    )(two, images)
    alone = partial(train_step.train_step, algorithm)
    apart = jax.make_jaxpr(jax.vmap(alone, in_axes=(0, 1)))(two, images)
    assert "conv_general_dilated" in str(apart)
    assert "conv_general_dilated" not in str(together)


def test_seeds_at_once_record_and_save_what_each_does_alone_across_a_stop(
    config, tmp_path, monkeypatch
):
    at_once, alone = (directories(tmp_path / part, 5, 6, 7) for part in "ab")
    with monkeypatch.context() as patched:
        patched.setattr(StopRequest, "stops_here", lambda self, is_due: True)
        patched.setattr(StopRequest, "status", 130)
        assert train(config, directories(tmp_path / "a", 5, 6)) == (130, {})
    assert saved(at_once[5]) == (2, 5) and saved(at_once[6]) == (2, 6)

    # 5 and 6 go on from step 2, 7 from the beginning
    assert train(config, at_once) == (0, {})
    assert [saved(place) for place in at_once.values()] == [(4, 5), (4, 6), (4, 7)]
    for seed in (6, 7):
        assert training.train({**config, "seed": seed}, alone[seed]) == 0
        lines, wanted = record(at_once[seed]), record(alone[seed])
        for found, line in zip(lines, wanted, strict=True):
            assert found == pytest.approx(line, rel=1e-2, abs=1e-2)
        assert drawn(at_once[seed]) == drawn(alone[seed]) != []
        configs = [(d[seed] / "config.json").read_text() for d in (at_once, alone)]
        assert configs[0] == configs[1]
    assert record(at_once[5]) != record(at_once[6])

    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("stats.jsonl")}
    assert train(config, at_once) == (0, {})
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_one_seed_that_diverges_is_named_and_the_others_are_saved(
    config, tmp_path, monkeypatch
):
    places, log = directories(tmp_path, 5, 6), Progress.log

    def diverge(self, step, metrics):
        if self._prefix == "seed 5: ":
            metrics = metrics | {"loss/generator": np.array([np.nan])}
        log(self, step, metrics)

    monkeypatch.setattr(Progress, "log", diverge)
    status, failed = train(config, places)
    assert status == 0
    assert list(failed) == ["seed 5"]
    assert "loss/generator is nan" in failed["seed 5"]
    assert saved(places[6]) == (4, 6)
    assert not list((places[5] / "checkpoints").iterdir())


def test_runs_of_other_seeds_rates_noise_and_lambdas_are_one_program_and_each_its_own(
    config,
):
    other = {
        "optimiser.generator_learning_rate": 1e-4,
        "objective.noise_sd": 0.5,
        "latents.codes": "categorical(10) @ 0.2, 4 x uniform @ 0.7",
    }
    settings = ({}, other)
    exps = [experiment.describe(search.with_values(config, each)) for each in settings]
    assert len({repr(building.program_of(exp.flat)) for exp in exps}) == 1
    create = jax.vmap(partial(state.create_state, exps[0].algorithm))
    together = jax.jit(partial(one_program.vmapped_step, one_program._algorithms(exps)))
    images = np.random.default_rng(0).integers(0, 256, (16, 2, 8, 8, 1), np.uint8)
    first = create(np.arange(2, dtype=np.uint32))
    second, metrics = together(first, images)
    _, later = together(second, images)
    assert later["loss/discriminator"][0] != later["loss/discriminator"][1]
    for place, exp in enumerate(exps):
        alone = jax.jit(partial(train_step.train_step, exp.algorithm))
        own, found = alone(of_seed(place, first), images[:, place])
        close = partial(chex.assert_trees_all_close, rtol=1e-4, atol=1e-5)
        close(of_seed(place, metrics), found)
        # not the parameters: Adam's first step moves each by its learning rate, so
        # that a gradient of 0 up to rounding may go either way
        close(of_seed(place, second.stats), own.stats)
        _, found = alone(own, images[:, place])
        chex.assert_trees_all_close(of_seed(place, later), found, rtol=1e-2, atol=1e-3)


def test_runs_of_other_networks_codes_or_data_are_programs_of_their_own(config):
    flat = experiment.describe(config).flat
    others = {
        "latents.codes": "categorical(9), 4 x uniform @ 0.3",
        "networks.recognition": "",
        "objective.noise_sd": 0.0,
        "data.batch_size": 32,
        "optimiser.beta1": 0.9,
    }
    programs = [building.program_of({**flat, name: v}) for name, v in others.items()]
    assert len({*map(repr, programs), repr(building.program_of(flat))}) == 6


def test_runs_share_images_and_nothing_else(config):
    exp, other = (
        experiment.describe({**config, "seed": seed}, load)
        for seed, load in ((5, catalog.load), (9, lambda request: None))
    )
    alike = exp.like(other)
    assert alike.dataset is exp.dataset
    assert (alike.seed, alike.config, alike.flat) == (9, other.config, other.flat)


def test_more_seeds_need_more_memory_and_are_refused_by_their_number(
    config, monkeypatch
):
    exp = experiment.build(config)
    assert experiment.check_memory(exp, 2) == ""
    monkeypatch.setattr(experiment.memory, "available", lambda device: 2**30)
    assert experiment.check_memory(exp) == ""
    with pytest.raises(UserError, match="100000 seeds at once, not --notogether, need"):
        experiment.check_memory(exp, 100_000)
