"""The report in a browser: what only running it can show."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from example_finding import finding

from chromium import find_chromium
from counterfeit.insight.report import write_report
from counterfeit.run import Run


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail), ("", pytest.skip)])
def test_without_a_browser_ci_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: Any
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(outcome.Exception, match="make browser"):
        find_chromium(tmp_path / "absent")
    assert find_chromium(tmp_path) is None


@pytest.fixture(scope="module")
def report(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "counterfeit.insight.report.page.diagnose", lambda run: [finding(first_epoch=1)]
        )
        return write_report([small_run], tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page on a phone's screen, and what it said on the console or asked for."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(report.as_uri())
    yield page, heard
    context.close()


def test_the_page_is_quiet_and_asks_for_nothing(opened, report: Path) -> None:
    page, heard = opened
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Play").wait_for()
    assert [line for line in heard if not line.startswith("data:")] == [report.as_uri()]


def test_nothing_is_wider_than_a_phone(opened) -> None:
    page, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_headings_are_in_order_and_images_described(opened) -> None:
    page, _ = opened
    levels = page.eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.map(each => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.eval_on_selector_all("img:not([alt]), img[alt='']", "all => all.length") == 0
    assert page.eval_on_selector_all(
        "img", "all => all.every(each => each.complete && each.naturalWidth > 0)"
    )


def test_the_slider_moves_the_images_by_keyboard(opened) -> None:
    page, _ = opened
    film, slider = page.locator("img.film"), page.get_by_label("epoch", exact=False).first
    seen = {film.get_attribute("src")}
    slider.focus()
    for epoch in (2, 1, 0):
        page.keyboard.press("ArrowLeft")
        seen.add(film.get_attribute("src"))
        assert film.get_attribute("alt").endswith(f"after epoch {epoch}.")
        assert slider.get_attribute("aria-valuetext") == f"epoch {epoch}"
        assert page.locator("#shown").text_content() == str(epoch)
    assert len(seen) == 4
    page.keyboard.press("End")
    assert page.locator("#shown").text_content() == "3"


def test_it_plays_to_the_end(opened) -> None:
    page, _ = opened
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for()
    assert page.locator("#shown").text_content() == "3"


def test_a_finding_leads_to_its_epoch(opened) -> None:
    page, _ = opened
    page.get_by_role("link", name="The images of epoch 1").click()
    assert page.locator("#shown").text_content() == "1"


def test_without_script_the_page_shows_a_static_history(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert not page.locator("#player").is_visible()
    for name in ("film-1", "history-1", "latents-1"):
        assert page.locator(f"#{name} img").is_visible()
    context.close()


def test_print_hides_what_only_a_screen_can_do(opened) -> None:
    page, _ = opened
    assert page.locator("#player").is_visible()
    page.emulate_media(media="print")
    assert not page.locator("#player").is_visible()
    assert page.locator("#history-1 img").is_visible()
    page.emulate_media(media="screen", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 22, 21)"
