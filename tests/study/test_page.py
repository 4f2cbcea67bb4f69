"""The page about a study."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import call

from chromium import find_axe
from counterfeit.language import speaking
from counterfeit.study import words
from counterfeit.study.folder import Study
from counterfeit.study.page import write_page
from counterfeit.study.results import read
from counterfeit.study.verdict import judge


@pytest.fixture(scope="module")
def page(trained_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = read(trained_study)
    return write_page(
        trained_study, results, judge(results), tmp_path_factory.mktemp("page") / "study.html"
    )


def test_it_says_the_verdict_and_what_it_rests_on(page: Path, trained_study: Study) -> None:
    text = page.read_text()
    verdict = judge(read(trained_study))
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)).replace("&#39;", "'")
    assert words.summary(verdict, "digits") in said
    for comparison in verdict.comparisons:
        assert words.sentence(comparison) in said
    for task in trained_study.tasks:
        assert f"{task.recipe}, seed {task.seed}" in said
    assert "5 of 6 runs have ended" in said
    assert text.count("<polyline") > 2 * 5
    assert text.count("data:image/webp") == 2


def test_it_asks_nobody_for_anything(page: Path) -> None:
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", text)
    assert "://" not in text


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_on_any_screen(browser: Any, page: Path, width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened, said = context.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(page.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    for mark, track in ((".dot", ".track"), ("polyline", "svg")):
        outside = f"""[...document.querySelectorAll('{mark}')].filter(mark => {{
            const own = mark.getBoundingClientRect();
            const all = mark.closest('{track}').getBoundingClientRect();
            return own.left < all.left - 6 || own.right > all.right + 6;
        }}).length"""
        assert opened.evaluate(outside) == 0
    opened.evaluate(find_axe().read_text())
    found = "axe.run().then(all => all.violations.map(each => [each.id, each.nodes[0].html]))"
    assert opened.evaluate(found) == []
    context.close()


def test_it_links_to_the_pages_of_runs_that_have_one(trained_study: Study, tmp_path: Path) -> None:
    study = Study.open(shutil.copytree(trained_study.folder, tmp_path / "copy"))
    first = study.tasks[0]
    (first.run / "report.html").write_text("a page")
    results = read(study)
    text = write_page(study, results, judge(results)).read_text()
    assert re.findall(r'href="([^#"]+)"', text) == [f"runs/{first.id}/report.html"]


def test_it_is_in_korean_where_that_is_asked_for(trained_study: Study, tmp_path: Path) -> None:
    results = read(trained_study)
    with speaking("ko"):
        text = write_page(trained_study, results, judge(results), tmp_path / "ko.html").read_text()
    assert '<html lang="ko">' in text
    assert "비교 실험 small" in text
    assert "How it was done" not in text


def test_the_command_prints_the_verdict_and_writes_files(
    trained_study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(
        capsys, "study", "report", str(trained_study.folder), f"--out={tmp_path / 'page.html'}",
        "--metric=coverage", "--against=two", "--checkpoint=best",
    )  # fmt: skip
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[-1] == str(tmp_path / "page.html")
    assert any(line.startswith("can't tell") or "is better than" in line for line in lines)
    assert any("validation images" in line for line in lines)
    assert {path.name for path in tmp_path.iterdir()} == {
        "page.html",
        *(f"{n}.{kind}" for n in ("runs", "recipes", "differences") for kind in ("csv", "parquet")),
    }


def test_the_command_refuses_a_folder_that_is_no_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = call(capsys, "study", "report", str(tmp_path))
    assert status == 2
    assert "is no study" in err
