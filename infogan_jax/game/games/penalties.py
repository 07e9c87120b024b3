"""Penalties on the gradient of D's output with respect to the image.

Each is a term of D's objective. The gradient is that of one image at a time: batch norm
uses its running averages, and the image has instance noise as all that D sees.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.game.terms import Metrics, Term, View
from infogan_jax.model.convolutions import Images

Critic = Callable[[Images], Float[Array, "batch"]]
"""A number for each image, from that image alone."""

TINY = 1e-12


def squared_slopes(critic: Critic, images: Images) -> Float[Array, "batch"]:
    """Returns the squared length of the critic's gradient at each image."""
    gradients = jax.grad(lambda x: jnp.sum(critic(x)))(images)
    return jnp.sum(gradients**2, axis=(1, 2, 3))


def gradient_penalty(critic: Critic, view: View) -> tuple[Float[Array, ""], Metrics]:
    """Returns minus E[(|gradient| - 1)^2] between real and generated images.

    The images are drawn evenly from the lines between a real and a generated image
    (Gulrajani et al. 2017, section 4). The penalty is 0 for a critic of slope 1.
    """
    assert view.real is not None  # D's step has real images
    share = 0.5 * (1.0 + view.drawn[:, :, None, None])
    between = share * view.real.images + (1.0 - share) * view.generated.images
    slopes = jnp.sqrt(squared_slopes(critic, between) + TINY)
    penalty = jnp.mean((slopes - 1.0) ** 2)
    return -penalty, {"penalty/gradient": penalty}


def gradient_term(critic_of: Callable[[View], Critic], weight: float) -> Term:
    """Returns the gradient penalty of a critic as a term of D."""

    def value(view: View) -> tuple[Float[Array, ""], Metrics]:
        return gradient_penalty(critic_of(view), view)

    return Term(
        "gradient_penalty", value, weight=weight, drawn_numbers=1, shows_images=True
    )


def r1(view: View) -> tuple[Float[Array, ""], Metrics]:
    """Returns minus 1/2 E[|gradient|^2] at real images (Mescheder et al. 2018)."""
    assert view.real is not None
    penalty = 0.5 * jnp.mean(squared_slopes(view.judge, view.real.images))
    return -penalty, {"penalty/r1": penalty}


def r1_terms(weight: float) -> tuple[Term, ...]:
    """Returns R1 as a term of D, or none if its weight is 0."""
    return (Term("r1", r1, weight=weight, shows_images=True),) if weight else ()
