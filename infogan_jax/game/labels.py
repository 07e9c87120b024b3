"""What a few labels teach: Q its categories, or D its classes.

The labels come in as one more term of D and Q's objective, the mean log probability of
the classes of labelled training images in nats:

    weight * E_labelled[log p(y | x)].

p is Q(c | x) of a categorical code, so that category i becomes class i (Spurr et al.
2017). In a game whose D tells classes apart, p is D's (`game/games/classes.py`).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infogan_jax.errors import UserError
from infogan_jax.game.game import Game
from infogan_jax.game.terms import Metrics, Shown, Term, View
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec

NAME = "labels"

Logits = Float[Array, "batch classes"]
Read = Callable[[View, Shown, int], Logits]
"""From labelled images, and the number of classes, to the logits of these."""


def terms(count: int, weight: float, spec: LatentSpec, game: Game) -> tuple[Term, ...]:
    """Returns the term of `count` labelled images; none where there are none.

    D learns from them in a game of classes, Q in any other.

    Raises:
      UserError: where D needs labels and has none, or where Q has no category.
    """
    if game.classes and not count:
        raise UserError(
            f"config.labels.count (=0) gives D no label of the {game.classes} classes "
            f"that it is to tell apart; set it to {10 * game.classes}, or choose "
            "another config.objective.game."
        )
    if not count:
        return ()
    if not (game.classes or spec.has_categories):
        raise UserError(
            f"config.labels.count (={count}) teaches Q its categories, but "
            "config.latents.codes has no categorical code; add one, such as "
            "categorical(10), or set labels.count to 0."
        )
    return (term(of_d if game.classes else of_q, weight),)


def check_classes(spec: LatentSpec, game: Game, classes: int) -> None:
    """Checks that D or Q has as many outputs as the data has classes.

    Raises:
      UserError: where it has not.
    """
    if game.classes not in (0, classes):
        raise UserError(
            f"config.objective.game (=classes({game.classes})) must have as many "
            f"classes as the data (={classes}); set it to classes({classes})."
        )
    if not (game.classes or taught_code(spec, classes)):
        sizes = [code.size for code in spec.codes if code.is_categorical]
        raise UserError(
            "config.latents.codes must have a categorical code of as many categories "
            f"as the data has classes (={classes}) for config.labels.count to teach, "
            f"not of {' or '.join(map(str, sizes))}; add categorical({classes}), or "
            "set labels.count to 0."
        )


def taught_code(spec: LatentSpec, classes: int) -> Code | None:
    """Returns the first categorical code with as many categories as there are classes.

    None where there is no such code.
    """
    fitting = (c for c in spec.codes if c.is_categorical and c.size == classes)
    return next(fitting, None)


def of_q(view: View, shown: Shown, classes: int) -> Logits:
    """Returns Q's logits of the taught code."""
    code = taught_code(view.spec, classes)
    assert code is not None  # it was checked together with the data
    posterior = latents.posterior(view.spec, shown.outputs)
    return posterior[code.name].logits  # type: ignore[union-attr]


def of_d(view: View, shown: Shown, classes: int) -> Logits:
    """Returns D's logits of the classes."""
    return shown.logits


def term(read: Read, weight: float) -> Term:
    """Returns the term; its metric is the cross-entropy of the labels in nats.

    Each step draws as many labelled images as the batch has, with replacement.

    Args:
      read: `of_q` or `of_d`.
      weight: of the mean log probability.
    """

    def value(view: View) -> tuple[Float[Array, ""], Metrics]:
        if view.pick is None:
            raise UserError(
                "config.labels.count is not 0, so that the step needs labelled images "
                "beside the others: give it a Batch (infogan_jax/data/labelled.py), as "
                "a feed of the experiment does."
            )
        images, classes = view.pick(view.drawn[:, 0])
        logits = read(view, view.discriminate(images), classes.shape[1])
        mean = mean_log_prob(logits, classes)
        return mean, {"labels/cross_entropy": -mean}

    return Term(NAME, value, weight, drawn_numbers=1, shows_images=True)


def mean_log_prob(
    logits: Logits, classes: Float[Array, "batch classes"]
) -> Float[Array, ""]:
    """Returns the mean log probability of one-hot classes, in nats, <= 0."""
    return jnp.mean(jnp.sum(classes * jax.nn.log_softmax(logits), axis=-1))
