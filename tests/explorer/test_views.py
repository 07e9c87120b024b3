"""The images of the page are those that `generate` and `traversals` compute."""

import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax.analysis import traversals
from infogan_jax.analysis.grids import split_grid
from infogan_jax.errors import UserError
from infogan_jax.explorer import views
from infogan_jax.explorer.views import COLUMNS, STEPS, View

CODES = {"categorical_0": 3} | {f"uniform_{i}": 0.0 for i in range(4)}


def cells(sprite, rows, columns):
    return split_grid(sprite, rows, columns, margin=0)


def test_a_row_has_the_noise_of_its_seed(model):
    view = View(CODES | {"uniform_1": -1.5}, (7, 2))
    drawn = cells(views.samples(model, view), 2, COLUMNS)
    for row, seed in enumerate(view.rows):
        chosen = ", ".join(f"{name}={value}" for name, value in view.codes.items())
        images = model.sample(COLUMNS, chosen, seed=seed)
        np.testing.assert_array_equal(drawn[row * COLUMNS :][:COLUMNS], images)


def test_each_row_takes_another_category_and_begins_again(model):
    rows = tuple(range(12))
    drawn = views.samples(model, View(CODES | {"categorical_0": None}, rows))
    for row in (0, 9, 10, 11):
        alone = views.samples(model, View(CODES | {"categorical_0": row % 10}, (row,)))
        np.testing.assert_array_equal(drawn[row * 8 : row * 8 + 8], alone)


@pytest.mark.parametrize("name", ["categorical_0", "uniform_2"])
def test_a_traversal_is_that_of_the_first_image_of_each_row(model, name):
    view = View(CODES | {"uniform_0": 0.5, "categorical_0": None}, (4, 0, 9))
    code = model.code(name)
    sprite, values = views.traversal(model, view, code)
    first = [model.latents(1, seed=seed).noise for seed in view.rows]
    codes = {
        other.name: np.full(3, view.codes[other.name] or 0, np.float32)
        for other in model.codes
    }
    codes["categorical_0"] = np.int32([0, 1, 2])
    base = views.Latents(codes, np.concatenate(first))
    drawn, columns = traversals.traverse(code, base, STEPS)
    np.testing.assert_array_equal(
        cells(sprite, 3, columns), model.generate(drawn, views.BATCH)
    )
    expected = list(range(10)) if code.is_categorical else np.linspace(-2, 2, STEPS)
    assert values == pytest.approx(expected)


def test_of_many_categories_those_around_the_chosen_one_are_shown(model):
    """The tiny model has ten; with a window of four the arithmetic is the same."""
    code = model.code("categorical_0")
    whole = cells(views.traversal(model, View(CODES, (5,)), code)[0], 1, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "MOST_CATEGORIES", 4)
        for chosen, first in ((0, 0), (5, 3), (9, 6), (None, 0)):
            view = View(CODES | {"categorical_0": chosen}, (5,))
            sprite, values = views.traversal(model, view, code)
            assert values == list(range(first, first + 4))
            np.testing.assert_array_equal(cells(sprite, 1, 4), whole[first:][:4])


SPEC = build_tiny("digit=categorical(3), uniform").spec
GOOD = {"codes": {"digit": 2, "uniform_0": -2}, "rows": [0, 2**31 - 1]}


def test_what_the_page_asks_is_understood():
    assert views.parse_view(SPEC, GOOD) == View(
        {"digit": 2, "uniform_0": -2.0}, (0, 2**31 - 1)
    )


@pytest.mark.parametrize(
    "field, value",
    [
        ("codes", None),
        ("codes", []),
        ("codes", {}),
        ("codes", {"digit": 2}),
        ("codes", {"digit": 2, "uniform_0": 0, "more": 0}),
        ("codes", {"digit": 3, "uniform_0": 0}),
        ("codes", {"digit": -1, "uniform_0": 0}),
        ("codes", {"digit": 1.0, "uniform_0": 0}),
        ("codes", {"digit": True, "uniform_0": 0}),
        ("codes", {"digit": "1", "uniform_0": 0}),
        ("codes", {"digit": 1, "uniform_0": None}),
        ("codes", {"digit": 1, "uniform_0": 2.01}),
        ("codes", {"digit": 1, "uniform_0": float("nan")}),
        ("codes", {"digit": 1, "uniform_0": float("inf")}),
        ("codes", {"digit": 1, "uniform_0": 10**400}),
        ("codes", {"digit": 1, "uniform_0": False}),
        ("rows", None),
        ("rows", []),
        ("rows", [0] * 17),
        ("rows", [-1]),
        ("rows", [2**31]),
        ("rows", [0.0]),
        ("rows", [True]),
        ("rows", "0"),
    ],
)
def test_what_is_out_of_range_is_refused(field, value):
    with pytest.raises(UserError, match="must"):
        views.parse_view(SPEC, GOOD | {field: value})
