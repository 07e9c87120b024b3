"""Writes a page from every JSON file of docs/trials, or says which pages differ.

    python scripts/trials.py            # writes docs/trials/<name>.md
    python scripts/trials.py --check    # status 1 where a page is not what it writes

A file is a list of tables. Each has a `title`, sentences `about` it, `columns` and
`rows`, and may have the lines of a `command`. A cell is a number, a text, a list of
numbers (one a seed), or null where nothing was measured.
"""

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "docs" / "trials"
WIDTH = 100
HEAD = """<!-- Generated from docs/trials/{name}.json by scripts/trials.py. -->

# Trials: {name}

The tables of this page are data in [{name}.json]({name}.json).
[Results](../results.md) explains the measures, [method](../method.md) the switches.
"""


def load(path: Path) -> list[dict[str, Any]]:
    """The tables of a file; a number stays the text that the file has, as in 0.930."""
    return json.loads(path.read_text(), parse_float=str, parse_int=str)


def cell(value: str | list[str] | None) -> str:
    """A cell as it stands in a page: a list has commas, null is empty."""
    if value is None:
        return ""
    text = ", ".join(value) if isinstance(value, list) else value
    return text.replace("|", r"\|")


def line(cells: list[Any]) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(cell, cells))} |"


def section(table: dict[str, Any]) -> str:
    """A table with its title, the sentences about it and its command."""
    about = (
        textwrap.fill(
            sentence,
            WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for sentence in table["about"]
    )
    parts = [f"## {table['title']}", "\n".join(about)]
    if command := table.get("command"):
        # Indented by four, it would belong to the list above it and not be code.
        parts.append("\n".join(["```sh", *command, "```"]))
    columns, rows = table["columns"], table["rows"]
    parts.append(
        "\n".join([line(columns), "|---" * len(columns) + "|", *map(line, rows)])
    )
    return "\n\n".join(parts) + "\n"


def page(path: Path) -> str:
    """The page of a JSON file, as text."""
    return "\n".join([HEAD.format(name=path.stem), *map(section, load(path))])


def differing(folder: Path) -> list[Path]:
    """The pages that are not what their JSON files make, in order of their names."""
    files = {path.with_suffix(".md"): page(path) for path in folder.glob("*.json")}
    pages = files.keys() | set(folder.glob("*.md"))
    return sorted(
        path
        for path in pages
        if not path.exists() or path.read_text() != files.get(path)
    )


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Writes or checks all pages; the status is 1 where a check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args(arguments).check:
        found = differing(folder)
        for path in found:
            print(f"{path.name} is not what its JSON makes: python scripts/trials.py")
        return int(bool(found))
    for path in folder.glob("*.json"):
        path.with_suffix(".md").write_text(page(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
