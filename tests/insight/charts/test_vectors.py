"""Charts as SVG and PDF, for papers."""

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from counterfeit.insight import charts
from counterfeit.insight.charts.save import VECTORS, save
from counterfeit.run import Run


@pytest.fixture(scope="module")
def drawn(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """Every chart there is, of a run that has counted its classes and logged a critic's scores."""
    run = Run(shutil.copytree(small_run.path, tmp_path_factory.mktemp("vectors") / "run"))
    shares = {f"share_{c}_digits-v1-ab_1k": [0.1, 0.01] for c in range(10)}
    run.append_metrics({"step": 33, "epoch": 3, "metrics": shares})
    row = run.log[-1] | {"step": 34, "score_gap": 1.0, "penalty_r1": 0.5, "penalty_codes": 2.0}
    for of in ("real", "fake"):
        row |= {f"score_{of}_q{q}": 0.5 for q in ("05", "25", "50", "75", "95")}
    run.append_log(row)
    figures = {name: draw(run, []) for name, draw in charts.DRAWINGS.items()}
    return {name: figure for name, figure in figures.items() if isinstance(figure, Figure)}


@pytest.mark.parametrize("name", charts.DRAWINGS)
def test_a_charts_text_is_text_in_svg(drawn: dict[str, Figure], name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.svg"
    save(drawn[name], path)
    root = ElementTree.parse(path).getroot()
    written = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    titles = {axes.get_title("left") for axes in drawn[name].axes if axes.axison}
    assert titles - {""} <= written
    assert not re.search(r'id="DejaVu', path.read_text())  # no glyphs as shapes


@pytest.mark.parametrize("name", charts.DRAWINGS)
def test_a_charts_text_is_text_in_pdf(drawn: dict[str, Figure], name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.pdf"
    save(drawn[name], path)
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/Subtype /Type0" in content or b"/Subtype /TrueType" in content
    assert b"/Type3" not in content  # which journals refuse


@pytest.mark.parametrize("suffix", VECTORS)
def test_the_same_chart_is_the_same_file(small_run: Run, suffix: str, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    contents = []
    for n in (1, 2):
        path = tmp_path / f"{n}.{suffix}"
        save(charts.CHARTS["losses"](small_run, []), path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert dict(matplotlib.rcParams) == before
