"""The report in a browser: what only running it can show."""

import io
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_finding import finding
from looking import boxes, look, stand_still
from PIL import Image

from chromium import find_axe, find_chromium
from counterfeit.insight.report import Statement, anchor, write_report
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


@pytest.fixture(scope="module")
def three(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    runs = [Run(shutil.copytree(small_run.path, folder / f"{n}-of-three")) for n in (1, 2, 3)]
    says = Statement("D wins.", "section 3", "It did not.", "differs", anchor("losses", 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("counterfeit.insight.report.page.diagnose", lambda run: [finding()])
        return write_report(runs, folder / "report.html", [says])


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
    stand_still(page)
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(10_000)
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
    stand_still(page)
    shown = page.locator("#shown")
    page.get_by_role("button", name="Play").click()
    for epoch in ("0", "1", "2"):
        page.get_by_role("button", name="Pause").wait_for()
        assert shown.text_content() == epoch
        page.clock.run_for(600)
    page.get_by_role("button", name="Play").wait_for()
    page.clock.run_for(10_000)
    assert shown.text_content() == "3"


def test_it_plays_round_and_round_as_fast_as_one_likes(opened) -> None:
    page, _ = opened
    stand_still(page)
    shown = page.locator("#shown")
    page.get_by_label("speed").select_option("4")
    page.get_by_label("loop").check()
    page.get_by_label("epoch", exact=False).first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    for epoch in ("0", "1", "2", "3", "0", "1"):  # and the next round
        assert shown.text_content() == epoch
        page.clock.run_for(150)
    page.keyboard.press("Space")
    page.get_by_role("button", name="Play").wait_for()
    page.clock.run_for(10_000)
    assert shown.text_content() == "2"


def test_the_player_covers_no_image(browser: Any, three: Path) -> None:
    page = look(browser, three, 390, 844)
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        for image in page.locator("#film img").all():
            image.scroll_into_view_if_needed()
            (player,), box = boxes(page, "#player"), image.bounding_box()
            assert player["bottom"] <= box["y"]
    page.context.close()


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


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_three_runs_are_three_columns_above_the_fold(
    browser: Any, three: Path, width: int, height: int
) -> None:
    page = look(browser, three, width, height)
    for selector in (".card", ".card .standing", ".card img"):
        found = boxes(page, selector)
        assert len(found) == 3
        assert len({round(box["top"]) for box in found}) == 1
        assert all(left["right"] < right["left"] for left, right in itertools.pairwise(found))
        assert found[-1]["bottom"] < height
    (first, _, last), (table,) = boxes(page, ".card"), boxes(page, "#glance table")
    assert last["right"] - first["left"] > 0.9 * width
    assert max(box["bottom"] for box in boxes(page, ".card")) < table["top"]
    assert table["bottom"] <= height
    panels = boxes(page, "#classes .panel")
    assert len({round(box["top"]) for box in panels}) == 1
    page.context.close()


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_a_run_alone_stands_beside_its_numbers_and_covers_nothing(
    browser: Any, report: Path, width: int
) -> None:
    page = look(browser, report, width, 800)
    parts = ".card h2", ".card .standing", ".card img", ".card figcaption"
    stack = [boxes(page, part)[0] for part in parts]
    assert all(upper["bottom"] <= lower["top"] for upper, lower in itertools.pairwise(stack))
    (table,) = boxes(page, "#glance table")
    if width > 1000:
        assert table["left"] > max(box["right"] for box in stack)
        assert table["bottom"] < 800
    else:
        assert table["top"] > stack[-1]["bottom"]
    page.context.close()


def test_larger_screens_show_larger_images(browser: Any, three: Path) -> None:
    widths = []
    page = look(browser, three, 390, 1000)
    for width in (390, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 1000})
        widths.append(boxes(page, ".card img")[0]["width"])
    page.context.close()
    assert widths == sorted(widths)
    assert widths[-1] > 1.3 * widths[-2]


def test_on_a_phone_the_first_image_is_on_the_first_screen(browser: Any, three: Path) -> None:
    page = look(browser, three, 390, 844)
    images = boxes(page, ".card img")
    assert images[0]["bottom"] < 844
    assert len({box["left"] for box in images}) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    for selector in ("table", "td", "tbody th", "pre", ":not(pre) > code", ".finding"):
        assert all(
            box["left"] >= 0 and box["right"] <= 390 for box in boxes(page, f"main {selector}")
        )
    page.context.close()


def test_entries_of_the_navigation_are_the_headings(browser: Any, three: Path) -> None:
    page = look(browser, three, 1280, 800)
    entries = page.locator("nav a").all_text_contents()
    assert entries == page.locator("main h2").all_text_contents()
    texts = page.eval_on_selector_all(
        "main a, .card a", "all => all.map(each => each.textContent + each.hash)"
    )
    shown = {text.rpartition("#")[0]: text for text in texts}
    assert set(shown.values()) == set(texts)  # one text, one place
    assert "Losses of 2-of-three" in shown
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the contents"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_commands_are_code_and_can_be_copied(browser: Any, three: Path) -> None:
    page = look(browser, three, 1280, 800, permissions=["clipboard-read", "clipboard-write"])
    stand_still(page)
    command = page.locator(".command code").first.text_content()
    assert command.startswith("counterfeit train ")
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command
    page.clock.run_for(2000)
    assert page.get_by_text("Copied").count() == 0
    page.context.close()


def test_a_dark_page_has_no_white_strip(browser: Any, three: Path) -> None:
    page = look(browser, three, 1280, 800, color_scheme="dark")
    for name in ("latents", "preview", "maxout", "classes"):
        figure = page.locator(f"#{name} figure").first
        if figure.locator("img").count():
            picture = Image.open(io.BytesIO(figure.locator("img").screenshot())).convert("L")
            shades = np.asarray(picture)
            assert (shades > 200).mean(axis=1).max() < 0.9, name  # of a row of pixels
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_keeps_people_from_reading_it(
    browser: Any, three: Path, width: int, scheme: str
) -> None:
    """By axe-core's rules, such as contrast, names of what can be operated, order of headings."""
    page = look(browser, three, width, 800, color_scheme=scheme, bypass_csp=True)
    page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    page.evaluate(find_axe().read_text())
    violations = page.evaluate(
        "axe.run().then(found => found.violations.map(each => [each.id, each.nodes[0].html]))"
    )
    assert violations == []
    page.context.close()


def test_a_page_that_cannot_be_read_is_noticed(browser: Any, three: Path) -> None:
    page = look(browser, three, 1280, 800, bypass_csp=True)
    page.evaluate("document.querySelector('.card img').removeAttribute('alt')")
    page.evaluate(find_axe().read_text())
    rules = "axe.run().then(found => found.violations.map(each => each.id))"
    assert page.evaluate(rules) == ["image-alt"]
    page.context.close()
