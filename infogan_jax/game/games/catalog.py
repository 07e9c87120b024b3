"""The games by their names in a config."""

import re

from infogan_jax.errors import UserError
from infogan_jax.game.game import NO_GAME, NON_SATURATING, Game
from infogan_jax.game.games import (
    classes,
    classifying,
    f_divergences,
    moments,
    wasserstein,
)

GAMES: dict[str, Game] = {
    "non_saturating": NON_SATURATING,
    "saturating": classifying.SATURATING,
    "jensen_shannon": classifying.jensen_shannon(),
    "hinge": classifying.HINGE,
    "least_squares": classifying.LEAST_SQUARES,
    "kl": f_divergences.KL,
    "reverse_kl": f_divergences.REVERSE_KL,
    "pearson": f_divergences.PEARSON,
    "squared_hellinger": f_divergences.SQUARED_HELLINGER,
    "total_variation": f_divergences.TOTAL_VARIATION,
    "wasserstein": wasserstein.WASSERSTEIN,
    "mmd_gaussian": moments.MMD_GAUSSIAN,
    "mmd_rational_quadratic": moments.MMD_RATIONAL_QUADRATIC,
    "moment_matching": moments.MOMENT_MATCHING,
    "classes": classes.classes(),
    "none": NO_GAME,
}
"""A game of your own goes in here, before a config names it."""

_SHARE = re.compile(r"jensen_shannon\((0?\.\d+)\)")
_CLASSES = re.compile(r"classes\(([1-9]\d{0,4})\)")


def named(name: str) -> Game:
    """Returns the game of a name.

    `jensen_shannon` may have a share of real images, `classes` a number of classes.

    Raises:
      UserError: for another name.
    """
    share = _SHARE.fullmatch(name)
    if share and float(share[1]):
        return classifying.jensen_shannon(float(share[1]))
    if number := _CLASSES.fullmatch(name):
        return classes.classes(int(number[1]))
    if name not in GAMES:
        raise UserError(
            f"config.objective.game (={name!r}) must be one of {', '.join(GAMES)}; or "
            "jensen_shannon(0.3), whose images are to 0.3 real ones, or classes(10)."
        )
    return GAMES[name]
