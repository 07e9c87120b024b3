"""The sprites: their geometry, their symmetries, and the data set."""

import itertools

import numpy as np
import pytest

from infogan_jax.data import prepared
from infogan_jax.data.dataset import Request, Split
from infogan_jax.data.sources import sprites
from infogan_jax.errors import UserError

SQUARE, ELLIPSE, HEART = range(3)
SMALL_SHA256 = "06b50e195456eea65960f6435c94654c20f271c2f46cd5b81ad339f755aeafeb"


def index(shape=0, scale=5, orientation=0, x=16, y=16):
    """The index of an image: y changes fastest, then x, orientation, scale, shape."""
    return (((shape * 6 + scale) * 40 + orientation) * 32 + x) * 32 + y


def draw(*indices):
    return sprites.render(np.array(indices))


def centre_of_mass(image):
    """The centre of mass, x to the right and y down, in pixels from the corner."""
    mass = image[..., 0] / image.sum()
    middles = np.arange(64) + 0.5
    return np.array([mass.sum(0) @ middles, mass.sum(1) @ middles])


@pytest.fixture(scope="module")
def shapes():
    """Every shape, scale and orientation at one position: [3, 6, 40, 64, 64]."""
    images = sprites.render(np.arange(720) * 1024 + 16 * 32 + 16)
    return images.reshape(3, 6, 40, 64, 64)


@pytest.fixture(scope="module")
def small():
    return sprites.load(Request("sprites", "small"))


def test_factors_count_row_by_row_with_y_fastest():
    indices = [0, 1, 32, 1024, 40 * 1024, 6 * 40 * 1024, 737_279]
    assert sprites.factors(np.array(indices)).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 1, 0],
        [0, 0, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [2, 5, 39, 31, 31],
    ]
    assert sprites.FACTORS == ("shape", "scale", "orientation", "x", "y")


@pytest.mark.parametrize("wrong", [-1, 737_280])
def test_an_index_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match="out of bounds"):
        sprites.render(np.array([0, wrong]))


def test_an_image_does_not_depend_on_the_other_images():
    picked = np.random.default_rng(1).integers(0, 737_280, 40)
    picked[7] = picked[3]
    together = sprites.render(picked)
    alone = np.concatenate([sprites.render(picked[i : i + 1]) for i in range(40)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[7], together[3])
    assert sprites.render(picked[:0]).shape == (0, 64, 64, 1)


def test_x_moves_the_centre_one_pixel_right_and_y_one_pixel_down():
    for shape, orientation in [(SQUARE, 3), (ELLIPSE, 11), (HEART, 26)]:
        steps = range(32)
        along_x = draw(*[index(shape, 2, orientation, x=x, y=5) for x in steps])
        along_y = draw(*[index(shape, 2, orientation, x=5, y=y) for y in steps])
        xs, ys = (
            np.array([centre_of_mass(image) for image in a]) for a in (along_x, along_y)
        )
        np.testing.assert_allclose(np.diff(xs, axis=0), [[1, 0]] * 31, atol=1e-9)
        np.testing.assert_allclose(np.diff(ys, axis=0), [[0, 1]] * 31, atol=1e-9)


def test_the_positions_are_centred_in_the_image():
    corners = [
        centre_of_mass(image) for image in draw(index(x=0, y=0), index(x=31, y=31))
    ]
    np.testing.assert_allclose(corners, [[16.5, 16.5], [47.5, 47.5]])


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_a_rotation_does_not_move_the_centre_of_mass(shapes, shape):
    for image in shapes[shape, :, ::3].reshape(-1, 64, 64, 1):
        np.testing.assert_allclose(centre_of_mass(image), 32.5, atol=0.05)


def test_the_area_is_proportional_to_the_squared_scale_for_every_shape(shapes):
    areas = shapes.sum((3, 4)) / 255  # of every shape and orientation
    expected = 484 * np.linspace(0.5, 1, 6) ** 2
    ratio = areas / expected[None, :, None]
    np.testing.assert_allclose(ratio, np.ones((3, 6, 40)), atol=0.01)


def test_no_shape_touches_the_border_of_the_image():
    every = itertools.product(range(3), range(40), (0, 31), (0, 31))
    images = draw(*[index(s, 5, o, x, y) for s, o, x, y in every])[..., 0]
    whole = draw(*[index(s, 5, o) for s in range(3) for o in range(40)])[..., 0]
    sums = np.repeat(whole.sum((1, 2)), 4)
    np.testing.assert_array_equal(images.sum((1, 2)), sums)  # nothing is cut off
    for side in (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]):
        assert not side.any()


def test_a_quarter_turn_keeps_a_square_and_a_half_turn_keeps_an_ellipse(shapes):
    square, ellipse = shapes[SQUARE], shapes[ELLIPSE]
    np.testing.assert_array_equal(square, np.roll(square, 10, axis=1))
    np.testing.assert_array_equal(ellipse, np.roll(ellipse, 20, axis=1))
    assert not np.array_equal(ellipse, np.roll(ellipse, 10, axis=1))


def test_all_shapes_scales_and_orientations_differ_except_for_symmetries(shapes):
    rows = [image.tobytes() for image in shapes.reshape(-1, 64, 64)]
    distinct = [len(set(rows[240 * shape :][:240])) for shape in range(3)]
    assert distinct == [6 * 10, 6 * 20, 6 * 40]
    assert len(set(rows)) == sum(distinct)


def test_the_orientation_is_counter_clockwise(shapes):
    for shape in (SQUARE, ELLIPSE, HEART):  # by pixels: the array turned by a quarter
        window = shapes[shape, 5, :, 16:49, 16:49]
        np.testing.assert_array_equal(window[13], np.rot90(window[3]))


def test_the_first_heart_is_upright_and_symmetric(shapes):
    heart = shapes[HEART, 5, 0, 16:49, 16:49]
    np.testing.assert_array_equal(heart, heart[:, ::-1])
    lowest = np.flatnonzero(heart.any(axis=1))[-1]
    assert (heart[lowest] > 0).sum() <= 3  # it ends in its tip
    column = heart[:, 16]
    assert np.flatnonzero(column)[0] > np.flatnonzero(heart.any(axis=1))[0]  # a notch


def test_edges_are_gray_and_the_inside_is_white(shapes):
    square = shapes[SQUARE, 5, 0, 16:49, 16:49]
    # A side of 22 pixels around a pixel's middle: 21 whole ones and two halves.
    assert square[16].tolist() == [0] * 5 + [128] + [255] * 21 + [128] + [0] * 5
    assert 20 < len(np.unique(shapes)) <= 101  # 10 x 10 samples


def test_small_has_every_combination_of_a_few_values_of_each_factor(small):
    assert small.train.images.shape == (3072, 64, 64, 1)
    assert small.train.images.dtype == np.uint8
    turns, places = range(0, 40, 5), range(2, 32, 4)
    chosen = itertools.product(range(3), (0, 5), turns, places, places)
    assert small.train.factors.tolist() == [list(row) for row in chosen]
    assert small.factor_names == sprites.FACTORS
    assert small.train.labels is None
    assert (small.provenance["train"], small.provenance["test"]) == (3072, 3072)
    assert small.provenance["test_is_held_out"] is False


def test_each_image_has_its_own_factors(small):
    for split in (small.train, small.test):
        picked = slice(None, None, 41)
        again = draw(*[index(*row) for row in split.factors[picked].tolist()])
        np.testing.assert_array_equal(split.images[picked], again)


def test_the_images_never_change(small):
    """A change of a pixel must increase `RENDERER`, or old files would be reused."""
    assert sprites.RENDERER == 1
    assert small.provenance["sha256"] == {"train": SMALL_SHA256}


@pytest.fixture
def calls(monkeypatch):
    """Records the calls of `prepare`, and replaces the images (3 GB) by zeros."""
    recorded = []

    def prepare(*arguments):
        recorded.append(arguments)
        images = np.broadcast_to(np.zeros(1, np.uint8), (737_280, 64, 64, 1))
        return {"": Split(images)}, {"splits": {"": {"sha256": "digest"}}}

    monkeypatch.setattr(prepared, "prepare", prepare)
    return recorded


def test_training_uses_the_whole_set_and_evaluation_a_fixed_10_000_of_it(calls):
    data, again = sprites.load(Request("sprites")), sprites.load(Request("sprites"))
    assert data.train.factors.shape == (737_280, 5)
    assert data.train.factors[index(2, 3, 4, 5, 6)].tolist() == [2, 3, 4, 5, 6]
    assert data.test.images.shape == (10_000, 64, 64, 1)
    assert len(np.unique(data.test.factors, axis=0)) == 10_000
    np.testing.assert_allclose(np.bincount(data.test.factors[:, 0]), 3333, atol=200)
    np.testing.assert_array_equal(data.test.factors, again.test.factors)
    assert data.provenance["sha256"] == {"train": "digest"}


def test_the_whole_set_is_drawn_in_order_in_the_given_directory(calls, tmp_path):
    sprites.load(Request("sprites", directory=str(tmp_path)))
    [(request, recipe, blocks, _)] = calls
    assert prepared.place(request) == tmp_path
    assert recipe == {"name": "sprites", "renderer": sprites.RENDERER}
    (block,) = blocks.values()
    assert block.total == 737_280
    for start in (0, 1000, 1024):
        first = list(itertools.islice(block.tasks(start), 100))
        drawn = np.array([task.load() for task in first])
        expected = sprites.render(np.arange(start, start + 100))
        np.testing.assert_array_equal(drawn, expected)


def test_the_default_directory_is_the_user_s_cache(calls, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sprites.load(Request("sprites"))
    assert prepared.place(calls[0][0]).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"), [("name", "big"), ("size", 32), ("crop", 48), ("channels", 3)]
)
def test_unsupported_options_are_refused(calls, field, value):
    text = rf"config\.data\.{field} \(={value!r}\) must be"
    with pytest.raises(UserError, match=text):
        sprites.load(Request("sprites", **{field: value}))
    assert not calls
