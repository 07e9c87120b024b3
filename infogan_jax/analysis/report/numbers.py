"""The sections of an evaluation as HTML: numbers with their meaning, and tables."""

import math
from collections.abc import Mapping
from html import escape

from infogan_jax.analysis.report.meanings import meaning
from infogan_jax.analysis.report.section import Measure, Section, Table

ABOUT = {
    "Information": (
        "mi_bound is how many nats about a code an image holds, a lower bound. A "
        "categorical code has at most H(c); a continuous code may have more. jsd_bound "
        "is a lower bound of the divergence of real and generated images: near 0 where "
        "D cannot tell them apart, at most 0.693."
    ),
    "Classes": (
        "Agreement of the categories with the labels, of which training saw none, or "
        "as many as is said below."
    ),
    "Attributes": "How each code goes with what can be measured in the pixels.",
    "Factors": "Disentanglement scores, from the true factors of the images.",
    "Samples": (
        "How near generated and real images are. Precision is low where generated "
        "images look wrong; recall and coverage are low where real images are missing."
    ),
    "Reconstruction": "What is lost of a real image that G decodes from its codes.",
    "Few labels": (
        "What few labels teach: a linear classifier on the trunk, and, where training "
        "used some, Q or D."
    ),
}
"""What a section shows, by its name."""

LARGEST = 128
"""A table with more rows or columns is not shown, but its CSV file is named."""


def html(name: str, section: Section) -> str:
    """Returns a section with its heading."""
    parts = [f"<h3>{escape(name)}</h3>"]
    if name in ABOUT:
        parts.append(f"<p>{ABOUT[name]}</p>")
    if section.left_out:
        parts.append(f"<p>Left out: {escape(section.left_out)}.</p>")
    if section.measures:
        parts.append(_measures(section.measures))
    parts += (_table(name, table) for name, table in section.tables.items())
    return "\n".join(parts)


def _measures(measures: Mapping[str, Measure]) -> str:
    rows, before = [], ""
    for name, each in measures.items():
        means = meaning(name)
        said = "As in the row above." if means and means == before else means
        before = means
        rows.append(
            f'<tr><th scope="row">{escape(name)}</th>'
            f'<td class="number">{each.value:.4f}</td>'
            f'<td class="unit">{escape(each.unit)}</td>'
            f"<td>{escape(said)} <small>{escape(each.protocol)}</small></td></tr>"
        )
    head = _head("measure", "value", "unit", "what it means, and how it was measured")
    return "\n".join(
        ['<table class="measures">', f"<thead>{head}</thead>", *rows, "</table>"]
    )


def _table(name: str, table: Table) -> str:
    """Returns a table of shaded numbers; it scrolls if it is wider than the page."""
    caption = escape(table.caption)
    if max(table.values.shape) > LARGEST:
        return f"<p>{escape(name)}.csv: {caption}</p>"
    digits = "d" if table.values.dtype.kind in "iu" else ".2f"
    rows = []
    for row, values, shades in zip(
        table.rows, table.values.tolist(), table.shades.tolist(), strict=True
    ):
        cells = "".join(
            f'<td style="--shade: {60 * shade:.0f}%">{_cell(value, digits)}</td>'
            for value, shade in zip(values, shades, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(row)}</th>{cells}</tr>')
    top = '<div class="wide"><table class="cells">'
    end = f"</table></div>\n<p>{caption}</p>"
    return "\n".join([top, _head("", *table.columns), *rows, end])


def _cell(value: float, digits: str) -> str:
    """Returns a number as text; what was not measured is empty."""
    return "" if math.isnan(value) else f"{value:{digits}}"


def _head(*texts: str) -> str:
    return "<tr>" + "".join(f"<th>{escape(text)}</th>" for text in texts) + "</tr>"
