"""A run that is collapsing gives a warning, and a healthy run gives none."""

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
from infogan_jax.analysis.report.section import Measure, Section
from infogan_jax.game.games.catalog import GAMES

CODES = ("categorical_0", "uniform_0", "uniform_1")
HEALTHY = {"loss/discriminator": 1.2} | {f"mi_bound/{code}": 0.4 for code in CODES}


def lines(steps, every=100, **changed):
    """A record up to `steps`; `changed` values have `__` for `/`."""
    values = HEALTHY | {name.replace("__", "/"): v for name, v in changed.items()}
    return [{"step": step} | values for step in range(every, steps + 1, every)]


def warnings_of(record, **switches):
    return collapse.warnings_in_stats(build_tiny(**switches), record)


def test_a_healthy_run_gives_no_warning_at_any_step():
    record = lines(3000)
    for length in range(len(record) + 1):
        assert warnings_of(record[:length]) == {}


@pytest.mark.parametrize("every", [25, 100, 400, 1000])
def test_a_discriminator_loss_of_zero_is_warned_of_after_500_steps_and_3_lines(every):
    record = lines(4000, every, loss__discriminator=1e-3)
    lengths = range(1, len(record) + 1)
    warned = [n for n in lengths if warnings_of(record[:n])]
    first = next(n for n in range(3, 99) if n * every >= collapse.WINDOW)
    assert warned == list(range(first, len(record) + 1))
    [sentence] = warnings_of(record).values()
    assert "D's loss" in sentence and "config.objective.noise_sd" in sentence


@pytest.mark.parametrize(
    "name, loss, is_warned",
    [("kl", -5.0, False), ("total_variation", -0.5, False)]
    + [("total_variation", -0.99, True), ("hinge", 0.01, True)],
)
def test_another_game_is_warned_of_near_its_own_least_loss_of_d(name, loss, is_warned):
    found = warnings_of(lines(1000, loss__discriminator=loss), game=GAMES[name])
    assert bool(found) == is_warned


def test_one_better_line_in_500_steps_prevents_the_warning():
    record = lines(2000, loss__discriminator=0.0)
    record[-3]["loss/discriminator"] = 0.3
    assert warnings_of(record) == {}


@pytest.mark.parametrize("bound, is_warned", [(-0.3, True), (0.0, True), (0.05, False)])
def test_a_code_without_information_is_warned_of_after_2000_steps(bound, is_warned):
    record = lines(3000, mi_bound__uniform_1=bound)
    warned = [
        line["step"] for n, line in enumerate(record) if warnings_of(record[: n + 1])
    ]
    assert warned == (list(range(2000, 3001, 100)) if is_warned else [])
    if is_warned:
        assert warnings_of(record).keys() == {"code uniform_1"}
        assert "larger lambda than 0.5" in warnings_of(record)["code uniform_1"]


@pytest.mark.parametrize("bound, is_warned", [(-0.24, True), (-0.2, False)])
def test_of_an_angle_it_is_that_of_a_q_without_a_direction(bound, is_warned):
    # With a fixed sd of 1 it is -ln I_0(1) = -0.236 nats.
    algorithm = build_tiny("angle", fixed_sd=1.0)
    record = lines(2000, mi_bound__angle_0=bound)
    warnings = collapse.warnings_in_stats(algorithm, record)
    assert bool(warnings) is is_warned


@pytest.mark.parametrize("bound, is_warned", [(-0.393, True), (-0.25, False)])
def test_with_a_fixed_sd_of_1_the_bound_is_compared_with_that_of_the_prior_mean(
    bound, is_warned
):
    # A Q that predicts the prior's mean gets ln 2 - ln(2 pi) / 2 - 1 / 6 = -0.392 nat.
    record = lines(2000, mi_bound__uniform_0=bound)
    assert bool(warnings_of(record, fixed_sd=1.0)) is is_warned


def test_no_warning_for_a_code_that_is_not_in_the_loss_of_the_generator():
    record = lines(2000, mi_bound__uniform_0=-1.0)
    assert warnings_of(record, info_to_generator=False) == {}
    free = build_tiny("categorical(10), uniform @ 0")
    assert collapse.warnings_in_stats(free, record) == {}


def test_stats_with_other_names_give_no_warning():
    assert warnings_of([{"step": 100 * n} for n in range(1, 50)]) == {}


def test_samples_that_look_the_same_are_warned_of():
    image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), np.uint8)
    equal = image.repeat(100, axis=0)
    assert collapse.warnings_in_samples(equal).keys() == {"samples"}
    almost_equal = equal.copy()
    almost_equal[::2, 3, 3] ^= 1
    assert collapse.warnings_in_samples(almost_equal).keys() == {"samples"}
    assert collapse.warnings_in_samples(np.concatenate([equal, 255 - equal])) == {}


def test_data_of_one_colour_is_named_as_the_cause():
    one_colour = np.full((300, 8, 8, 1), 9, np.uint8)
    data = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8)
    said = collapse.warnings_in_samples(one_colour[:100], one_colour)["samples"]
    assert "so do the images of the data" in said and "config.seed" not in said
    said = collapse.warnings_in_samples(one_colour[:100], data)["samples"]
    assert "images of the data" not in said and "config.seed" in said
    assert collapse.warnings_in_samples(data, one_colour) == {}


def test_the_warning_is_the_same_for_samples_cut_out_of_their_grid():
    equal = np.full((100, 8, 8, 1), 7, np.uint8)
    different = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 1), np.uint8)
    for pictures, is_warned in ((equal, True), (different, False)):
        cells = grids.split_grid(grids.grid(pictures, 10), 10, 10)
        assert bool(collapse.warnings_in_samples(cells)) is is_warned


def test_a_generator_of_one_image_is_warned_of_only_after_500_steps(tiny_config):
    exp = experiment.build(tiny_config.to_dict())
    early = jax.tree.map(jnp.zeros_like, exp.first_state())
    assert training.draw_pictures(exp, early)[1] == {}
    later = replace(early, step=jnp.int32(collapse.WINDOW))
    assert training.draw_pictures(exp, later)[1].keys() == {"samples"}


def test_the_spread_by_hand():
    pictures = np.zeros((2, 2, 2, 1), np.uint8)
    pictures[1, 0, 0] = 200
    assert collapse.spread(pictures) == pytest.approx(100 / 2)


def section(**values):
    return Section(
        {k.replace("__", "/"): Measure(v, "", "") for k, v in values.items()}
    )


def test_an_evaluation_has_the_warnings_of_stats_samples_codes_and_quality():
    stats = lines(2000, loss__discriminator=0.0)
    noise = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
    read = {"Information": section(mi_bound__categorical_0=2.2)}
    seen = {"Visibility": section(visible__categorical_0=0.3, visible__noise=0.2)}
    unseen = {"Visibility": section(visible__categorical_0=0.0, visible__noise=0.0)}
    unlike = {
        "Samples": section(
            recall_2k_held_out_x_rotations=0.01,
            floor_recall_2k_held_out_x_rotations=0.8,
        )
    }
    for images, sections, count in (
        (noise, seen, 1),
        (np.zeros_like(noise), seen, 2),
        (noise, unseen, 3),
        (noise, seen | unlike, 2),
    ):
        model = tiny_model.build_model("categorical(10)")
        vars(model).update(generated=SimpleNamespace(images=images))
        warned = evaluation._warnings(stats, model, read | sections)
        assert len(warned) == count
        assert all(w.startswith("warning: ") and w.endswith(".") for w in warned)
