"""Looking at a page in a browser."""

from pathlib import Path
from typing import Any


def look(browser: Any, report: Path, width: int, height: int, **how: Any) -> Any:
    page = browser.new_context(viewport={"width": width, "height": height}, **how).new_page()
    page.goto(report.as_uri())
    return page


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    return page.eval_on_selector_all(
        selector, "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
