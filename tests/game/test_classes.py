"""The game of K + 1 classes, and what labels teach, by hand values."""

import math
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import log_sigmoid

from infogan_jax.game import game, labels
from infogan_jax.game.games import classes
from infogan_jax.game.games.catalog import named
from infogan_jax.model.latents import LatentSpec
from infogan_jax.model.notation import parse_codes

LOGITS = jnp.array([[2.0, 0.0, -1.0]])
EQUAL = jnp.zeros((1, 3))


def probabilities(logits):
    """Of the K classes, and of "generated", whose logit is 0."""
    return jax.nn.softmax(jnp.pad(logits, ((0, 0), (0, 1))))


@pytest.mark.parametrize(
    "logits, d, of_real, of_generated",
    [(LOGITS, 0.897509, 0.108132, 2.277978), (EQUAL, 0.75, 0.287682, 1.386294)],
)
def test_the_losses_of_three_classes_by_hand(logits, d, of_real, of_generated):
    """With Z = sum exp l, D = Z/(Z + 1): -log D for real, -log(1 - D) for generated."""
    z = np.exp(np.asarray(logits)).sum()
    assert z / (z + 1) == pytest.approx(d, abs=1e-6)
    assert float(probabilities(logits)[0, :3].sum()) == pytest.approx(d, abs=1e-6)
    certain = jnp.full((1, 3), -200.0), jnp.full((1, 3), 200.0)
    for_real = classes.discriminator(logits, certain[0])
    for_generated = classes.discriminator(certain[1], logits)
    assert float(for_real) == pytest.approx(of_real / 2, abs=1e-6)
    assert float(for_generated) == pytest.approx(of_generated / 2, abs=1e-6)


def test_of_one_class_it_is_half_the_cross_entropy_of_the_paper():
    real, generated = jax.random.normal(jax.random.key(0), (2, 50, 1))
    by_paper = -log_sigmoid(real).mean() - log_sigmoid(-generated).mean()
    value = float(classes.discriminator(real, generated))
    assert value == pytest.approx(float(by_paper) / 2, rel=1e-5)
    own, paper = named("classes(1)").bound, game.JENSEN_SHANNON
    assert own.value(real, generated) == paper.value(real[:, 0], generated[:, 0])


def test_the_probabilities_of_all_classes_and_of_generated_sum_to_one():
    logits = jax.random.normal(jax.random.key(0), (50, 10))
    nothing = jnp.full((1, 10), -200.0)
    of_one = jax.jit(lambda row: -2 * classes.discriminator(row[None], nothing))
    real = np.exp([of_one(row) for row in logits[:5]])
    generated = np.asarray(probabilities(logits)[:5, 10])
    np.testing.assert_allclose(real + generated, 1.0, atol=1e-6)


def test_a_shift_of_all_logits_changes_how_real_an_image_is_but_not_its_class():
    target = jnp.array([[0.0, 1.0, 0.0]])
    same = [float(labels.mean_log_prob(LOGITS + by, target)) for by in (0.0, 3.0)]
    assert same[0] == pytest.approx(same[1], abs=1e-6)
    value = [float(classes.discriminator(LOGITS + by, EQUAL)) for by in (0.0, 3.0)]
    assert value[0] > value[1] + 0.01


def test_the_log_probability_of_labels_by_hand():
    """log softmax of (2, 0, -1) is that less log(e^2 + 1 + 1/e) = 2.169846."""
    two = jnp.concatenate([LOGITS, LOGITS])
    targets = jnp.eye(3)[jnp.array([0, 2])]
    expected = (2.0 - 1.0) / 2 - 2.169846
    found = float(labels.mean_log_prob(two, targets))
    assert found == pytest.approx(expected, abs=1e-6)


def test_losses_and_gradients_are_finite_at_logits_of_1e4():
    logits = jnp.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]])
    targets = jnp.eye(3)[jnp.array([1, 2])]

    def total(logits):
        return (
            classes.discriminator(logits, -logits)
            + labels.mean_log_prob(logits, targets)
            + classes.classes(3).bound.value(logits, logits)
        )

    chex.assert_tree_all_finite(jax.jit(jax.value_and_grad(total))(logits))


def test_matching_features_by_hand_and_at_rest_where_the_means_agree():
    real = jnp.array([[0.0, 2.0], [2.0, 0.0]])
    apart, same = jnp.array([[3.0, 1.0], [1.0, 4.0]]), jnp.ones((2, 2))
    value = jax.jit(jax.value_and_grad(partial(classes.match_features, real)))
    assert float(value(apart)[0]) == pytest.approx(1.0**2 + 1.5**2)
    np.testing.assert_allclose(value(apart)[1], [[1.0, 1.5], [1.0, 1.5]], atol=1e-6)
    at_rest, slope = value(same)
    assert at_rest == 0 and not slope.any()
    assert value(jnp.zeros((2, 2)))[0] == pytest.approx(2.0)


def test_a_name_says_how_many_classes_there_are():
    assert named("classes(7)").outputs == named("classes(7)").classes == 7
    assert named("classes(7)") is named("classes(7)"), "compiled once"
    assert named("classes") == named("classes(10)")


def test_the_first_code_of_as_many_categories_as_classes_is_taught():
    codes = parse_codes("a=categorical(3), b=categorical(10), c=categorical(10)")
    spec = LatentSpec(codes, 1)
    assert labels.taught_code(spec, 10).name == "b"
    assert labels.taught_code(spec, 3).name == "a"
    assert labels.taught_code(spec, 2) is None


def test_a_d_that_knows_nothing_has_a_loss_of_ln_2():
    """Z = 1 where every logit is -ln K."""
    ignorant = jnp.full((4, 5), -math.log(5))
    value = classes.discriminator(ignorant, ignorant)
    assert float(value) == pytest.approx(math.log(2), abs=1e-6)
