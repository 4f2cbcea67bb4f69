"""The notebooks say the same in both languages, and run."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

import notebooks
from own_data import barely_trained_classifier, with_data_in

HERE = Path(__file__).parents[2] / "docs" / "notebooks"


def read(name: str) -> NotebookNode:
    return nbformat.read(HERE / name, as_version=4)


def test_both_languages_run_the_same_but_for_the_language() -> None:
    english, korean = read("article.ipynb"), read("article.ko.ipynb")
    kinds = [[cell.cell_type for cell in each.cells] for each in (english, korean)]
    assert kinds[0] == kinds[1]
    codes = [
        [cell.source for cell in each.cells if cell.cell_type == "code"]
        for each in (english, korean)
    ]
    assert codes[0] == [code.replace('"ko"', '"en"') for code in codes[1]]
    assert codes[0] != codes[1]


@pytest.mark.parametrize("name", ["article.ipynb", "article.ko.ipynb"])
def test_what_they_show_is_kept_and_none_failed(name: str) -> None:
    shown = [cell for cell in read(name).cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 9
    kinds = {output.output_type for cell in shown for output in cell.outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert not any("/home/" in str(cell) or "/tmp/" in str(cell) for cell in shown)


def test_it_runs_from_data_to_result(tmp_path: Path) -> None:
    notebook = read("article.ipynb")
    with with_data_in(barely_trained_classifier(tmp_path / "data")):
        notebooks.run(notebook, tmp_path, {"DATA": "digits", "EPOCHS": 2, "LANGUAGE": "en"})
    said = "".join(
        output.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    assert "batchnorm-smoothing  FID" in said
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert len(list((tmp_path / "runs").iterdir())) == 4
