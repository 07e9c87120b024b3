"""A run that is collapsing shows it; one that is not shows nothing."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_model
from tiny import build_tiny

from infogan_jax import evaluation, experiment, training
from infogan_jax.analysis import collapse, grids

CODES = ("categorical_0", "uniform_0", "uniform_1")
HEALTHY = {"loss/discriminator": 1.2} | {f"mi_bound/{code}": 0.4 for code in CODES}


def lines(steps, every=100, **changed):
    """A record up to `steps`; `changed` values have `__` for `/`."""
    values = HEALTHY | {name.replace("__", "/"): v for name, v in changed.items()}
    return [{"step": step} | values for step in range(every, steps + 1, every)]


def signs(record, **switches):
    return collapse.warnings_in_stats(build_tiny(**switches), record)


def test_a_healthy_run_shows_no_sign_at_any_step():
    record = lines(3000)
    for length in range(len(record) + 1):
        assert signs(record[:length]) == {}


@pytest.mark.parametrize("every", [25, 100, 400, 1000])
def test_a_discriminator_at_zero_is_told_after_500_steps_and_three_lines(every):
    record = lines(4000, every, loss__discriminator=1e-3)
    told = [n for n in range(1, len(record) + 1) if signs(record[:n])]
    first = next(n for n in range(3, 99) if n * every >= collapse.WINDOW)
    assert told == list(range(first, len(record) + 1))
    [sentence] = signs(record).values()
    assert "D's loss" in sentence and "config.objective.noise_sd" in sentence


def test_one_better_line_in_500_steps_is_no_collapse():
    record = lines(2000, loss__discriminator=0.0)
    record[-3]["loss/discriminator"] = 0.3
    assert signs(record) == {}


@pytest.mark.parametrize("bound, is_told", [(-0.3, True), (0.0, True), (0.05, False)])
def test_a_code_that_is_not_shown_is_told_after_2000_steps(bound, is_told):
    record = lines(3000, mi_bound__uniform_1=bound)
    told = [line["step"] for n, line in enumerate(record) if signs(record[: n + 1])]
    assert told == (list(range(2000, 3001, 100)) if is_told else [])
    if is_told:
        assert signs(record).keys() == {"code uniform_1"}
        assert "larger lambda than 0.5" in signs(record)["code uniform_1"]


@pytest.mark.parametrize("bound, is_told", [(-0.393, True), (-0.25, False)])
def test_with_a_fixed_sd_of_1_no_less_than_a_blind_guess_is_asked(bound, is_told):
    # ln 2 - ln(2 pi) / 2 - 1 / 6 = -0.392 nat is what the prior's mean gets
    record = lines(2000, mi_bound__uniform_0=bound)
    assert bool(signs(record, fixed_sd=1.0)) is is_told


def test_a_generator_that_is_not_asked_to_show_a_code_is_not_blamed():
    record = lines(2000, mi_bound__uniform_0=-1.0)
    assert signs(record, info_to_generator=False) == {}
    free = build_tiny("categorical(10), uniform @ 0")
    assert collapse.warnings_in_stats(free, record) == {}


def test_a_record_with_other_names_shows_no_sign():
    assert signs([{"step": 100 * n} for n in range(1, 50)]) == {}


def test_samples_that_are_all_alike_are_told_whatever_they_show():
    one = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), np.uint8)
    alike = one.repeat(100, axis=0)
    assert collapse.warnings_in_samples(alike).keys() == {"samples"}
    almost = alike.copy()
    almost[::2, 3, 3] ^= 1
    assert collapse.warnings_in_samples(almost).keys() == {"samples"}
    assert collapse.warnings_in_samples(np.concatenate([alike, 255 - alike])) == {}


def test_samples_are_judged_the_same_in_their_grid():
    alike = np.full((100, 8, 8, 1), 7, np.uint8)
    different = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 1), np.uint8)
    for pictures, told in ((alike, True), (different, False)):
        cells = grids.split_grid(grids.grid(pictures, 10), 10, 10)
        assert bool(collapse.warnings_in_samples(cells)) is told


def test_a_generator_that_paints_one_image_is_told_so_once_it_had_time(tiny_config):
    exp = experiment.build(tiny_config.to_dict())
    young = jax.tree.map(jnp.zeros_like, exp.first_state())
    assert training.draw_pictures(exp, young)[1] == {}
    grown = replace(young, step=jnp.int32(collapse.WINDOW))
    assert training.draw_pictures(exp, grown)[1].keys() == {"samples"}


def test_the_spread_is_that_of_the_pixels():
    pictures = np.zeros((2, 2, 2, 1), np.uint8)
    pictures[1, 0, 0] = 200
    assert collapse.spread(pictures) == pytest.approx(100 / 2)


def test_an_evaluation_warns_of_each_sign_in_the_stats_and_in_the_samples():
    stats = lines(2000, loss__discriminator=0.0)
    noise = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
    for made, count in ((noise, 1), (np.zeros_like(noise), 2)):
        model = tiny_model.build("categorical(10)")
        vars(model).update(generated=SimpleNamespace(images=made))
        warned = evaluation._warnings(stats, model)
        assert len(warned) == count
        assert all(w.startswith("warning: ") and w.endswith(".") for w in warned)
