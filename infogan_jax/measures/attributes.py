"""What each code has to do with what can be measured in the pixels."""

import numpy as np

from infogan_jax.latents import Code
from infogan_jax.measures.finding import Finding, Measure, Table
from infogan_jax.measures.subject import LIMIT, Subject
from infogan_jax.metrics import attributes

NAMES = {False: "spearman", True: "eta_squared"}
WORDS = {
    False: "Spearman's rank correlation of {code} with {attribute}",
    True: "share of the variance of {attribute} that {code} explains (eta squared)",
}
"""By whether the code is categorical."""


def measure(subject: Subject) -> Finding:
    """The table of codes and attributes, and the strongest attribute of each code.

    Measured on generated images, whose codes are those that were drawn. A code that
    moves nothing, or images that are all alike, give 0.
    """
    codes = subject.spec.codes
    if not codes:
        return Finding(left_out="there is no code")
    table = correlate(subject)
    count = min(subject.samples, LIMIT)
    measures = {}
    for code, row in zip(codes, table.values, strict=True):
        best = int(np.abs(row).argmax())
        attribute = table.columns[best]
        what = WORDS[code.is_categorical].format(code=code.name, attribute=attribute)
        measures[f"{NAMES[code.is_categorical]}_{attribute}/{code.name}"] = Measure(
            float(row[best]),
            "share" if code.is_categorical else "index",
            f"{what}, the strongest of {len(row)} attributes, on {count} generated "
            "images",
        )
    return Finding(measures, {"attributes": table})


def correlate(subject: Subject) -> Table:
    """Every code (rows) against every attribute (columns)."""
    made = subject.generated
    found = attributes.measure(made.images[:LIMIT])
    drawn = {name: np.asarray(code)[:LIMIT] for name, code in made.codes.items()}

    def related(code: Code) -> dict[str, float]:
        relate = (
            attributes.explained_variances
            if code.is_categorical
            else attributes.correlations
        )
        return relate({code.name: drawn[code.name]}, found)[code.name]

    values = np.array([list(related(code).values()) for code in subject.spec.codes])
    return Table(
        "Continuous codes: Spearman's rank correlation in [-1, 1]; categorical codes: "
        f"eta squared in [0, 1]; on {len(made.images[:LIMIT])} generated images.",
        tuple(code.name for code in subject.spec.codes),
        tuple(found),
        values,
        np.abs(values),
    )
