"""How often a mixture makes an image, for images whose densities are known."""

import numpy as np
import pytest

from infogan_jax.analysis import density_ratio
from infogan_jax.analysis.metrics.boosting import optimal_weights

LAYERS = "fc 32 bn relu"


def images(levels, seed=0):
    """Images of two pixels: a level, and noise that says nothing."""
    noise = np.random.default_rng(seed).integers(0, 256, len(levels))
    pixels = np.stack([np.asarray(levels), noise], axis=1)
    return pixels.astype(np.uint8).reshape(-1, 1, 2, 1)


@pytest.fixture(scope="module")
def estimated():
    """The data has the levels 20, 120, 220 equally often, the mixture lacks 220."""
    generator = np.random.default_rng(0)
    real = generator.permutation(np.repeat([20, 120, 220], 400))
    made = generator.choice([20, 120], 1200, p=[0.75, 0.25])
    return real, density_ratio.ratios(images(real), images(made, 1), 0, LAYERS, 500)


def test_the_ratio_is_that_of_the_densities(estimated):
    real, ratios = estimated
    mean = {level: ratios.values[real == level].mean() for level in (20, 120, 220)}
    assert mean[20] == pytest.approx(0.75 * 3, rel=0.15)
    assert mean[120] == pytest.approx(0.25 * 3, rel=0.25)
    assert mean[220] < 0.05
    assert ratios.values.mean() == pytest.approx(1, abs=0.1)


def test_the_accuracy_is_that_of_the_best_guess(estimated):
    _, ratios = estimated
    assert ratios.accuracy == pytest.approx((0.75 + 2 / 3) / 2, abs=0.03)


def test_what_is_missing_gets_nearly_all_weight(estimated):
    real, ratios = estimated
    weights = optimal_weights(ratios.values, 0.15).values
    assert weights[real == 220].sum() > 0.95
    assert not weights[real == 20].any()


def test_no_image_is_judged_by_what_was_fitted_to_it(monkeypatch):
    seen = []

    class Recorded:
        def __init__(self, fitted):
            self.fitted = {image.tobytes() for image in fitted}

        def probabilities(self, judged):
            seen.append(len(judged))
            assert not self.fitted & {image.tobytes() for image in judged}
            return np.tile([0.4, 0.6], (len(judged), 1))

    monkeypatch.setattr(
        density_ratio, "train_classifier", lambda fitted, *_: Recorded(fitted)
    )
    unique = np.arange(202 * 2, dtype=np.uint16).view(np.uint8).reshape(-1, 1, 2, 1)
    found = density_ratio.ratios(unique[:201], unique[201:402])
    assert sorted(seen) == [100, 100, 101, 101]
    np.testing.assert_allclose(found.values, 1, atol=0.02)


def test_logits_are_calibrated_where_they_are_too_sure():
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1, 20_000)
    is_real = generator.random(20_000) < 1 / (1 + np.exp(-logits))
    real, made = density_ratio.calibrated(5 * logits[is_real], 5 * logits[~is_real])
    np.testing.assert_allclose(real, 1 / (1 + np.exp(-logits[is_real])), atol=0.03)
    assert made.mean() < 0.5 < real.mean()


@pytest.mark.parametrize("real, made", [((-1, -2), (2, 1)), ((3, 3), (3, 3))])
def test_logits_that_say_nothing_or_the_opposite_give_equal_chances(real, made):
    found = density_ratio.calibrated(*(np.array(each, float) for each in (real, made)))
    np.testing.assert_allclose(found, 0.5)
