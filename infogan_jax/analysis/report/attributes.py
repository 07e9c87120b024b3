"""Relations between the codes of generated images and attributes of their pixels."""

from collections.abc import Mapping

import numpy as np

from infogan_jax.analysis.metrics import attributes
from infogan_jax.analysis.metrics.attributes import Correlations
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import LIMIT, TrainedModel
from infogan_jax.model import latents

ASSOCIATIONS = {
    "eta_squared": (
        "share",
        "share of the variance of {attribute} that {code} explains (eta squared)",
    ),
    "spearman": ("index", "Spearman's rank correlation of {code} with {attribute}"),
    "spearman_within": (
        "index",
        "mean over the categories of Spearman's rank correlation of {code} with "
        "{attribute} within each",
    ),
    "eta_squared_within": (
        "share",
        "mean over the categories of the parent of {code} of the share of the variance "
        "of {attribute} that it explains within each (eta squared)",
    ),
}
"""The unit and the protocol of each measure of how a code and an attribute relate."""


def measure(model: TrainedModel) -> Section:
    """Measures the relation of each code to each attribute of generated images.

    The codes are those from which the images were generated. Each code has one measure,
    for the attribute with the strongest relation; the tables have all. A code that
    changes nothing, or images that are all the same, give 0. If there is exactly one
    categorical code, a second table has the continuous codes within its categories.
    Codes with a parent are measured within the categories of the parent: in these they
    may mean different things.
    """
    codes = model.spec.roots
    if not codes:
        return Section(left_out="there is no code")
    generated = model.generated.images[:LIMIT]
    measured = attributes.measure(generated)
    images = f"{len(generated)} generated images"
    drawn = {name: np.asarray(c)[:LIMIT] for name, c in model.generated.codes.items()}
    categories = {c.name: drawn[c.name] for c in codes if c.is_categorical}
    values = {c.name: drawn[c.name] for c in codes if not c.is_categorical}
    explained = attributes.explained_variances(categories, measured)
    correlated = attributes.correlations(values, measured)
    measures = _strongest("eta_squared", explained, images)
    measures |= _strongest("spearman", correlated, images)
    caption = (
        "Continuous codes: Spearman's rank correlation in [-1, 1]; categorical codes: "
        f"eta squared in [0, 1]; on {images}."
    )
    both = explained | correlated
    tables = {"attributes": _table(caption, {c.name: both[c.name] for c in codes})}
    if len(categories) == 1 and values:
        within = attributes.correlations(values, measured, *categories.values())
        measures |= _strongest("spearman_within", within, images)
        caption = (
            "Spearman's rank correlation in [-1, 1] within each category of "
            f"{next(iter(categories))}, averaged over the categories; on {images}."
        )
        tables["attributes_within"] = _table(caption, within)
    more, more_tables = _within_parents(model, measured, images)
    return Section(measures | more, tables | more_tables)


def _within_parents(
    model: TrainedModel, measured: attributes.Attributes, images: str
) -> tuple[Measures, dict[str, Table]]:
    """Measures codes with a parent within each category of it."""
    spec, drawn = model.spec, model.generated.codes
    measures: Measures = {}
    rows: dict[str, Mapping[str, float]] = {}
    for code in spec.codes:
        if not code.parent:
            continue
        block = np.asarray(latents.block_of(spec, code, drawn))[:LIMIT]
        own = {code.name: np.asarray(drawn[code.name])[:LIMIT]}
        if code.is_categorical:
            row = attributes.explained_variances(own, measured, block)
            measures |= _strongest("eta_squared_within", row, images)
        else:
            row = attributes.correlations(own, measured, block)
            measures |= _strongest("spearman_within", row, images)
        rows |= row
    if not rows:
        return {}, {}
    caption = (
        "Codes with a parent, within each category of it and averaged over these: "
        "Spearman's rank correlation in [-1, 1] of continuous codes, eta squared in "
        f"[0, 1] of categorical codes; on {images}."
    )
    return measures, {"attributes_within_parents": _table(caption, rows)}


def _strongest(kind: str, table: Correlations, images: str) -> Measures:
    """Returns, for each code, the measure of the attribute with the largest value."""
    unit, template = ASSOCIATIONS[kind]
    measures = {}
    for code, row in table.items():
        best = max(row, key=lambda name: abs(row[name]))
        text = template.format(code=code, attribute=best)
        protocol = f"{text}, the strongest of {len(row)} attributes, on {images}"
        measures[f"{kind}_{best}/{code}"] = Measure(row[best], unit, protocol)
    return measures


def _table(caption: str, values: Mapping[str, Mapping[str, float]]) -> Table:
    """Returns a table with a row for each code and a column for each attribute."""
    cells = np.array([list(row.values()) for row in values.values()])
    columns = tuple(next(iter(values.values())))
    return Table(caption, tuple(values), columns, cells, np.abs(cells))
