"""Traversals and generated images."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax.analysis import generate, traversals
from infogan_jax.game import state
from infogan_jax.model import latents, networks

SPEC = build_tiny("digit=categorical(3), 2 x uniform, shape=gaussian").spec
BY_NAME = {code.name: code for code in SPEC.codes}


@pytest.fixture(scope="module")
def trained():
    """Networks with running averages that are far from those of any batch."""
    algorithm = build_tiny("digit=categorical(3), 2 x uniform, shape=gaussian")
    create = partial(state.create_state, algorithm)
    first = jax.jit(create)(jnp.uint32(0))
    params = jax.tree.map(lambda leaf: 4.0 * leaf, first.params)
    stats = jax.tree.map(lambda leaf: 0.3 * leaf + 0.1, first.stats)
    return algorithm.nets, params, stats


@pytest.fixture(scope="module")
def drawn():
    return generate.sample_latents(SPEC, 0, 520)


def take(drawn, part):
    return jax.tree.map(lambda leaf: leaf[part], drawn)


@pytest.mark.parametrize("name", list(BY_NAME))
def test_only_the_code_varies_along_a_row(name, drawn):
    base = take(drawn, slice(0, 4))
    varied, columns = traversals.traverse(BY_NAME[name], base)
    rows = jax.tree.map(lambda a: a.reshape(4, columns, *a.shape[1:]), varied)
    for other in set(BY_NAME) - {name}:
        expected = np.tile(np.asarray(base.codes[other])[:, None], (1, columns))
        np.testing.assert_array_equal(rows.codes[other], expected)
    for column in range(columns):
        np.testing.assert_array_equal(rows.noise[:, column], base.noise)
    for row in np.asarray(rows.codes[name]):
        assert len(np.unique(row)) == columns


def test_a_categorical_code_takes_all_its_categories_in_order(drawn):
    varied, columns = traversals.traverse(BY_NAME["digit"], take(drawn, slice(0, 2)))
    assert columns == 3
    np.testing.assert_array_equal(varied.codes["digit"], [0, 1, 2, 0, 1, 2])
    assert varied.codes["digit"].dtype == drawn.codes["digit"].dtype


@pytest.mark.parametrize("name", ["uniform_1", "shape"])
def test_a_continuous_code_runs_from_minus_2_to_2_in_ten_equal_steps(name, drawn):
    varied, columns = traversals.traverse(BY_NAME[name], take(drawn, slice(0, 2)))
    assert columns == 10
    expected = np.tile(np.linspace(-2.0, 2.0, 10), 2)
    np.testing.assert_allclose(varied.codes[name], expected, rtol=1e-6)


def test_rows_take_the_categories_of_the_first_categorical_code_in_turn():
    spec = build_tiny("uniform, a=categorical(3), b=categorical(4)").spec
    base, plain = (
        traversals.base_latents(spec, 5, 8),
        generate.sample_latents(spec, 5, 8, "pictures"),
    )
    np.testing.assert_array_equal(base.codes["a"], [0, 1, 2, 0, 1, 2, 0, 1])
    codes = {**base.codes, "a": plain.codes["a"]}
    chex.assert_trees_all_equal(base._replace(codes=codes), plain)


def test_rows_without_a_categorical_code_depend_only_on_the_seed():
    spec = build_tiny("2 x uniform").spec
    rows = traversals.base_latents(spec, 5, 4)
    chex.assert_trees_all_equal(rows, generate.sample_latents(spec, 5, 4, "pictures"))
    with pytest.raises(AssertionError):
        chex.assert_trees_all_equal(
            rows, generate.sample_latents(spec, 6, 4, "pictures")
        )


@pytest.mark.parametrize(
    "part",
    [slice(3, 4), slice(500, 520), np.arange(519, 5, -1)],
    ids=["alone", "across the boundary of 512", "backwards"],
)
def test_an_image_depends_only_on_its_own_latents(trained, drawn, part):
    together = generate.generate(SPEC, *trained, drawn)
    separate = generate.generate(SPEC, *trained, take(drawn, part))
    assert together.shape == (520, 8, 8, 1)
    np.testing.assert_allclose(separate, together[part], atol=1e-6)
    assert together.std(0).max() > 0.01, "the images must differ to show anything"


def test_generate_applies_the_generator_with_running_averages_to_packed_latents(
    trained, drawn
):
    few = take(drawn, slice(0, 2))
    images = generate.generate(SPEC, *trained, few)
    directly = jax.jit(partial(networks.generate, trained[0], train=False))
    expected, _ = directly(*trained[1:], latents.pack(SPEC, few))
    np.testing.assert_allclose(images, expected, atol=1e-6)


def test_there_are_grids_of_samples_and_of_a_traversal_of_each_code(trained):
    grids = traversals.sample_and_traversal_grids(SPEC, *trained, 0)
    assert {name: picture.shape for name, picture in grids.items()} == {
        # cells of 8 pixels enlarged to 32, with a margin of 1 all around
        "samples": (331, 331, 1),
        "traversal_digit": (331, 3 * 33 + 1, 1),
        "traversal_uniform_0": (331, 331, 1),
        "traversal_uniform_1": (331, 331, 1),
        "traversal_shape": (331, 331, 1),
    }
    base = traversals.base_latents(SPEC, 0, 10)
    images = generate.generate(SPEC, *trained, base)
    for row in range(10):
        # A row's own digit is `row % 3`: this column shows the base latents of the row.
        cell = grids["traversal_digit"][1 + 33 * row :, 1 + 33 * (row % 3) :][
            :32:4, :32:4
        ]
        np.testing.assert_array_equal(cell, np.round(255 * images[row]))
