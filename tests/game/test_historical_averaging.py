"""Historical averaging: the pull of a player's own past."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from infogan_jax import experiment
from infogan_jax.game.historical_averaging import historical_averaging
from infogan_jax.game.state import state_shapes

THETAS = np.float32(np.random.default_rng(0).normal(size=(5, 3)))
NONE = jnp.zeros(3)


def pulls(thetas, weight=1.0, state=None):
    """What is added to the gradient at each theta, and the state after the last."""
    past = historical_averaging(weight)
    state = past.init(thetas[0]) if state is None else state
    found = []
    for theta in thetas:
        pull, state = past.update(NONE, state, theta)
        found.append(pull)
    return np.array(found), state


def test_the_pull_is_the_gradient_of_the_squared_distance_from_the_mean():
    found, state = pulls(THETAS, 0.5)
    for t in range(len(THETAS)):
        mean = np.mean(THETAS[: t + 1], axis=0)
        slope = 0.5 * 2 * (THETAS[t] - mean)
        np.testing.assert_allclose(found[t], slope, atol=1e-6)
    np.testing.assert_allclose(state.mean, THETAS.mean(0), atol=1e-6)
    assert state.steps == 5


def test_a_player_who_has_not_moved_is_not_pulled():
    found, _ = pulls(np.tile(THETAS[:1], (4, 1)))
    np.testing.assert_array_equal(found, 0.0)


def test_a_player_who_goes_in_circles_comes_to_the_middle_with_it_alone():
    """Gradient descent on (d g, -d g) turns around (0, 0), further out each time."""

    def distance(*transformations):
        optimiser = optax.chain(*transformations, optax.sgd(0.1))
        theta = jnp.array([1.0, 0.0])

        def step(carry, _):
            theta, state = carry
            grads = jnp.array([theta[1], -theta[0]])
            updates, state = optimiser.update(grads, state, theta)
            return (theta + updates, state), None

        start = theta, optimiser.init(theta)
        (end, _), _ = jax.lax.scan(step, start, length=400)
        return float(jnp.linalg.norm(end))

    assert distance() > 5.0
    assert distance(historical_averaging(0.5)) < 0.25


def test_a_run_that_goes_on_is_pulled_to_the_same_mean_to_the_bit():
    whole, end = pulls(THETAS)
    _, middle = pulls(THETAS[:3])
    saved = jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), middle)
    later, again = pulls(THETAS[3:], state=saved)
    np.testing.assert_array_equal(later, whole[3:])
    np.testing.assert_array_equal(again.mean, end.mean)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_the_mean_of_both_players_is_saved_where_it_is_on(tiny_config, weight):
    tiny_config.optimiser.history_weight = weight
    state = state_shapes(experiment.describe(tiny_config.to_dict()).algorithm)
    sizes = [
        sum(leaf.size for leaf in jax.tree.leaves(tree))
        for tree in (state.opt_state, state.params)
    ]
    moments, means = 2 * sizes[1] + 2, sizes[1] + 2  # and a count of each player
    assert sizes[0] == moments + means * bool(weight)
