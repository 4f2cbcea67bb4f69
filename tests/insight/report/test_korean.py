"""The page in Korean: no English is left on it, and it can be read as well."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chromium import find_axe
from counterfeit.insight.detectors import DETECTORS
from counterfeit.insight.report import write_report
from counterfeit.language import speaking
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LeftOut

UNREAD = {"script", "style", "pre", "code"}
"""Tags whose text is not for reading, or a command."""

READ = {"alt", "aria-label", "aria-valuetext", "data-label"}
"""Attributes that are read out, or shown."""

SENTENCE = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")
"""Three English words in a row: no name is so long."""


class Texts(HTMLParser):
    """What of a page is read."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.language: str | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs)["lang"]
        if tag not in {"wbr", "img", "meta", "link", "input"}:
            self.open.append(tag)
        self.texts += [value or "" for name, value in attrs if name in READ]

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, text: str) -> None:
        if UNREAD.isdisjoint(self.open):
            self.texts.append(" ".join(text.split()))


def said(run: Run) -> list[Finding]:
    """All that detectors can find, as they word it."""
    return [
        Finding(
            each.name, each.severity, 11, 33, 1, 3, {"figure": each.figure, "spread": 0.1},
            each.meaning, each.advice, "somebody", lasts=True,
        )
        for each in DETECTORS.values()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def korean(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A page of one run, and one of two."""
    folder = tmp_path_factory.mktemp("korean")
    runs = [Run(Path(shutil.copytree(small_run.path, folder / name))) for name in ("a", "b")]
    few = LeftOut(("kid", "copies"), "2 test images are needed, and there are 1")
    values = dict(small_run.metrics[1]["metrics"])
    runs[0].append_metrics({"step": 33, "epoch": 3, "metrics": values, "left_out": [few]})
    with pytest.MonkeyPatch.context() as patch, speaking("ko"):
        patch.setattr("counterfeit.insight.report.page.diagnose", said)
        return [
            write_report(runs[:1], folder / "one.html"),
            write_report(runs, folder / "two.html"),
        ]


def test_no_english_is_left_on_the_page(korean: list[Path], small_run: Run) -> None:
    own = (small_run.recipe.title, small_run.recipe.source)
    for path in korean:
        page = Texts(path.read_text())
        assert page.language == "ko"
        assert "잠재 벡터 하나의 변화" in page.texts
        assert "KID, 복제 비율: 테스트 이미지 2장이 필요한데 1장뿐입니다" in " ".join(page.texts)
        for text in page.texts:
            for name in own:
                text = text.replace(name, "")
            assert not SENTENCE.search(text), text


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_breaks_between_words(browser: Any, korean: list[Path], width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, bypass_csp=True)
    for path in korean:
        page = context.new_page()
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("getComputedStyle(document.body).wordBreak") == "keep-all"
        page.evaluate(find_axe().read_text())
        found = "axe.run().then(all => all.violations.map(each => [each.id, each.nodes[0].html]))"
        assert page.evaluate(found) == []
    context.close()
