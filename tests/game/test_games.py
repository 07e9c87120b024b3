"""Games other than the paper's: bounds, fixed points, MMD, penalties, two devices."""

import math
from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P
from scipy import integrate, stats

from infogan_jax import experiment
from infogan_jax.game import state, train_step, updates
from infogan_jax.game.game import whole_batch
from infogan_jax.game.games import moments, penalties
from infogan_jax.game.games.catalog import GAMES, named
from infogan_jax.game.terms import Shown, View
from infogan_jax.machine import parallel
from infogan_jax.model.latents import LatentSpec

REAL, GENERATED = stats.norm(0.0, 1.0), stats.norm(0.5, 1.2)
SHARES = (np.arange(100_000) + 0.5) / 100_000
X, Y = (jnp.float32(law.ppf(SHARES)) for law in (REAL, GENERATED))
SEPARABLE = [name for name, game in GAMES.items() if game.compares is None]


def jensen_shannon(share):
    def f(u):
        m = share * u + 1 - share
        return share * u * np.log(u / m) - (1 - share) * np.log(m)

    return f


def total_variation(u):
    return 0.5 * abs(u - 1)


DIVERGENCES = {
    "non_saturating": (jensen_shannon(0.5), lambda r: r),
    "saturating": (jensen_shannon(0.5), lambda r: r),
    "jensen_shannon": (jensen_shannon(0.5), lambda r: r),
    "jensen_shannon(0.3)": (jensen_shannon(0.3), lambda r: r + math.log(0.3 / 0.7)),
    "hinge": (total_variation, jnp.sign),
    "least_squares": (lambda u: 0.5 * (u - 1) ** 2 / (u + 1), jax.nn.sigmoid),
    "kl": (lambda u: u * np.log(u), lambda r: 1 + r),
    "reverse_kl": (lambda u: -np.log(u), lambda r: r),
    "pearson": (lambda u: (u - 1) ** 2, lambda r: 2 * jnp.expm1(r)),
    "squared_hellinger": (lambda u: (np.sqrt(u) - 1) ** 2, lambda r: r / 2),
    "total_variation": (total_variation, lambda r: 15 * jnp.sign(r)),
}
"""By name of the game: f(p/q), and D's optimal output as a function of log(p/q)."""


def log_ratio(x):
    mean, sd = GENERATED.mean(), GENERATED.std()
    return 0.5 * ((x - mean) / sd) ** 2 + math.log(sd) - 0.5 * x**2


def bound(name, output):
    """The game's bound for a D with this output as a function of the image."""
    value = named(name).bound.value(output(X), output(Y))
    return float(value)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_bound_at_the_optimal_d_is_the_divergence_and_below_it_elsewhere(name):
    f, optimum = DIVERGENCES[name]
    divergence, _ = integrate.quad(
        lambda x: GENERATED.pdf(x) * f(REAL.pdf(x) / GENERATED.pdf(x)), -9, 9
    )
    assert divergence > 0.02
    assert bound(name, lambda x: optimum(log_ratio(x))) == pytest.approx(
        divergence, rel=3e-3
    )
    for other in (
        lambda x: optimum(log_ratio(x + 0.4)),
        lambda x: -optimum(log_ratio(x)),
        jnp.zeros_like,
    ):
        assert bound(name, other) < divergence - 1e-3


@pytest.mark.parametrize("name", [*SEPARABLE, "jensen_shannon(0.3)"])
def test_g_moves_towards_the_data_from_both_sides_and_stays_there(name):
    """D is optimal for two normal distributions of sd 1 that are `shift` apart."""
    _, optimum = DIVERGENCES.get(name, (None, lambda r: r))
    smooth = {"hinge": jnp.tanh, "total_variation": jnp.tanh}.get(name, optimum)

    def slope(shift):
        def loss(moved):
            image = X + shift + moved
            return named(name).generator(smooth(0.5 * shift**2 - shift * image))

        return float(jax.grad(loss)(shift))

    assert slope(0.5) > 1e-2 and slope(-0.5) < -1e-2
    assert slope(0.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", [*GAMES, "jensen_shannon(0.3)"])
def test_losses_and_gradients_are_finite_at_outputs_of_1e4(name):
    game = named(name)

    @jax.jit
    def players(real, generated):
        seen = (real, generated) if game.compares else (generated,)
        losses = game.discriminator(real, generated), game.generator(*seen)
        bounds = [game.bound.value(real, generated)] if game.bound else []
        return sum(losses), (losses, bounds)

    outputs = jnp.array([1e4, -1e4, 0.0])
    if game.compares:
        outputs = jnp.stack([outputs, -outputs], axis=1)
    slopes = jax.grad(players, argnums=(0, 1), has_aux=True)
    chex.assert_tree_all_finite(jax.jit(slopes)(outputs, outputs[::-1]))


@pytest.mark.parametrize(
    "name, of_d, of_g, bounded",
    [
        ("hinge", (0 + 4) / 2 + (1.5 + 0) / 2, 0.75, 1 - 2.75 / 2),
        ("least_squares", (1 + 16 + 0.25 + 4) / 4, (0.25 + 9) / 4, 1 - 21.25),
        ("wasserstein", -0.25, 0.75, 0.25),
        ("kl", (np.exp(-0.5) + np.exp(-3)) / 2 + 0.5, 0.75, None),
        ("saturating", None, -np.log1p(np.exp([0.5, -2])).mean(), None),
    ],
)
def test_losses_by_hand(name, of_d, of_g, bounded):
    real, generated = jnp.array([2.0, -3.0]), jnp.array([0.5, -2.0])
    game = named(name)
    assert float(game.generator(generated)) == pytest.approx(of_g)
    if of_d is not None:
        assert float(game.discriminator(real, generated)) == pytest.approx(of_d)
    if bounded is not None:
        assert float(game.bound.value(real, generated)) == pytest.approx(bounded)


def test_a_label_below_one_smooths_the_games_that_have_labels():
    for name in ("non_saturating", "saturating", "least_squares"):
        slope = jax.grad(named(name).discriminator)
        logit = jnp.array([0.9 if name == "least_squares" else math.log(9)])
        assert float(slope(logit, logit, 0.9)[0]) == pytest.approx(0, abs=1e-6)
        assert float(slope(logit, logit, 1.0)[0]) < -0.05


THREE, TWO = np.array([[0, 0], [1, 0], [0, 2]]), np.array([[1, 1], [2, 0]])


def one_alpha(d2):
    return 1 / (1 + d2 / 2)


def gaussians(*sds):
    """The sum of the kernels in numpy."""
    return lambda d2: sum(np.exp(-d2 / (2 * sd**2)) for sd in sds)


@pytest.mark.parametrize(
    "kernel, oracle, by_hand",
    [
        (moments.gaussian((1.0,)), gaussians(1), -0.058293953),
        (
            moments.gaussian((4.0, 25.0, 100.0, 400.0, 1600.0, 6400.0)),
            gaussians(2, 5, 10, 20, 40, 80),
            0.036593158,
        ),
        (one_alpha, one_alpha, -0.026984127),
        (
            moments.rational_quadratic,
            lambda d2: sum((1 + d2 / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5)),
            None,
        ),
    ],
)
def test_mmd_squared_is_the_sum_over_pairs_of_different_images(kernel, oracle, by_hand):
    def mean(rows, others, pairs):
        return np.mean([oracle(((rows[i] - others[j]) ** 2).sum()) for i, j in pairs])

    within = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = mean(THREE, THREE, within) + mean(TWO, TWO, [(0, 1), (1, 0)])
    expected -= 2 * mean(THREE, TWO, [(i, j) for i in range(3) for j in range(2)])
    estimate = jax.jit(partial(moments.mmd_squared, kernel=kernel))
    assert float(estimate(np.float32(THREE), np.float32(TWO))) == pytest.approx(
        expected, abs=1e-6
    )
    assert by_hand is None or expected == pytest.approx(by_hand, abs=1e-8)


@pytest.mark.parametrize("shift, expected", [(0.0, 0.0), (1.0, 0.1023455)])
def test_mmd_squared_of_few_images_has_no_bias(shift, expected):
    """The closed form is that of two normal distributions and a Gaussian kernel."""
    x, y = np.float32(np.random.default_rng(0).normal(size=(2, 4000, 5, 2)))
    y = y[:, :4] + np.float32([shift, 0])
    estimate = partial(moments.mmd_squared, kernel=moments.gaussian((1.0,)))
    values = np.asarray(jax.jit(jax.vmap(estimate))(x, y))
    error = values.std() / math.sqrt(len(values))
    assert error < 0.01 and abs(values.mean() - expected) < 4 * error
    assert (values < 0).any()


def test_matching_moments_asks_nothing_of_d():
    value, slopes = jax.value_and_grad(named("moment_matching").discriminator)(
        jnp.ones((3, 4)), jnp.zeros((3, 4))
    )
    assert value == 0 and not slopes.any()


def test_matching_moments_moves_images_apart_that_are_too_near_to_each_other():
    real, generated = jnp.array([[-1.0], [1.0]]), jnp.array([[-0.1], [0.1]])
    loss = named("moment_matching").generator
    slope = jax.jit(jax.grad(loss, argnums=1))(real, generated)
    assert slope[0, 0] > 0 > slope[1, 0]


def view(judge, drawn=None, axis=None):
    """D's step on two real images of ones and two generated images of zeros."""
    images = {"real": jnp.ones((2, 2, 1, 1)), "generated": jnp.zeros((2, 2, 1, 1))}
    shown = {
        name: Shown(x, judge(x), jnp.zeros((2, 0)), {}) for name, x in images.items()
    }
    drawn = jnp.zeros((2, 1)) if drawn is None else drawn
    spec = LatentSpec((), 1)
    return View(
        spec=spec,
        codes={},
        drawn=drawn,
        judge=judge,
        axis=axis,
        discriminate=lambda x: shown["real"],
        **shown,
    )


def linear(images):
    return 3 * images[:, 0, 0, 0] - 4 * images[:, 1, 0, 0]


def squared(images):
    """Its gradient at an image is the image."""
    return 0.5 * jnp.sum(images**2, axis=(1, 2, 3))


def test_the_penalty_of_a_linear_d_is_known_by_its_slope():
    [term] = named("wasserstein").terms
    value, metrics = term.value(view(linear))
    assert float(value) == pytest.approx(-((5 - 1) ** 2))
    assert metrics == {"penalty/gradient": -value} and term.weight == 10
    assert float(penalties.r1(view(linear))[0]) == pytest.approx(-25 / 2)
    assert float(term.value(view(lambda x: linear(x) / 5))[0]) == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize("drawn, share", [(-1.0, 0.0), (0.0, 0.5), (1.0, 1.0)])
def test_the_penalty_is_taken_on_the_line_between_a_real_and_a_generated_image(
    drawn, share
):
    of = view(squared, jnp.full((2, 1), drawn))
    value = named("wasserstein").terms[0].value(of)[0]
    assert float(value) == pytest.approx(-((share * math.sqrt(2) - 1) ** 2), abs=1e-5)
    assert float(penalties.r1(of)[0]) == pytest.approx(-2 / 2)


def test_the_penalty_of_mmd_is_on_the_slope_of_the_witness():
    """Features are the pixels: k(x, 1) - k(x, 0) at x = 1/2 falls by hand."""
    [term] = moments.mmd(one_alpha).terms
    value, _ = term.value(view(lambda images: images.reshape(2, 2)))
    slope = 2 * (0.5 * math.sqrt(2)) / (1 + 0.25) ** 2
    assert float(value) == pytest.approx(-((slope - 1) ** 2), rel=1e-5)


@pytest.mark.parametrize("name", ["wasserstein", "mmd_gaussian"])
def test_a_penalty_has_a_finite_gradient_for_a_d_that_is_flat(name):
    def penalty(weight):
        def judge(images):
            product = weight * images.reshape(2, 2)
            return product if named(name).compares else product[:, 0]

        return named(name).terms[0].value(view(judge))[0]

    assert np.isfinite(jax.jit(jax.grad(penalty))(0.0))


def test_two_devices_compare_the_images_of_both():
    """The mean of the devices' gradients is the gradient on the whole batch."""
    x, y = jnp.float32(np.random.default_rng(0).normal(size=(2, 8, 3)))
    weight = jnp.float32(np.random.default_rng(1).normal(size=(3, 3)))

    def step(weight, x, y, axis=None):
        game = named("mmd_gaussian")

        def loss(w):
            return game.generator(whole_batch(x @ w, axis), whole_batch(y @ w, axis))

        local = updates.local({"w": weight}, axis)["w"]
        return updates.mean(jax.value_and_grad(loss)(local), axis)

    mapped = jax.shard_map(
        partial(step, axis=parallel.AXIS),
        mesh=parallel.make_mesh(),
        in_specs=(P(), P(parallel.AXIS), P(parallel.AXIS)),
        out_specs=P(),
    )
    one, two = jax.jit(step)(weight, x, y), jax.jit(mapped)(weight, x, y)
    chex.assert_trees_all_close(one, two, rtol=1e-5, atol=1e-6)
    assert float(abs(one[1]).max()) > 1e-3


BATCH = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), np.uint8)


def test_an_image_of_a_penalty_is_judged_by_itself(tiny_config):
    algorithm = experiment.build(tiny_config.to_dict()).algorithm
    algorithm = replace(algorithm, noise_sd=None)

    @jax.jit
    def judged(images):
        first = state.create_state(algorithm, jnp.uint32(0))
        show = partial(train_step._show, algorithm, first, first.params, noise=images)
        return train_step._judge_alone(show, images)[0], show(images).logits[0]

    images = jnp.float32(BATCH) / 255
    (alone, in_batch), (same, other) = map(judged, (images, images.at[1:].set(0.0)))
    assert alone == same and in_batch != other


@pytest.mark.parametrize(
    "name", ["hinge", "wasserstein", "mmd_gaussian", "moment_matching"]
)
def test_a_step_logs_what_the_game_certifies_and_its_penalties(tiny_config, name):
    """Traced, not compiled."""
    tiny_config.objective.game = name
    tiny_config.objective.r1_weight = 0.0 if named(name).compares else 1.0
    algorithm = experiment.build(tiny_config.to_dict()).algorithm
    first = state.state_shapes(algorithm)
    _, metrics = jax.eval_shape(
        partial(train_step.train_step, algorithm), first, jnp.asarray(BATCH)
    )
    head = first.params["discriminator"]["head"]["fc_0"]["kernel"]
    assert head.shape == (16, named(name).outputs)
    logged = {each for each in metrics if each.startswith(("div", "jsd", "penalty"))}
    assert (
        logged
        == {
            "hinge": {"divergence_bound/total_variation", "penalty/r1"},
            "wasserstein": {
                "divergence_bound/wasserstein",
                "penalty/gradient",
                "penalty/r1",
            },
            "mmd_gaussian": {"divergence_bound/mmd_squared", "penalty/gradient"},
            "moment_matching": {"divergence_bound/mmd_squared"},
        }[name]
    )
