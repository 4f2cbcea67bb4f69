"""The explorer of a run's generator: the page that `export --format html` writes, served.

It is made when somebody asks for it, of the newest checkpoint, and takes seconds; /explore says so
meanwhile. Nothing is fetched for it, and its own policy, which stands in it, is stricter than that
of `guard.py`: a browser holds it to both.
"""

import json
import threading
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup
from nicegui import run as threads
from nicegui import ui
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from counterfeit.data.published import NotHere, offline
from counterfeit.errors import CounterfeitError, command
from counterfeit.exports.html import explorer
from counterfeit.insight.report.words import coded
from counterfeit.language import Language, current, speaking, tr
from counterfeit.run import Run
from counterfeit.view.frame import LINKS, page, route, watched
from counterfeit.view.home import address, query
from counterfeit.view.seen import Seen, Stamp, stamp
from counterfeit.view.watch import readable

KEPT = 2
"""Pages that stay in memory for who loads them again, of about 7 MB each."""

_making = threading.Lock()
"""One page at a time, as each takes seconds of a core."""


def link(seen: Seen) -> tuple[str, str] | None:
    """To the explorer; None where there is no generator of ours to explore, or not yet."""
    if seen.run.is_custom or not seen.run.checkpoint_steps:
        return None
    return tr("Explore the generator"), f"/explore?{query(seen)}"


LINKS.append(link)


def explored(of: str, step: int | None = None) -> tuple[str, bytes]:
    """A run's explorer after `step` updates, or of its newest checkpoint: its address, and the
    page.

    Raises:
        CounterfeitError: there is no such run or checkpoint, its networks cannot be exported, or
            something that is needed is not on this machine.
    """
    watched().look()
    seen = watched().find(of)
    if seen is None or not readable(seen, "checkpoints"):
        raise CounterfeitError("There is no such run here, or it has no checkpoint.")
    path = seen.run.path
    with _making:
        step = Run.open(path).checkpoint().step if step is None else step
        made = _made(path, stamp(path / "environment.json"), step, current(), address(seen))
    return f"/explorer?{query(seen)}&step={step}", made


@lru_cache(KEPT)
def _made(path: Path, run: Stamp, step: int, language: Language, back: str) -> bytes:
    """The page; `run` tells a run from one that was there before by the same name."""
    try:
        with offline(), speaking(language):
            return explorer(Run.open(path), step, back=back).encode()
    except NotHere:
        fetching = command("counterfeit", "export", path, "--format", "html")
        raise CounterfeitError(
            "ONNX Runtime Web, which computes images in the browser, is not on this machine yet;"
            f" {fetching} fetches it once."
        ) from None


@page("/explore")
async def wait(of: str = "") -> None:
    """What is to be seen while the explorer is made, which then takes this page's place."""
    title = tr("Explore the generator")
    ui.page_title(title)
    ui.html(Markup.escape(title), tag="h1", sanitize=False)
    said = tr("The explorer is being made of the newest checkpoint, which takes some seconds …")
    status = ui.html(Markup.escape(said), tag="p", sanitize=False).props("role=status")
    await ui.context.client.connected()
    try:
        if made := await threads.io_bound(explored, of):
            ui.run_javascript(f"location.replace({json.dumps(made[0])})")
    except CounterfeitError as error:
        status.set_content(str(coded(str(error))))
        status.classes("message")


@route("/explorer")
def serve(of: str, step: int) -> Response:
    """The explorer after `step` updates."""
    try:
        return HTMLResponse(explored(of, step)[1])
    except CounterfeitError as error:
        return PlainTextResponse(f"{error}\n", 404)
