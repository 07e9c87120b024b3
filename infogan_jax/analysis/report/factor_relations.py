"""Which code goes with which of the true factors of real images, and how closely.

Of an ordered factor it is |Spearman| of Q's mean with the exact value; of one that
turns around a circle see `metrics.circular`.
"""

from itertools import combinations

import numpy as np

from infogan_jax.analysis.metrics import circular
from infogan_jax.analysis.metrics.agreement import Predictions
from infogan_jax.analysis.metrics.attributes import explained_variances, spearman
from infogan_jax.analysis.report.section import Measure, Measures, Table
from infogan_jax.data.dataset import CATEGORY, CIRCLE, Split

Found = dict[str, float]
"""By code, or pair of codes, how closely it goes with a factor."""


def measure(
    predictions: Predictions,
    split: Split,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
) -> tuple[Measures, dict[str, Table]]:
    """Returns for each factor the code that goes with it best, and a table of all.

    Args:
      predictions: Q's for the images of `split`.
      split: the images, with their factors.
      names: of the factors.
      kinds: of the factors; one without an order is left out.
    """
    measures: Measures = {}
    columns: dict[str, list[float]] = {}
    images = f"on {len(split.images)} images"
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if kind == CATEGORY:
            continue
        for title, (found, what) in _found(predictions, split, place, kind).items():
            best = max(found, key=lambda code: found[code])
            text = f"{what}, of {best}, the best of {len(found)}, {images}"
            measures[f"{title}/{name}"] = Measure(found[best], "index", text)
            column = [found.get(code, np.nan) for code in predictions]
            if not np.isnan(column).all():
                columns[f"{name}, {title.removeprefix('factor_')}"] = column
    if not columns:
        return measures, {}
    cells = np.nan_to_num(np.array(list(columns.values())).T)
    caption = (
        "How closely each code goes with each factor, in [0, 1]: |Spearman| of a "
        "continuous code, eta squared of a category, resultant lengths on a circle."
    )
    table = Table(caption, tuple(predictions), tuple(columns), cells, cells)
    return measures, {"factors": table}


def _found(
    predictions: Predictions, split: Split, place: int, kind: str
) -> dict[str, tuple[Found, str]]:
    """Returns, by kind of measure, what each code has, and what it is in words."""
    assert split.factors is not None
    continuous = {
        c: values for c, values in predictions.items() if values.dtype.kind == "f"
    }
    categories = {
        c: values for c, values in predictions.items() if values.dtype.kind == "i"
    }
    found: dict[str, tuple[Found, str]] = {}
    if kind == CIRCLE:
        steps = split.factors[:, place]
        angles = 2 * np.pi * steps / (steps.max() + 1)
        turning = {c: circular.whole_circle(v, angles) for c, v in continuous.items()}
        turning |= {c: circular.categories(v, angles) for c, v in categories.items()}
        for (a, one), (b, other) in combinations(continuous.items(), 2):
            turning[f"{a} and {b}"] = circular.plane(one, other, angles)
        halves = {c: circular.half_circle(v, angles) for c, v in continuous.items()}
        found["factor_circular"] = turning, "resultant length of the directions"
        found["factor_half_circle"] = halves, "|Spearman| on half a circle"
    else:
        exact = split.factors if split.factor_values is None else split.factor_values
        values = exact[:, place].astype(np.float64)
        shares = explained_variances(categories, {"": values})
        ranks = {c: abs(spearman(v, values)) for c, v in continuous.items()}
        found["factor_spearman"] = ranks, "|Spearman| of Q's mean"
        found["factor_eta_squared"] = (
            {c: share[""] for c, share in shares.items()},
            "share of the factor's variance that the category explains",
        )
    return {title: each for title, each in found.items() if each[0]}
