"""Games of the maximum mean discrepancy (MMD) of real and generated images.

    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y)

is 0 if the distributions of x and y are equal, and only then for these kernels k. It is
a number without a unit.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.game import Bound, Game, whole_batch
from infogan_jax.game.games.penalties import Critic, gradient_term
from infogan_jax.game.terms import View

Rows = Float[Array, "n features"]
Kernel = Callable[[Float[Array, "n m"]], Float[Array, "n m"]]
"""From squared distances to the kernel's values."""

FEATURES = 16
GAUSSIAN_SDS = (1.0, 2.0, 4.0, 8.0, 16.0)
PIXEL_VARIANCES = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)
ALPHAS = (0.2, 0.5, 1.0, 2.0, 5.0)


def gaussian(variances: tuple[float, ...]) -> Kernel:
    """Returns the sum of exp(-d^2 / (2 variance))."""
    return lambda d2: sum(
        (jnp.exp(-d2 / (2.0 * v)) for v in variances), jnp.zeros_like(d2)
    )


def rational_quadratic(d2: Float[Array, "n m"]) -> Float[Array, "n m"]:
    """Returns the sum of (1 + d^2 / (2 alpha))^-alpha (Binkowski et al. 2018)."""
    return sum(
        ((1.0 + d2 / (2.0 * alpha)) ** -alpha for alpha in ALPHAS), jnp.zeros_like(d2)
    )


def squared_distances(x: Rows, y: Float[Array, "m features"]) -> Float[Array, "n m"]:
    """Returns |x_i - y_j|^2 of all pairs."""
    with jax.default_matmul_precision("highest"):
        products = x @ y.T
    squares = jnp.sum(x**2, axis=1)[:, None] + jnp.sum(y**2, axis=1)[None, :]
    return jnp.maximum(squares - 2.0 * products, 0.0)


def mmd_squared(
    x: Rows, y: Float[Array, "m features"], kernel: Kernel
) -> Float[Array, ""]:
    """Estimates MMD^2 without bias, so it may be negative (Gretton et al. 2012)."""

    def within(rows: Float[Array, "k features"]) -> Float[Array, ""]:
        values, count = kernel(squared_distances(rows, rows)), len(rows)
        return (jnp.sum(values) - jnp.trace(values)) / (count * (count - 1))

    return within(x) + within(y) - 2.0 * jnp.mean(kernel(squared_distances(x, y)))


def _bound(kernel: Kernel) -> Bound:
    return Bound(
        "divergence_bound/mmd_squared",
        lambda real, generated: mmd_squared(real, generated, kernel),
        "MMD^2 without bias, mean over blocks of 512 images",
    )


def _witness(view: View, kernel: Kernel) -> Critic:
    """Returns E k(., real) - E k(., generated), the function that MMD compares."""
    assert view.real is not None
    real, generated = (
        whole_batch(shown.logits, view.axis) for shown in (view.real, view.generated)
    )

    def witness(images: Float[Array, "..."]) -> Float[Array, "batch"]:
        features = view.judge(images)
        to_real, to_generated = (
            jnp.mean(kernel(squared_distances(features, rows)), axis=1)
            for rows in (real, generated)
        )
        return to_real - to_generated

    return witness


def mmd(kernel: Kernel) -> Game:
    """Returns the game of a kernel on 16 features of D (Li et al. 2017).

    D maximises MMD^2 and G minimises it. The slope of the witness function between real
    and generated images is held near 1 (Binkowski et al. 2018, weight 1).
    """
    return Game(
        lambda real, generated: -mmd_squared(real, generated, kernel),
        lambda real, generated: mmd_squared(real, generated, kernel),
        _bound(kernel),
        outputs=FEATURES,
        compares="outputs",
        terms=(gradient_term(lambda view: _witness(view, kernel), 1.0),),
    )


MMD_GAUSSIAN = mmd(gaussian(tuple(sd**2 for sd in GAUSSIAN_SDS)))
MMD_RATIONAL_QUADRATIC = mmd(rational_quadratic)

_PIXEL_KERNEL = gaussian(PIXEL_VARIANCES)

MOMENT_MATCHING = Game(
    lambda real, generated: jnp.zeros(()),
    lambda real, generated: mmd_squared(real, generated, _PIXEL_KERNEL),
    _bound(_PIXEL_KERNEL),
    compares="images",
)
"""No D: G minimises MMD^2 of pixels (Li et al. 2015; Dziugaite et al. 2015).

The scales 2 to 80 are variances, as in the program of the former.
"""
