"""What each code has to do with what can be measured in the pixels."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from infogan_jax.analysis.metrics import attributes
from infogan_jax.analysis.metrics.attributes import Correlations
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import LIMIT, TrainedModel


class Association(NamedTuple):
    """How a code and an attribute can go together: its name, unit and words."""

    name: str
    unit: str
    words: str


EXPLAINED = Association(
    "eta_squared",
    "share",
    "share of the variance of {attribute} that {code} explains (eta squared)",
)
CORRELATED = Association(
    "spearman", "index", "Spearman's rank correlation of {code} with {attribute}"
)
WITHIN = Association(
    "spearman_within",
    "index",
    "mean over the categories of Spearman's rank correlation of {code} with "
    "{attribute} within each",
)


def measure(model: TrainedModel) -> Section:
    """The tables of codes and attributes, and the strongest attribute of each code.

    Measured on generated images, whose codes are those that were drawn. A code that
    moves nothing, or images that are all alike, give 0. Where there is one categorical
    code, a second table has the continuous codes within its categories.
    """
    codes = model.spec.codes
    if not codes:
        return Section(left_out="there is no code")
    made = model.generated
    found = attributes.measure(made.images[:LIMIT])
    images = f"{len(made.images[:LIMIT])} generated images"
    drawn = {name: np.asarray(code)[:LIMIT] for name, code in made.codes.items()}
    categories = {c.name: drawn[c.name] for c in codes if c.is_categorical}
    values = {c.name: drawn[c.name] for c in codes if not c.is_categorical}
    explained = attributes.explained_variances(categories, found)
    correlated = attributes.correlations(values, found)
    measures = _strongest(EXPLAINED, explained, images)
    measures |= _strongest(CORRELATED, correlated, images)
    caption = (
        "Continuous codes: Spearman's rank correlation in [-1, 1]; categorical codes: "
        f"eta squared in [0, 1]; on {images}."
    )
    both = explained | correlated
    tables = {"attributes": _table(caption, {c.name: both[c.name] for c in codes})}
    if len(categories) == 1 and values:
        within = attributes.correlations(values, found, *categories.values())
        measures |= _strongest(WITHIN, within, images)
        caption = (
            "Spearman's rank correlation in [-1, 1] within each category of "
            f"{next(iter(categories))}, the mean over them; on {images}."
        )
        tables["attributes_within"] = _table(caption, within)
    return Section(measures, tables)


def _strongest(how: Association, related: Correlations, images: str) -> Measures:
    """For each code the attribute that goes with it best."""
    measures = {}
    for code, row in related.items():
        best = max(row, key=lambda name: abs(row[name]))
        words = how.words.format(code=code, attribute=best)
        protocol = f"{words}, the strongest of {len(row)} attributes, on {images}"
        measures[f"{how.name}_{best}/{code}"] = Measure(row[best], how.unit, protocol)
    return measures


def _table(caption: str, related: Mapping[str, Mapping[str, float]]) -> Table:
    """Codes are rows, attributes columns."""
    values = np.array([list(row.values()) for row in related.values()])
    columns = tuple(next(iter(related.values())))
    return Table(caption, tuple(related), columns, values, np.abs(values))
