"""The charts that the browser draws: overlaid, exact, by mouse, finger and keyboard."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_finding import finding
from looking import boxes, look
from PIL import Image

from counterfeit.files import Row, write_rows
from counterfeit.insight.report import Statement, anchor, write_report
from counterfeit.run import Run

LIGHT = {"run-1": "#0072b2", "run-2": "#c44f00", "run-3": "#00875f"}


def different(run: Run, path: Path, number: int) -> Run:
    """A copy of the run with losses of its own; the third ends an epoch earlier."""
    copy = Run(shutil.copytree(run.path, path))
    rows = [row | {"d_loss": row["d_loss"] + number / 10} for row in run.log]
    write_rows(copy.path / "log.jsonl", rows if number < 3 else rows[:-1])
    return copy


@pytest.fixture(scope="module")
def runs(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("overlaid")
    return [different(small_run, folder / f"{n}-of-three", n) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def report(runs: list[Run]) -> Path:
    says = Statement("D wins.", "section 3", "It did not.", "differs", anchor("losses", 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "counterfeit.insight.report.page.diagnose",
            lambda run: [finding(first_epoch=2)] if run.path == runs[1].path else [],
        )
        return write_report(runs, runs[0].path.parent / "report.html", [says])


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    page = look(browser, report, 1280, 900)
    yield page
    page.context.close()


def told(page: Any, chart: int = 0) -> tuple[float, dict[str, float]]:
    """The epoch and the runs' values that a chart tells."""
    said = page.locator(f"#curve-{chart} + .told > span").all_text_contents()
    values = [re.fullmatch(r"(.*?) (\S+)( \(.*\))?( at epoch .*)?", line) for line in said[1:]]
    return float(said[0].removeprefix("Epoch ")), {v[1]: float(v[2]) for v in values if v}


def row_of(run: Run, epoch: float) -> Row:
    """The row of the log nearest to an epoch."""
    return min(run.log, key=lambda row: abs(row["epoch"] - epoch))


def shown_colours(page: Any, chart: int = 0) -> set[str]:
    """The runs whose colours are among a chart's pixels."""
    picture = Image.open(io.BytesIO(page.locator(f"#curve-{chart} canvas").screenshot()))
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    wanted = {run: [int(code[i : i + 2], 16) for i in (1, 3, 5)] for run, code in LIGHT.items()}
    return {
        run for run, rgb in wanted.items() if (np.abs(pixels - rgb).max(axis=2) < 12).sum() > 20
    }


def test_runs_are_overlaid_and_the_legend_switches_each_off(opened) -> None:
    assert shown_colours(opened) == set(LIGHT)
    legend = opened.locator("#losses .legend button")
    assert legend.all_text_contents() == ["1-of-three", "2-of-three", "3-of-three"]
    legend.nth(1).focus()
    opened.keyboard.press("Enter")
    assert shown_colours(opened) == {"run-1", "run-3"}
    assert shown_colours(opened, 4) == {"run-1", "run-3"}  # another section's
    assert set(told(opened)[1]) == {"1-of-three", "3-of-three"}
    pressed = "all => all.map(each => each.getAttribute('aria-pressed'))"
    for section in ("losses", "outputs"):
        found = opened.eval_on_selector_all(f"#{section} .legend button", pressed)
        assert found == ["true", "false", "true"]
    legend.nth(1).click()
    assert shown_colours(opened) == set(LIGHT)


def test_values_at_the_pointer_are_those_of_the_log_in_every_chart(opened, runs) -> None:
    chart = opened.locator("#curve-0 .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    seen = set()
    for share in (0.02, 0.4, 0.7, 0.98):
        opened.mouse.move(box["x"] + share * box["width"], box["y"] + 20)
        epoch, values = told(opened)
        seen.add(epoch)
        for number, column in ((0, "d_loss"), (1, "g_loss"), (4, "d_real_q50")):
            at, values = told(opened, number)
            assert at == epoch
            for run in runs:
                expected = float(f"{row_of(run, epoch)[column]:.4g}")
                assert values[run.path.name] == expected
    assert len(seen) == 3
    opened.mouse.move(1, 1)
    assert told(opened)[0] == 3  # the player's epoch


def test_a_run_that_ended_earlier_tells_its_last_values_and_their_epoch(opened, runs) -> None:
    (line,) = opened.locator("#curve-0 + .told > span", has_text="3-of-three").all_text_contents()
    assert line.endswith(" at epoch 2")
    assert f"{runs[2].log[-1]['d_loss']:.4g}" in line


def test_charts_are_read_by_keyboard_and_lead_the_player(opened, runs) -> None:
    chart = opened.locator("#curve-1")
    chart.focus()
    opened.keyboard.press("Home")
    assert told(opened, 0)[0] == told(opened, 1)[0] == 1
    opened.keyboard.press("ArrowRight")
    value = float(f"{row_of(runs[0], 2)['g_loss']:.4g}")
    assert f"1-of-three {value}" in chart.get_attribute("aria-valuetext")
    assert chart.get_attribute("aria-valuenow") == "2"
    assert chart.get_attribute("aria-label").startswith("G's loss")
    opened.keyboard.press("Enter")
    assert opened.locator("#shown").text_content() == "2"
    opened.keyboard.press("End")
    assert told(opened)[0] == 3
    opened.keyboard.press("Tab")
    assert told(opened)[0] == 2  # the player's


def test_a_click_leads_the_player_and_the_player_leads_all_charts(opened) -> None:
    chart = opened.locator("#curve-0 .u-over")
    box = chart.bounding_box()
    chart.click(position={"x": 5, "y": 20})
    assert opened.locator("#shown").text_content() == "1"
    slider = opened.get_by_label("epoch", exact=False).first
    places = []
    for key in ("End", "Home"):
        slider.focus()
        opened.keyboard.press(key)
        places.append(boxes(opened, "#curve-0 .u-cursor-x")[0]["left"] - box["x"])
    assert places[0] > 0.9 * box["width"]
    assert places[1] < 0.1 * box["width"]
    assert told(opened)[0] == 1  # the curves begin with epoch 1


def test_findings_are_said_where_they_hold(opened) -> None:
    said = opened.locator("#losses .remarks")
    assert said.text_content() == "Findings at epoch 3: 2-of-three: mode collapse."
    opened.locator("#curve-0").focus()
    opened.keyboard.press("Home")
    assert said.text_content() == "Findings at epoch 1: none."


def test_a_run_has_one_colour_everywhere(opened) -> None:
    colours = (
        "all => all.map(each => [each.parentElement.textContent.trim(),"
        " getComputedStyle(each).backgroundColor])"
    )
    found = opened.eval_on_selector_all(".swatch", colours)
    of_run = {colour for text, colour in found if text.startswith("2-of-three")}
    assert of_run == {"rgb(196, 79, 0)"}
    assert sum(text.startswith("2-of-three") for text, _ in found) > 10


def test_links_to_a_figure_lead_to_its_section(opened) -> None:
    opened.locator(".statements").get_by_role("link", name="Losses of 2-of-three").click()
    (place,) = boxes(opened, "#losses")
    assert -200 < place["top"] < 300


def test_pictures_are_there_on_request_and_in_print(opened) -> None:
    picture = opened.locator("#losses img").first
    assert not picture.is_visible()
    button = opened.locator("#losses .as-pictures")
    button.click()
    assert picture.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    opened.emulate_media(media="print")
    assert picture.is_visible()
    assert not opened.locator("#curve-0").is_visible()
    assert opened.pdf().startswith(b"%PDF")


def test_without_script_the_pictures_stand_there(browser: Any, report: Path) -> None:
    opened = look(browser, report, 1280, 800, java_script_enabled=False)
    for section in ("losses", "outputs", "metrics", "gradients"):
        assert opened.locator(f"#{section} img").first.is_visible()
        assert not opened.locator(f"#{section} .curves").is_visible()
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_charts_fit_and_follow_a_finger(browser: Any, report: Path, scheme: str) -> None:
    opened = look(browser, report, 390, 844, color_scheme=scheme, has_touch=True)
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    for box in boxes(opened, ".curve canvas"):
        assert box["left"] >= 0
        assert box["right"] <= 390
        assert box["width"] > 300
    chart = opened.locator("#curve-2 .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    opened.touchscreen.tap(box["x"] + 4, box["y"] + 40)
    assert told(opened, 2)[0] == 1
    opened.context.close()


def test_charts_change_with_the_theme_and_the_width(opened) -> None:
    def shades() -> np.ndarray:
        shot = opened.locator("#curve-0 canvas").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("L"))

    assert np.median(shades()) > 240
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_function(
        "getComputedStyle(document.body).backgroundColor === 'rgb(22, 22, 21)'"
    )
    dark = shades()
    assert np.median(dark) < 40
    assert dark.max() > 120
    opened.set_viewport_size({"width": 700, "height": 900})
    opened.wait_for_function("document.querySelector('#curve-0 canvas').clientWidth < 700")
    assert opened.evaluate("document.documentElement.scrollWidth") == 700


def test_the_page_is_quiet_and_runs_only_its_own_script(browser: Any, report: Path) -> None:
    opened = browser.new_context().new_page()
    heard: list[str] = []
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("request", lambda request: heard.append(request.url))
    opened.goto(report.as_uri())
    opened.locator("#curve-0 .u-over").hover()
    opened.locator("#losses .legend button").first.click()
    assert [line for line in heard if not line.startswith("data:")] == [report.as_uri()]
    opened.evaluate(
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        " document.body.append(script)"
    )
    assert opened.evaluate("window.ran") is None
    assert "Content Security Policy" in heard[-1]
    opened.context.close()


def test_three_long_runs_are_a_page_of_less_than_three_megabytes(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfeit.insight.charts.history.animation", lambda frames: b"")
    rng = np.random.default_rng(0)
    copies = []
    for run in runs:
        copies.append(Run(shutil.copytree(run.path, tmp_path / run.path.name)))
        columns = [key for key in run.log[0] if key not in ("step", "epoch")]
        rows = [
            {"step": step, "epoch": step / 5} | dict(zip(columns, rng.random(50), strict=False))
            for step in range(1, 501)
        ]
        write_rows(copies[-1].path / "log.jsonl", rows)
        for epoch in range(4, 101):
            path = copies[-1].path / f"snapshots/epoch-{epoch:04d}.npz"
            np.savez(path, images=np.roll(run.snapshot(3), epoch, axis=0))
    assert write_report(copies, tmp_path / "page.html").stat().st_size < 3_000_000
