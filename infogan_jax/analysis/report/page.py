"""The page of an evaluation: one HTML file that needs no other file.

Images are embedded as data, there is no script, and the page follows the reader's
choice of light or dark. Names come from a config or a data set, so all text is escaped.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from infogan_jax.analysis.report.section import Measure, Section, Table

STYLE = Path(__file__).with_name("page.css").read_text()

ABOUT = {
    "Information": (
        "mi_bound is how many nats about a code an image holds, a lower bound. A "
        "categorical code has at most H(c); a continuous code may have more. jsd_bound "
        "is a lower bound of the divergence of real and generated images: near 0 where "
        "D cannot tell them apart, at most 0.693."
    ),
    "Classes": "Agreement of the categories with the labels, which training never saw.",
    "Attributes": "How each code goes with what can be measured in the pixels.",
    "Factors": "Disentanglement scores, from the true factors of the images.",
    "Samples": (
        "How near generated and real images are. Precision is low where generated "
        "images look wrong; recall and coverage are low where real images are missing."
    ),
    "Few labels": "What a linear classifier on the trunk learns from few labels.",
}
"""What a section shows, by its name."""

LARGEST = 128
"""A table with more rows or columns is not shown, but its CSV file is named."""


@dataclass(frozen=True)
class Figure:
    """A picture with its caption; `png` is the content of the file."""

    caption: str
    png: bytes


def build_page(
    title: str,
    about: Sequence[str],
    sections: Mapping[str, Section],
    figures: Sequence[Figure],
    config: str,
) -> str:
    """Returns the whole page as HTML.

    Args:
      title: the title of the page.
      about: lines under the title: the data, and warnings.
      sections: the sections by name, measured or left out for a reason.
      figures: curves, samples and traversals.
      config: the config as text.
    """
    parts = [
        f"<h1>{escape(title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in about),
        *(_section(name, section) for name, section in sections.items()),
        "<h2>Figures</h2>",
        *map(_figure, figures),
        "<h2>Config</h2>",
        f"<details><summary>as recorded</summary><pre>{escape(config)}</pre></details>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(name: str, section: Section) -> str:
    parts = [f"<h2>{escape(name)}</h2>"]
    if name in ABOUT:
        parts.append(f"<p>{ABOUT[name]}</p>")
    if section.left_out:
        parts.append(f"<p>Left out: {escape(section.left_out)}.</p>")
    if section.measures:
        parts.append(_measures(section.measures))
    parts += (_table(name, table) for name, table in section.tables.items())
    return "\n".join(parts)


def _measures(measures: Mapping[str, Measure]) -> str:
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{each.value:.4f}'
        f'</td><td class="unit">{escape(each.unit)}</td>'
        f"<td>{escape(each.protocol)}</td></tr>"
        for name, each in measures.items()
    )
    head = _head("measure", "value", "unit", "protocol")
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
            f'<td style="--shade: {60 * shade:.0f}%">{value:{digits}}</td>'
            for value, shade in zip(values, shades, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(row)}</th>{cells}</tr>')
    top = '<div class="wide"><table class="cells">'
    end = f"</table></div>\n<p>{caption}</p>"
    return "\n".join([top, _head("", *table.columns), *rows, end])


def _head(*texts: str) -> str:
    return "<tr>" + "".join(f"<th>{escape(text)}</th>" for text in texts) + "</tr>"


def _figure(figure: Figure) -> str:
    data = base64.b64encode(figure.png).decode()
    caption = escape(figure.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">\n'
        f"<figcaption>{caption}</figcaption></figure>"
    )
