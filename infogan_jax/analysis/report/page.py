"""The page of an evaluation: one HTML file that needs nothing else.

Pictures are inside it as data, there is no script, and it follows the reader's choice
of light or dark. Every name comes from a config or a data set, so all text is escaped.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from infogan_jax.analysis.report.section import Measure, Section, Table

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --faint: #59636e; --back: #fff;
  --line: #d8dee4; --tint: 31 111 235; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --faint: #9aa4af;
  --back: #0f1318; --line: #30363d; --tint: 88 166 255; } }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--text);
  background: var(--back); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0.5rem 0 0; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 0.5rem; }
p, figcaption { color: var(--faint); font-size: 0.9rem; }
p { margin: 0.25rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.3rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
table.measures { width: 100%; }
table.measures th[scope=row] { font-family: ui-monospace, monospace; font-size: 0.85rem;
  overflow-wrap: anywhere; }
table.measures td:last-child { color: var(--faint); width: 50%; }
table.cells th[scope=row] { white-space: nowrap; }
table.cells td { text-align: center; font-variant-numeric: tabular-nums;
  background: rgb(var(--tint) / var(--shade)); }
div.wide { overflow-x: auto; margin: 1rem 0 0.4rem; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; background: #fff; border-radius: 3px; }
pre { overflow-x: auto; font-size: 0.8rem; }
@media (max-width: 40rem) {
  table.measures thead { display: none; }
  table.measures :is(tbody, tr, th, td) { display: block; }
  table.measures :is(th, td) { border: 0; padding: 0 0.4rem 0.1rem 0; }
  table.measures :is(td.number, td.unit) { display: inline-block; }
  table.measures td:last-child { width: auto; }
  table.measures tr { border-bottom: 1px solid var(--line); padding: 0.4rem 0; }
}
"""

LARGEST = 128
"""Tables with more rows or columns are left to their file."""


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
    """The whole page.

    Args:
      title: of the page.
      about: what it is of and what to beware of, a line each.
      sections: by name; what was left out is said with its reason.
      figures: curves, samples and traversals.
      config: as text.
    """
    parts = [
        f"<h1>{escape(title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in about),
        *(_section(theme, section) for theme, section in sections.items()),
        "<h2>Figures</h2>",
        *map(_figure, figures),
        "<h2>Config</h2>",
        f"<details><summary>as recorded</summary><pre>{escape(config)}</pre></details>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(theme: str, section: Section) -> str:
    parts = [f"<h2>{escape(theme)}</h2>"]
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
    """A table of shaded numbers; it scrolls where it is wider than the page."""
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
