"""Executes docs/tutorial.ipynb in a folder of its own, which is then removed.

python -m scripts.tutorial            # or: make tutorial
python -m scripts.tutorial --save     # puts what it shows into the notebook
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
SECONDS = 1800
"""The longest that a cell may take; training is one of them."""


def main() -> None:
    """Executes every cell; an error in one of them is raised."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as place:
        resources = {"metadata": {"path": place}}
        client = NotebookClient(notebook, timeout=SECONDS, resources=resources)
        client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it was executed
    if "--save" in sys.argv:
        nbformat.write(notebook, NOTEBOOK)
    print(f"executed {NOTEBOOK.name}: {len(notebook.cells)} cells")


if __name__ == "__main__":
    main()
