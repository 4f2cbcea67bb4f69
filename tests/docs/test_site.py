"""The documentation site, as `make docs` has built it."""

import http.server
import os
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

import counterfeit
from counterfeit import recipe
from counterfeit.insight.detectors import NAMES

SITE = Path(os.environ.get("SITE", "absent")).resolve()

of_the_site = pytest.mark.skipif("SITE" not in os.environ, reason="`make docs` runs it")


class Page(HTMLParser):
    """What a page links to and takes in, and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.links |= {value for name in ("href", "src") if (value := given.get(name))}
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}


def broken_links(site: Path) -> list[str]:
    """`page: link` for each link within the site that leads nowhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme in ("http", "https", "data", "mailto"):
                continue
            place, anchor = urldefrag(link)
            target = (path.parent / unquote(urlsplit(place).path)).resolve() if place else path
            known = pages[target].anchors if target in pages else {""}
            if not target.is_file() or unquote(anchor) not in known:
                broken.append(f"{path.relative_to(site)}: {link}")
    return sorted(broken)


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#here">, <a href="#no">, <img src="no.png">')
    (tmp_path / "b.html").write_text('<p id="here"><a href="a.html?x=1"><a href="a.html#there">')
    assert broken_links(tmp_path) == ["a.html: #no", "a.html: no.png", "b.html: a.html#there"]


@of_the_site
def test_every_link_within_the_site_leads_somewhere() -> None:
    assert broken_links(SITE) == []


@of_the_site
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("diagnosis.html", {*NAMES, "non-finite"}),
        ("recipes.html", {*recipe.names(), "training", "optimizer-sgd"}),
        ("commands.html", {"train", "diagnose", "report"}),
        ("api.html", {f"counterfeit.{name}" for name in counterfeit.__all__}),
        ("api.html", {"counterfeit.Run.sample", "counterfeit.measure.distances.fid"}),
    ],
)
def test_what_people_look_up_can_be_linked_to(page: str, names: set[str]) -> None:
    assert names <= Page((SITE / page).read_text(encoding="utf-8")).anchors


@of_the_site
def test_the_sample_is_of_a_run_that_fails_and_says_so() -> None:
    assert "sample/report.html" in Page((SITE / "index.html").read_text(encoding="utf-8")).links
    start = (SITE / "index.html").read_text(encoding="utf-8")
    assert "CRITICAL" in start
    assert "\x1b" not in start
    assert "mode collapse" in (SITE / "sample" / "report.html").read_text(encoding="utf-8").lower()


@pytest.fixture
def opened(browser: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page on a phone's screen, and what it said on the console or asked others for."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    yield page, heard
    context.close()


def others(heard: list[str], root: str) -> list[str]:
    return [each for each in heard if not each.startswith((root, "data:"))]


@of_the_site
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_quiet_asks_nobody_and_fits_a_phone(opened: Any, scheme: Any) -> None:
    page, heard = opened
    page.emulate_media(color_scheme=scheme)
    for path in sorted(SITE.glob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path.name
        assert page.eval_on_selector_all(
            "img", "all => all.every(each => each.complete && each.naturalWidth > 0)"
        ), path.name
    assert others(heard, SITE.as_uri()) == []


@of_the_site
@pytest.mark.parametrize(("scheme", "seen"), [("light", "light"), ("dark", "dark")])
def test_a_picture_is_that_of_the_theme(opened: Any, scheme: Any, seen: str) -> None:
    page, _ = opened
    page.emulate_media(color_scheme=scheme)
    page.goto((SITE / "readme.ko.html").as_uri())
    pictures = page.locator("img[src*='report-']")
    assert pictures.count() == 2
    (visible,) = (each for each in pictures.all() if each.is_visible())
    assert f"report-{seen}" in visible.get_attribute("src")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """A browser that goes on to another page hangs up."""


@pytest.fixture
def served() -> Iterator[str]:
    handler = partial(Handler, directory=SITE)
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@of_the_site
@pytest.mark.parametrize("way", ["file", "server"])
def test_search_finds_a_finding_and_a_function(opened: Any, served: str, way: str) -> None:
    page, heard = opened
    root = SITE.as_uri() if way == "file" else served
    page.set_viewport_size({"width": 1280, "height": 800})
    for words, title in (("mode collapse", "Diagnosis"), ("prdc", "counterfeit.measure.manifold")):
        page.goto(f"{root}/index.html")
        page.get_by_role("textbox", name="Search").or_(page.get_by_placeholder("Search")).fill(
            words
        )
        page.keyboard.press("Enter")
        page.locator("#search-results a", has_text=title).first.click()
        page.wait_for_url(lambda url: "search.html" not in url)
        assert words.split()[0] in page.locator("article").inner_text()
    assert others(heard, root) == []
