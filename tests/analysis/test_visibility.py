"""What a person sees of a code: shares of variance known by hand, and warnings."""

import math

import numpy as np
import pytest
from tiny_model import build_model, values

from infogan_jax.analysis import collapse, generate
from infogan_jax.analysis.metrics import visibility
from infogan_jax.analysis.report import visibility as section
from infogan_jax.model.notation import parse_codes

COUNT = 20_000
BOARD = (-1.0) ** np.add.outer(np.arange(32), np.arange(32))


def draw(seed):
    return np.random.default_rng(seed).normal(size=(COUNT, 1, 1, 1))


def test_a_blurred_image_has_the_means_of_its_areas():
    images = np.random.default_rng(0).normal(size=(3, 16, 24, 2))
    expected = images.reshape(3, 8, 2, 8, 3, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(visibility.blur(images), expected, atol=1e-12)


def test_an_area_has_a_part_of_a_pixel_where_sides_do_not_divide():
    image = np.arange(3.0).reshape(1, 3, 1, 1)
    found = visibility.blur(image, 2).ravel()
    np.testing.assert_allclose(found, [(0 + 0.5 * 1) / 1.5, (0.5 * 1 + 2) / 1.5])


@pytest.mark.parametrize("side", [1, 5, 8])
def test_an_image_that_is_small_already_stays_as_it_is(side):
    image = np.random.default_rng(0).normal(size=(2, side, side, 3))
    np.testing.assert_array_equal(visibility.blur(image), image)


@pytest.mark.parametrize("side", [9, 28, 32, 45])
def test_blurring_keeps_the_mean_and_a_chessboard_vanishes(side):
    image = np.random.default_rng(0).normal(size=(2, side, side, 1))
    kept = visibility.blur(image).mean(axis=(1, 2))
    np.testing.assert_allclose(kept, image.mean(axis=(1, 2)), atol=1e-12)
    np.testing.assert_allclose(visibility.blur(BOARD[None, :, :, None]), 0, atol=1e-12)


def test_shares_of_a_sum_are_the_shares_of_its_variances():
    first, second, third = 2 * draw(0), draw(1), 2 * draw(2)
    found = visibility.changed_share(first + second, third + second)
    assert found == pytest.approx(4 / 5, abs=0.02)


def test_the_parts_of_a_product_each_decide_more_than_half():
    """Var(ab) = 1, and a change of a alone moves all of it."""
    a, b, other = draw(0), draw(1), draw(2)
    assert visibility.changed_share(a * b, other * b) == pytest.approx(1, abs=0.05)


def test_what_changes_nothing_has_no_share_and_what_decides_all_has_the_whole():
    x, other = draw(0), draw(1)
    assert visibility.changed_share(x, x) == 0
    assert visibility.changed_share(x, other) == pytest.approx(1, abs=0.02)
    assert visibility.changed_share(np.zeros_like(x), np.zeros_like(x)) == 0


def test_a_share_has_no_unit():
    x, other = draw(0) + draw(3), draw(1) + draw(3)
    found = visibility.changed_share(x, other)
    moved = visibility.changed_share(7 * x + 3, 7 * other + 3)
    assert moved == pytest.approx(found)


def test_a_code_in_a_pattern_of_pixels_is_not_seen_and_a_shade_is(monkeypatch):
    def draw_images(spec, nets, params, stats, latents):
        pattern = np.multiply.outer(latents.codes["digit"] - 1.0, BOARD)
        shade = latents.codes["uniform_0"] + latents.noise[:, 0]
        return (pattern + np.reshape(shade, (-1, 1, 1)))[..., None]

    monkeypatch.setattr(generate, "generate", draw_images)
    found = values(section.measure(build_model()).measures)
    assert list(found) == [
        f"visible/{name}" for name in ("digit", "uniform_0", "uniform_1", "noise")
    ]
    assert found["visible/digit"] == pytest.approx(0, abs=1e-9)
    assert found["visible/uniform_1"] == 0
    assert found["visible/uniform_0"] == pytest.approx(0.5, abs=0.05)
    assert found["visible/noise"] == pytest.approx(0.5, abs=0.05)


CODES = parse_codes("categorical(10), uniform")
SEEN = {"categorical_0": 0.4, "uniform_0": 0.2, "noise": 0.3}
READ = {"categorical_0": math.log(10) * 0.9, "uniform_0": 1.2}


def warned(seen=(), read=()):
    return collapse.warnings_in_visibility(CODES, SEEN | dict(seen), READ | dict(read))


def test_codes_that_are_seen_and_noise_that_varies_give_no_warning():
    assert warned() == {}


def test_a_code_that_q_reads_and_nobody_sees_is_named():
    found = warned({"categorical_0": 0.001})
    [sentence] = found.values()
    assert "L_I of categorical_0 is 2.07 nats" in sentence
    assert "only Q sees" in sentence


def test_a_code_that_q_cannot_read_either_is_not_written_in_a_pattern():
    assert warned({"uniform_0": 0.0}, {"uniform_0": 0.05}) == {}


def test_where_there_is_no_noise_nothing_is_said_of_it():
    seen = {name: share for name, share in SEEN.items() if name != "noise"}
    assert collapse.warnings_in_visibility(CODES, seen, READ) == {}


@pytest.mark.parametrize(
    "recall, floor, is_warned", [(0.0, 0.8, True), (0.15, 0.8, True), (0.7, 0.8, False)]
)
def test_samples_that_no_held_out_image_looks_like_are_named(recall, floor, is_warned):
    found = list(collapse.warnings_in_quality(recall, floor).values())
    assert bool(found) == is_warned
    assert all("samples are unlike the data" in sentence for sentence in found)


def test_noise_that_changes_nothing_is_named():
    [sentence] = warned({"noise": 0.001}).values()
    assert "G ignores the noise" in sentence
