"""The covered share of points, of models whose share is known."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from infogan_jax.analysis import modes
from infogan_jax.analysis.metrics.point_coverage import coverage, log_density
from infogan_jax.data.dataset import Request
from infogan_jax.data.sources import gaussians


def normal(seed, count=1200, place=(0.0, 0.0)):
    points = np.random.default_rng(seed).standard_normal((count, 2))
    return points + np.array(place)


def test_a_model_that_is_the_data_has_the_share_that_its_region_holds():
    assert coverage(normal(0), normal(1)) == pytest.approx(0.95, abs=0.025)
    assert coverage(normal(0), normal(1), inside=0.8) == pytest.approx(0.8, abs=0.04)


def test_a_model_that_misses_one_of_three_modes_covers_two_thirds_of_its_share():
    places = (0, 0), (30, 0), (0, 30)
    parts = [normal(seed, 400, place) for seed, place in enumerate(places)]
    generated = np.concatenate([normal(5, 600), normal(6, 600, places[1])])
    generated = np.random.default_rng(0).permutation(generated)
    assert coverage(np.concatenate(parts), generated) == pytest.approx(
        0.95 * 2 / 3, abs=0.03
    )


def test_a_model_of_noise_around_the_data_covers_all_and_a_point_nearly_nothing():
    wide = np.random.default_rng(1).uniform(-8, 8, (1000, 2))
    assert coverage(normal(0), wide) > 0.99
    assert coverage(normal(0), normal(1) * 0.01) < 0.01


def test_the_density_is_that_of_scipy():
    centres, points = normal(0, 40), normal(1, 10)
    bandwidth = 0.3
    factor = bandwidth / np.std(centres[:, 0], ddof=1)
    one = gaussian_kde(centres[:, 0], factor).logpdf(points[:, 0])
    own = log_density(points[:, :1], centres[:, :1], bandwidth)
    np.testing.assert_allclose(own, one, rtol=1e-9)


def test_held_out_points_in_the_place_of_generated_ones_are_covered():
    dataset = gaussians.load(Request("gaussians", "10"))
    measured = modes.measures(dataset)
    assert measured is not None
    values = measured.of(dataset.train.images[:2000])
    assert values == {"coverage": pytest.approx(0.95, abs=0.02)}
    few = dataset.train.images[dataset.train.labels < 6]
    assert measured.of(few[:2000])["coverage"] == pytest.approx(0.57, abs=0.03)


def test_a_point_stays_within_its_pixel():
    images = np.array([[0, 7], [255, 3]], np.uint8).reshape(2, 1, 2, 1)
    spread = modes.points(images, 0)
    assert np.all(np.abs(spread - [[0, 7], [255, 3]]) <= 0.5)
