"""The GAN's loss formulas: values by hand, gradients, the Jensen-Shannon bound."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from infogan_jax.game import losses

LN2, LN3, LN4 = np.log(2.0), np.log(3.0), np.log(4.0)
LN4_3 = np.log(4.0 / 3.0)


@pytest.mark.parametrize(
    ("logit", "target", "loss"),
    [
        (0.0, 1.0, LN2),
        (0.0, 0.0, LN2),
        (0.0, 0.9, LN2),
        (LN3, 1.0, LN4_3),
        (LN3, 0.0, LN4),
        (-LN3, 1.0, LN4),
        (-LN3, 0.0, LN4_3),
        (LN3, 0.9, 0.9 * LN4_3 + 0.1 * LN4),
    ],
)
def test_binary_cross_entropy_by_hand(logit, target, loss):
    actual = losses.binary_cross_entropy(jnp.array([logit]), target)
    np.testing.assert_allclose(actual, [loss], rtol=1e-6)


@pytest.mark.parametrize(("logit", "loss"), [(0.0, LN2), (LN3, LN4_3), (-LN3, LN4)])
def test_non_saturating_loss_is_minus_log_d_by_hand(logit, loss):
    actual = losses.non_saturating_loss(jnp.array([logit]))
    np.testing.assert_allclose(actual, [loss], rtol=1e-6)


def test_losses_are_per_example_and_keep_the_shape():
    logits = jnp.zeros((3, 2))
    chex.assert_shape(losses.binary_cross_entropy(logits, 1.0), (3, 2))
    chex.assert_shape(losses.non_saturating_loss(logits), (3, 2))


@pytest.mark.parametrize(
    ("logit", "target", "loss", "slope"),
    [
        (1e4, 1.0, 0.0, 0.0),
        (1e4, 0.0, 1e4, 1.0),
        (-1e4, 1.0, 1e4, -1.0),
        (-1e4, 0.0, 0.0, 0.0),
        (1e4, 0.9, 1e3, 0.1),
    ],
)
def test_binary_cross_entropy_is_exact_at_logits_of_1e4(logit, target, loss, slope):
    actual = jax.value_and_grad(losses.binary_cross_entropy)(jnp.array(logit), target)
    np.testing.assert_allclose(actual, (loss, slope), rtol=1e-5)


@pytest.mark.parametrize(
    ("logit", "loss", "slope"), [(1e4, 0.0, 0.0), (-1e4, 1e4, -1.0)]
)
def test_generator_has_a_full_gradient_if_d_is_certain_of_a_fake(logit, loss, slope):
    actual = jax.value_and_grad(losses.non_saturating_loss)(jnp.array(logit))
    np.testing.assert_allclose(actual, (loss, slope))


def test_one_sided_smoothing_is_satisfied_at_d_equal_to_the_label():
    logit = jnp.log(9.0)
    value, slope = jax.value_and_grad(losses.binary_cross_entropy)(logit, 0.9)
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)
    np.testing.assert_allclose(value, -0.9 * np.log(0.9) - 0.1 * np.log(0.1), rtol=1e-5)


def test_jsd_bound_is_zero_for_a_d_that_always_answers_one_half():
    actual = losses.jsd_bound(jnp.zeros(5), jnp.zeros(3))
    np.testing.assert_allclose(actual, 0.0, atol=1e-7)


@pytest.mark.parametrize("logit", [30.0, 1e4])
def test_jsd_bound_is_ln_2_for_a_perfect_d(logit):
    actual = losses.jsd_bound(jnp.full(5, logit), jnp.full(3, -logit))
    np.testing.assert_allclose(actual, LN2, rtol=1e-6)


def test_jsd_bound_is_negative_for_a_d_that_is_wrong():
    actual = losses.jsd_bound(jnp.array([-LN3]), jnp.array([LN3]))
    np.testing.assert_allclose(actual, -LN2, rtol=1e-6)


def test_jsd_bound_has_finite_gradients_at_logits_of_1e4():
    logits = jnp.array([1e4, -1e4])
    gradient = jax.grad(losses.jsd_bound, argnums=(0, 1))(logits, logits)
    np.testing.assert_allclose(gradient, [[0.0, 0.25], [-0.25, 0.0]])


REAL, GENERATED = np.array([1, 2, 4, 1]), np.array([3, 3, 0, 2])


def _bound(logits: np.ndarray) -> float:
    """Returns the bound of a D with one logit for each of four images, by counts."""
    return float(
        losses.jsd_bound(
            jnp.array(logits.repeat(REAL)), jnp.array(logits.repeat(GENERATED))
        )
    )


def _optimal_logits() -> np.ndarray:
    """Returns log p/q, and a large logit for the image that G never generates."""
    return np.where(GENERATED, np.log(REAL / np.maximum(GENERATED, 1)), 1e4)


def test_jsd_bound_of_the_optimal_d_is_the_jensen_shannon_divergence():
    by_hand = LN2 + 0.5 * (
        (np.log(1 / 4) + 2 * np.log(2 / 5) + 4 * np.log(1) + np.log(1 / 3)) / 8
        + (3 * np.log(3 / 4) + 3 * np.log(3 / 5) + 2 * np.log(2 / 3)) / 8
    )
    np.testing.assert_allclose(by_hand, jensenshannon(REAL, GENERATED) ** 2)
    np.testing.assert_allclose(_bound(_optimal_logits()), by_hand, rtol=1e-5)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("change", [-0.5, 0.5])
def test_jsd_bound_of_any_other_d_is_below_the_divergence(place, change):
    logits = np.where(GENERATED, _optimal_logits(), 5.0) + change * np.eye(4)[place]
    assert _bound(logits) < jensenshannon(REAL, GENERATED) ** 2
