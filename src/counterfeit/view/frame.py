"""The frame of all pages, and where pages, routes and links are entered; the package says how."""

import html
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any

from jinja2 import Environment
from nicegui import ui
from starlette.responses import Response

from counterfeit.insight.report import frame as report
from counterfeit.language import current, texts_in, tr, translated
from counterfeit.view.seen import Seen
from counterfeit.view.watch import Watch

TEMPLATES = Path(__file__).parent / "templates"

SCRIPTS = ("uPlot.iife.min.js", "words.js", "plot.js")
"""Of the report, which the components of pages use."""

COMPONENTS = ("charts.js", "film.js", "playground.js")
"""NiceGUI's, of pages here; their texts are said by `tr` as well."""

BUILD_SECONDS = 60.0
"""How long a page may take to make: of a long log, and on a busy machine. After NiceGUI's own 3 an
error would come in its place; after 60 it forgets who asked."""

Link = Callable[[Seen], tuple[str, str] | None]
LINKS: list[Link] = []
"""From a run's page to other pages about it."""


@dataclass(frozen=True)
class Entry:
    """Of the navigation."""

    path: str
    title: str
    """In English."""


NAVIGATION: list[Entry] = []
ROUTES: dict[str, Callable[..., Response]] = {}

_watched: list[Watch] = []


def watched() -> Watch:
    """All runs that may be looked at."""
    return _watched[-1]


def use(watch: Watch) -> None:
    """Have pages look at it."""
    _watched[:] = [watch]


def page(path: str, title: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function's elements the page at `path`.

    Args:
        title: in English, of its entry in the navigation.
    """

    def entered(build: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(build)
        async def framed(*values: object, **named: object) -> None:
            with _frame(path):
                built = build(*values, **named)
                if isinstance(built, Awaitable):
                    await built

        if title is not None:
            NAVIGATION.append(Entry(path, title))
        ui.page(path, response_timeout=BUILD_SECONDS)(framed)
        return build

    return entered


def route(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Have a function answer GET requests at `path`; its arguments are the query's."""

    def entered(answer: Callable[..., Response]) -> Callable[..., Response]:
        ROUTES[path] = answer
        return answer

    return entered


def _frame(path: str) -> ui.element:
    """Header and navigation; the element that a page's own are put into."""
    ui.add_head_html(_head())
    ui.page_title("counterfeit")
    with ui.element("header").classes("top"):
        ui.html(
            f'<a class="skip" href="#main">{html.escape(tr("Skip to the contents"))}</a>',
            sanitize=False,
        )
        with ui.element("nav").props(f'aria-label="{html.escape(tr("Pages"))}"'):
            for entry in NAVIGATION:
                link = ui.link(translated(entry.title), entry.path)
                if entry.path == path:
                    link.props("aria-current=page")
    return ui.element("div").props("id=main tabindex=-1")  # within a <main> of NiceGUI's


@cache
def environment() -> Environment:
    """Templates of pages, and those of the report."""
    return report.environment("templates", "../insight/report/uplot", package="counterfeit.view")


@cache
def script() -> str:
    """What the components use."""
    uplot = report.environment("uplot")
    return "\n".join(report.text_of(uplot, name) for name in SCRIPTS)


def _head() -> str:
    """Style and script; the words that the script says."""
    style = environment().get_template("view.css").render(headings=["", ""])
    said = script() + "".join((TEMPLATES / name).read_text() for name in COMPONENTS)
    words = json.dumps(texts_in(said)).replace("<", "\\u003c")
    return (
        f"<style>{style}</style>"
        f'<script type="application/json" id="words">{words}</script>'
        f'<script src="/script.js?{current()}"></script>'
    )


@route("/script.js")
def _script() -> Response:
    return Response(script(), media_type="text/javascript")
