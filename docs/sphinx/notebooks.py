"""Run the notebooks of docs/notebooks/ and keep in them what they show.

    python docs/sphinx/notebooks.py docs/notebooks/*.ipynb

They train on MNIST, some minutes each.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

PATIENCE = 600
"""Seconds that a busy machine may take to start a kernel, or to bring what a cell said."""


def run(notebook: NotebookNode, folder: Path, parameters: Mapping[str, object]) -> None:
    """Run its cells in a folder, in place.

    Args:
        parameters: what the cell tagged `parameters` is followed by, as Papermill does it.

    Raises:
        CellExecutionError: a cell raises.
    """
    cells = list(notebook.cells)
    values = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    for place, cell in enumerate(cells, 1):
        if "parameters" in cell.metadata.get("tags", ()):
            notebook.cells.insert(place, nbformat.v4.new_code_cell(values))
    NotebookClient(
        notebook,
        resources={"metadata": {"path": str(folder)}},
        startup_timeout=PATIENCE,
        iopub_timeout=PATIENCE,
    ).execute()
    notebook.cells = cells


def main(paths: list[Path]) -> None:
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            run(notebook, Path(folder), {})
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # the times
        nbformat.write(notebook, path)
        print(path)


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
