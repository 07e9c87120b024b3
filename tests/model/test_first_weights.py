"""The distribution of the initial parameters."""

from functools import partial

import jax
import numpy as np
import pytest
from scipy import stats

from infogan_jax.model import networks, notation

GENERATOR = "fc 256 bn relu, fc 4x4x64 bn relu, upconv 32 s2 bn relu, upconv 1 s2 tanh"
TRUNK = "conv 32 s2 lrelu, conv 64 s2 bn lrelu, fc 256 bn lrelu"
RECOGNITION = "fc 64 bn lrelu"


@pytest.fixture(scope="module")
def params():
    nets = networks.build(
        generator=notation.parse_layers(GENERATOR, "generator"),
        trunk=notation.parse_layers(TRUNK, "trunk"),
        recognition=notation.parse_layers(RECOGNITION, "recognition"),
        input_size=40,
        output_size=20,
        image_shape=(16, 16, 1),
    )
    init = jax.jit(partial(networks.init, nets))
    return jax.device_get(init(jax.random.key(0))[0])


def leaves_named(params, name):
    flat, _ = jax.tree_util.tree_flatten_with_path(params)
    return [np.ravel(leaf) for path, leaf in flat if path[-1].key == name]


@pytest.mark.parametrize(
    ("name", "mean", "count"), [("kernel", 0, 10), ("scale", 1, 6)]
)
def test_kernels_and_scales_start_as_normals_of_sd_0_02(params, name, mean, count):
    leaves = leaves_named(params, name)
    assert len(leaves) == count
    prior = stats.norm(mean, 0.02).cdf
    assert stats.kstest(np.concatenate(leaves), prior).pvalue > 0.01
    assert min(stats.kstest(leaf, prior).pvalue for leaf in leaves) > 0.01 / count


def test_biases_start_at_zero(params):
    biases = leaves_named(params, "bias")
    assert len(biases) == 6 + 4
    assert not np.concatenate(biases).any()


def test_all_layers_start_with_different_weights(params):
    starts = np.stack([leaf[:256] for leaf in leaves_named(params, "kernel")])
    np.testing.assert_allclose(np.corrcoef(starts), np.eye(10), atol=0.3)
