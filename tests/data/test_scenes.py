"""Heads and seats: every index on its own, and geometry that can be checked."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.analysis.metrics import attributes
from infogan_jax.data.dataset import CIRCLE, LINE, Request
from infogan_jax.data.sources import heads, scenes, seats
from infogan_jax.data.sources.scenes import Factor, Scene
from infogan_jax.errors import UserError

SCENES = {"heads": heads.SCENE, "seats": seats.SCENE}
BACKGROUND = {"heads": 0, "seats": 255}
MEANS = {
    "heads": [59.75, 70.72, 41.99, 60.27, 58.50, 51.15],
    "seats": [232.15, 226.04, 216.29, 238.84, 243.08, 241.33],
}
COUNT = 12
both = pytest.mark.parametrize("name", SCENES)


@pytest.fixture(scope="module")
def drawn():
    """By name of the source: some indices in random order, and their pictures."""
    rng = np.random.default_rng(0)
    chosen = {
        name: rng.integers(0, scene.total, COUNT) for name, scene in SCENES.items()
    }
    return {n: (i, scenes.render(SCENES[n], i)[..., 0]) for n, i in chosen.items()}


def described(scene, index):
    return scenes.describe(scene, np.array([index]))[0]


def person(index=4321, **changed):
    return scenes.draw(heads.SCENE, described(heads.SCENE, index) | changed)[..., 0]


def seat(index=1234, **changed):
    given = described(seats.SCENE, index) | {"kind": 0.0} | changed
    return scenes.draw(seats.SCENE, given)[..., 0]


def width(image, background):
    columns = np.flatnonzero((image != background).any(axis=0))
    return columns[-1] - columns[0]


@both
def test_an_index_is_a_combination_of_factors_and_back(name):
    scene, every = SCENES[name], np.arange(SCENES[name].total)
    cells = scenes.factors(scene, every)
    assert len(np.unique(cells, axis=0)) == len(every) >= 20_000
    assert (cells.min(axis=0) == 0).all()
    assert tuple(cells.max(axis=0) + 1) == scene.cells
    np.testing.assert_array_equal(scenes.indices(scene, cells), every)


@both
def test_a_value_lies_in_its_cell_and_says_it(name):
    scene, every = SCENES[name], np.arange(SCENES[name].total)
    cells, values = scenes.factors(scene, every), scenes.values(scene, every)
    for factor, cell, value in zip(scene.factors, cells.T, values.T, strict=True):
        span, share = factor.high - factor.low, (value - factor.low)
        if factor.is_continuous:
            again = np.floor(share / span * factor.cells)
            assert len(np.unique(value)) == len(value)
        else:
            steps = factor.cells - (factor.kind != CIRCLE)
            again = np.round(share / span * steps)
            assert len(np.unique(value)) == factor.cells
        np.testing.assert_array_equal(again, cell)


def test_the_seats_are_seen_from_31_sides_at_two_elevations():
    azimuth = scenes.values(seats.SCENE, np.arange(62))[:, 4 - 1]
    np.testing.assert_allclose(azimuth, np.tile(np.arange(31) * 360 / 31, 2))
    elevation = scenes.values(seats.SCENE, np.arange(62))[:, 2]
    assert elevation.tolist() == [20.0] * 31 + [30.0] * 31


@both
def test_all_else_is_uniform_and_independent_of_the_factors(name):
    scene = SCENES[name]
    given = scenes.describe(scene, np.arange(0, 20_000, 7))
    spans = [(factor.low, factor.high) for factor in scene.factors if factor.cells > 2]
    names = [factor.name for factor in scene.factors if factor.cells > 2]
    spans, names = [*spans, *scene.numbers.values()], [*names, *scene.numbers]
    shares = np.array(
        [[(g[n] - low) / (high - low) for g in given]
         for n, (low, high) in zip(names, spans, strict=True)]
    )  # fmt: skip
    assert shares.min() >= 0 and shares.max() < 1
    np.testing.assert_allclose(shares.mean(axis=1), 0.5, atol=0.04)
    np.testing.assert_allclose(shares.var(axis=1), 1 / 12, atol=0.01)
    between = np.corrcoef(shares) - np.eye(len(names))
    assert abs(between).max() < 0.1


@both
def test_a_picture_does_not_depend_on_the_others_or_their_order(drawn, name):
    indices, images = drawn[name]
    order = np.random.default_rng(1).permutation(COUNT)
    again = scenes.render(SCENES[name], indices[order])[..., 0]
    np.testing.assert_array_equal(again, images[order])
    np.testing.assert_array_equal(
        scenes.render(SCENES[name], indices[3:4])[0, ..., 0], images[3]
    )


@both
def test_pictures_are_whole_and_neither_empty_nor_full(drawn, name):
    images, background = drawn[name][1], BACKGROUND[name]
    assert images.shape == (COUNT, *(SCENES[name].size,) * 2)
    for side in (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]):
        assert (side == background).all()
    covered = (images != background).mean(axis=(1, 2))
    assert covered.min() > 0.02 and covered.max() < 0.6
    assert all(len(np.unique(image)) > 20 for image in images)
    assert len({image.tobytes() for image in images}) == COUNT


@both
def test_the_pictures_never_change(drawn, name):
    """A change of a pixel must increase the version, or old files would be reused."""
    assert SCENES[name].version == 1
    means = drawn[name][1][:6].mean(axis=(1, 2))
    np.testing.assert_allclose(means, MEANS[name], atol=0.2)


@pytest.mark.parametrize("index", [1, 8765, 19_999])
def test_a_mirrored_head_in_mirrored_light_is_the_mirrored_picture(index):
    azimuth, light = 37.5, -62.0
    right = person(index, azimuth=azimuth, light=light)
    left = person(index, azimuth=-azimuth, light=-light)
    np.testing.assert_array_equal(left, right[:, ::-1])
    assert not np.array_equal(left, right)


def test_light_from_the_right_makes_the_right_half_brighter():
    image = person(azimuth=0.0, light=60.0).astype(float)
    assert image[:, 16:].sum() > 1.5 * image[:, :16].sum()


def test_a_positive_azimuth_turns_the_face_to_the_right():
    bright = person(azimuth=90.0, light=0.0, hair_tone=0.05, skin_tone=0.9) > 110
    columns = np.flatnonzero(bright.any(axis=0))
    silhouette = np.flatnonzero(person(azimuth=90.0).any(axis=0))
    assert columns[0] - silhouette[0] > 4  # hair is at the left end
    assert silhouette[-1] - columns[-1] <= 1  # and the nose at the right one


def test_the_dark_spots_of_heads_move_with_the_azimuth_and_not_with_the_light():
    indices = np.random.default_rng(2).integers(0, heads.SCENE.total, 60)
    images = scenes.render(heads.SCENE, indices)
    place = attributes.measure(images)["dark_spots_right"]
    factors = scenes.values(heads.SCENE, indices).T
    names = [factor.name for factor in heads.SCENE.factors]
    found = {
        name: attributes.spearman(place, values)
        for name, values in zip(names, factors, strict=True)
    }
    assert found.pop("azimuth") < -0.8
    assert max(map(abs, found.values())) < 0.35


def test_from_above_one_sees_more_hair():
    hair = [
        (person(azimuth=0.0, light=0.0, elevation=e, hair_tone=0.05) > 0).sum()
        - (person(azimuth=0.0, light=0.0, elevation=e, hair_tone=0.05) > 90).sum()
        for e in (-30.0, 0.0, 30.0)
    ]
    assert hair[0] < hair[1] < hair[2]


def test_a_wide_head_and_a_wide_seat_are_wide():
    shares = (0.8, 1.0, 1.25)
    widths = [width(person(azimuth=0.0, width=share), 0) for share in shares]
    assert widths[2] / widths[0] == pytest.approx(1.25 / 0.8, abs=0.15)
    assert widths[0] < widths[1] < widths[2]
    widths = [width(seat(azimuth=0.0, width=share), 255) for share in shares]
    assert widths[0] < widths[1] < widths[2]


def test_a_whole_turn_of_a_seat_gives_the_same_pixels():
    for azimuth, kind in ((0.0, 0.2), (100.0, 0.6), (259.5, 0.8)):
        image = seat(azimuth=azimuth, kind=kind)
        np.testing.assert_array_equal(image, seat(azimuth=azimuth + 360, kind=kind))
    assert not np.array_equal(seat(azimuth=0.0), seat(azimuth=180.0))


def test_a_round_stool_looks_the_same_after_a_quarter_turn():
    stool = {"kind": 0.95, "round": 0.9, "bars": 0.0}
    one, other = (seat(azimuth=a, **stool).astype(int) for a in (20.0, 110.0))
    assert abs(one - other).max() <= 2
    square = seat(azimuth=20.0, **stool | {"round": 0.1}).astype(int)
    assert abs(one - square).max() > 50


def test_a_chair_has_its_back_at_the_back():
    front, side = seat(azimuth=0.0), seat(azimuth=90.0)
    np.testing.assert_allclose(front != 255, front[:, ::-1] != 255)
    rows = np.flatnonzero((side != 255).any(axis=1))
    top = np.flatnonzero(side[rows[0] + 1] != 255)
    assert top.max() < 32  # it faces to the right


def test_a_high_seat_has_long_legs():
    low, high = (seat(height=height, kind=0.95) for height in (0.5, 0.88))
    rows = [np.flatnonzero((image != 255).any(axis=1)) for image in (low, high)]
    assert rows[0][-1] == rows[1][-1]
    assert (0.88 - 0.5) * 64 / 2.3 == pytest.approx(rows[0][0] - rows[1][0], abs=3)


def paint(given):
    """A picture of one number, for tests of what is done with pictures."""
    return jnp.full((4, 4), given["tone"]) * jnp.linspace(0.5, 1.0, 4)[None]


TINY = Scene(
    "heads", 1, 4, (Factor("tone", 20, 0.0, 1.0), Factor("other", 15, 0.0, 1.0)),
    {}, paint,
)  # fmt: skip


def test_pictures_are_prepared_once_with_their_factors(tmp_path, monkeypatch, capfd):
    data = scenes.load(TINY, Request("heads", directory=str(tmp_path)))
    monkeypatch.setattr(scenes, "draw", None)
    again = scenes.load(TINY, Request("heads", directory=str(tmp_path)))
    assert (len(data.train.images), len(data.test.images)) == (270, 30)
    assert data.factor_names == ("tone", "other") and data.factor_kinds == (LINE, LINE)
    for split, second in ((data.train, again.train), (data.test, again.test)):
        np.testing.assert_array_equal(split.images, second.images)
        tones = split.factor_values[:, 0]
        np.testing.assert_allclose(split.images[:, 0, -1, 0], 255 * tones, atol=0.51)
        np.testing.assert_array_equal(np.floor(20 * tones), split.factors[:, 0])
        assert isinstance(split.images, np.memmap)
    assert data.provenance == again.provenance
    rows = np.concatenate([data.train.factors, data.test.factors])
    assert len(np.unique(rows, axis=0)) == 300


def test_small_is_a_part_of_the_whole_that_is_drawn_in_memory():
    small = scenes.load(replace(TINY, name="heads"), Request("heads", "small"))
    assert (len(small.train.images), len(small.test.images)) == (230, 26)
    assert set(small.provenance["sha256"]) == {"train", "test"}
    assert small.provenance["name"] == "heads_small"
    tones = small.test.factor_values[:, 0]
    np.testing.assert_allclose(small.test.images[:, 0, -1, 0], 255 * tones, atol=0.51)


@both
@pytest.mark.parametrize(
    ("field", "value"), [("name", "big"), ("size", 48), ("crop", 48), ("channels", 3)]
)
def test_unsupported_options_are_refused(name, field, value):
    text = rf"config\.data\.{field} \(={value!r}\) must be"
    with pytest.raises(UserError, match=text):
        scenes.load(SCENES[name], Request(name, **{field: value}))
