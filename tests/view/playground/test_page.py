"""The playground in a browser, as a person uses it."""

import itertools
from collections.abc import Callable

import pytest
from playground_tab import Tab

Open = Callable[..., Tab]


def test_it_steps_runs_pauses_and_begins_anew(open_tab: Open) -> None:
    tab = open_tab()
    at_first = tab.pixels(".views canvas")
    tab.press("Step")
    tab.wait_for_updates("n === 1")
    tab.press("Run")
    tab.wait_for_updates("n > 20")
    tab.press("Pause")
    tab.wait_until_still()
    assert tab.pixels(".views canvas") != at_first
    tab.press("Begin anew")
    tab.wait_for_updates("n === 0")
    assert tab.pixels(".views canvas") == at_first


def test_another_loss_and_penalty_are_another_game_with_their_formulas(open_tab: Open) -> None:
    tab = open_tab()
    assert "−E[log D(G(z))]" in tab.page.locator("dl").inner_text()
    tab.press("Step")
    tab.wait_for_updates("n === 1")
    tab.choose("Loss", "wasserstein")
    tab.wait_for_updates("n === 0")
    tab.choose("Penalty on D", "gradient")
    tab.wait_for_words(".keys", "f*(x)")
    tab.wait_for_words("dl", "E[f(G(z))] − E[f(x)]", "(|∇f(x̂)| − 1)²")
    tab.press("Step")
    tab.wait_for_updates("n === 1")


def test_in_the_plane_d_and_its_optimum_stand_side_by_side(open_tab: Open) -> None:
    tab = open_tab()
    tab.choose("Distribution", "ring")
    canvases = tab.page.locator(".views canvas")
    canvases.nth(1).wait_for()
    left, right = (canvases.nth(at).bounding_box() for at in range(2))
    assert left["y"] == right["y"]
    assert left["width"] == left["height"] == right["width"]
    tab.wait_for_words(".told", "of 8 modes")
    tab.page.wait_for_function(
        """() => new Set(document.querySelectorAll(".views canvas")[1].getContext("2d")
        .getImageData(0, 0, 400, 400).data).size > 20"""
    )


def test_a_sketch_by_mouse_is_played(open_tab: Open) -> None:
    tab = open_tab()
    tab.choose("Distribution", "sketch-2")
    sketch = tab.page.get_by_role("application", name="Your distribution")
    sketch.wait_for()
    tab.press("Clear")
    empty = tab.pixels(".sketching canvas")
    box = sketch.bounding_box()
    tab.page.mouse.move(box["x"] + 40, box["y"] + 40)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    tab.page.mouse.up()
    assert tab.pixels(".sketching canvas") != empty
    tab.page.get_by_role("button", name="Step", exact=True).and_(
        tab.page.locator(":enabled")
    ).click()
    tab.wait_for_updates("n === 1")


def test_a_sketch_by_keyboard_is_played(open_tab: Open) -> None:
    tab = open_tab()
    tab.choose("Distribution", "sketch-1")
    tab.press("Clear")
    before = tab.pixels(".views canvas")
    tab.page.get_by_role("application", name="Your distribution").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        tab.page.keyboard.press(key)
    tab.page.wait_for_function(
        "before => document.querySelector('.views canvas').toDataURL() !== before", arg=before
    )


def test_an_empty_sketch_and_an_impossible_rate_say_so(open_tab: Open) -> None:
    tab = open_tab()
    tab.choose("Distribution", "sketch-1")
    tab.press("Clear")
    tab.press("Begin anew")
    assert "weight" in tab.page.get_by_role("alert").inner_text()
    tab.choose("Distribution", "two")
    tab.page.get_by_role("alert").wait_for(state="detached")
    rate = tab.page.get_by_label("Learning rate of D")
    rate.fill("-1")
    rate.press("Enter")
    assert "d_rate" in tab.page.get_by_role("alert").inner_text()


def test_a_game_that_diverges_stops_and_is_diagnosed(open_tab: Open) -> None:
    tab = open_tab()
    tab.choose("Loss", "wasserstein")
    tab.choose("Optimiser", "sgd")
    rate = tab.page.get_by_label("Learning rate of D")
    rate.fill("10")
    rate.press("Enter")
    tab.choose("Updates per second", "500")
    tab.press("Run")
    tab.page.get_by_role("heading", name="critical").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("distribution", ["two", "ring", "sketch-2"])
def test_axe_finds_nothing(open_tab: Open, scheme: str, distribution: str) -> None:
    tab = open_tab(color_scheme=scheme)
    if distribution != "two":
        tab.choose("Distribution", distribution)
        tab.page.locator(".views canvas").nth(1).wait_for()
    assert tab.violations == []


def test_nothing_is_wider_than_a_phone_and_headings_are_in_order(open_tab: Open) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740})
    tab.choose("Distribution", "sketch-2")
    tab.choose("Loss", "hinge")  # of the longest formulas
    tab.choose("Penalty on D", "r1+r2")
    tab.page.locator(".views canvas").nth(1).wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 360
    levels = tab.page.eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.map(each => Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_it_speaks_korean(open_tab: Open) -> None:
    tab = open_tab("ko")
    assert tab.page.get_by_role("heading", level=1).inner_text() == "이론을 눈으로 보기"
    assert "젠슨-섀넌" in tab.page.locator(".told").inner_text()
    assert tab.violations == []


def test_it_is_in_the_navigation(open_tab: Open) -> None:
    tab = open_tab()
    tab.page.get_by_role("link", name="Runs", exact=True).click()
    tab.page.get_by_role("link", name="Playground").click()
    tab.page.locator(".told li").first.wait_for()
