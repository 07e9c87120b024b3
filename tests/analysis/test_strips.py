"""A strip shows what `traversals` computes, value by value."""

import numpy as np
import pytest
from tiny_model import SPLIT

from infogan_jax.analysis import generate, traversals
from infogan_jax.analysis.report import strips
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.data import scaling
from infogan_jax.model.latents import Code
from infogan_jax.restoring import restore


@pytest.fixture(scope="module")
def model(trained_run):
    exp, state = restore(trained_run)
    return TrainedModel(exp.algorithm, state, 0, 10, SPLIT, SPLIT, "")


def test_a_strip_has_the_images_of_each_value_in_the_order_of_the_rows(model):
    category, uniform, *_ = strips.traverse(model)
    assert category.images.shape == (10, strips.ROWS, 8, 8, 1)
    assert category.values == tuple("0123456789")
    base = traversals.base_latents(model.spec, 0, strips.ROWS)
    for strip, place, value in (
        (category, 2, 2),
        (uniform, 0, -2.0),
        (uniform, 16, 2.0),
    ):
        dtype = np.int32 if strip is category else np.float32
        chosen = {strip.code.name: np.full(strips.ROWS, value, dtype)}
        drawn = base._replace(codes={**base.codes, **chosen})
        nets, sampling = model.algorithm.nets, model.state.sampling
        images = generate.generate(model.spec, nets, *sampling, drawn)
        pixels = scaling.to_uint8(images, nets.output_range)
        np.testing.assert_array_equal(strip.images[place], pixels)


def test_a_value_says_where_the_prior_ends(model):
    uniform = strips.traverse(model)[1]
    assert uniform.values[:2] == ("-2.00, beyond the prior", "-1.75, beyond the prior")
    assert uniform.values[4] == "-1.00" and uniform.values[8] == "+0.00"
    assert strips._in_words(Code("c", "gaussian"), -2.0) == "-2.00"
