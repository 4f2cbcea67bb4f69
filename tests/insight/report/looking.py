"""Looking at a page in a browser."""

from pathlib import Path
from typing import Any


def look(browser: Any, report: Path, width: int, height: int, **how: Any) -> Any:
    page = browser.new_context(viewport={"width": width, "height": height}, **how).new_page()
    page.goto(report.as_uri())
    return page


def stand_still(page: Any) -> None:
    """Let no time pass on the page but by `page.clock.run_for`: what is shown for a moment is there
    until it is looked for, however busy the machine is."""
    page.clock.install(time=0)
    page.clock.pause_at(1)


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    return page.eval_on_selector_all(
        selector, "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
