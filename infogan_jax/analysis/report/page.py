"""The page of an evaluation: one HTML file that needs no other file.

Pictures and a short script are inside, nothing is loaded from elsewhere, and the page
follows the reader's choice of light or dark. Without the script all is shown, but
nothing moves. Names come from a config or a data set, so all text is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("page.css").read_text()
SCRIPT = Path(__file__).with_name("page.js").read_text()

Html = str


def build_page(
    title: str, about: Sequence[str], parts: Mapping[str, Html], config: str
) -> Html:
    """Returns the whole page as HTML.

    Args:
      title: the title of the page.
      about: lines under the title: the data, and warnings.
      parts: HTML by its heading; an empty part is left out.
      config: the config as text.
    """
    shown = {heading: part for heading, part in parts.items() if part}
    body = [
        f"<h1>{escape(title)}</h1>",
        *(f"<p>{escape(line)}</p>" for line in about),
        *(f"<h2>{escape(heading)}</h2>\n{part}" for heading, part in shown.items()),
        "<h2>Config</h2>",
        f"<details><summary>as recorded</summary><pre>{escape(config)}</pre></details>",
        f"<script>\n{SCRIPT}</script>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
