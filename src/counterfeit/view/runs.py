"""The page about one run, or about several beside each other."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from nicegui import run as threads
from nicegui import ui

from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.grids import COLUMNS
from counterfeit.insight.report import comparison
from counterfeit.insight.report.curves import colour
from counterfeit.insight.report.page import shown_finding
from counterfeit.language import tr
from counterfeit.run import SNAPSHOT_IMAGES, Run
from counterfeit.view import balance
from counterfeit.view.answers import Runs, found, names_of
from counterfeit.view.frame import LINKS, TEMPLATES, environment, page, watched
from counterfeit.view.home import query, state
from counterfeit.view.seen import Seen
from counterfeit.view.watch import PERIOD


class Charts(ui.element, component=TEMPLATES / "charts.js"):
    """Charts over epochs, which fetch their lines when `version` changes."""


class Film(ui.element, component=TEMPLATES / "film.js"):
    """The fixed latents' images, epoch by epoch."""


PARTS = ("standing", "others", "film", "findings", "charts", "measured", "recipes")
"""Of the page, in order. Those of `run.html` are sent when they have changed, each alone, so that
what somebody is about to operate stays."""


@page("/run")
async def show(of: Runs) -> None:
    of = list(dict.fromkeys(of))
    await threads.io_bound(watched().look)
    if not of:
        _nothing(tr("No run is chosen"), tr("Tick one or more in the list."))
        return
    if len(found(of)) < len(of):
        _nothing(tr("There is no such run here"), tr("It may have been moved or removed."))
        return
    drawn = _Drawn(of)
    await threads.io_bound(drawn.read)
    drawn.make()
    ui.timer(PERIOD, drawn.refresh)


def _nothing(title: str, why: str) -> None:
    """What stands in place of runs."""
    ui.html(Markup.escape(title), tag="h1", sanitize=False)
    ui.html(
        Markup('<p>{} <a href="/">{}</a></p>').format(why, tr("All runs")),
        sanitize=False,
    )


class _Drawn:
    """What the page shows now, and its elements."""

    def __init__(self, of: Sequence[str]) -> None:
        self.of = list(of)
        self.version = ""
        self.texts: dict[str, str] = {}
        self.title = ""
        self.films: list[dict[str, Any]] = []

    def read(self) -> bool:
        """Read what the page shows; whether it is all there. In a thread, as it takes a while."""
        watch = watched()
        watch.look()
        chosen = found(self.of)
        if len(chosen) < len(self.of):
            return False
        with watch.reading(chosen):
            version = ".".join(f"{seen.version}" for seen in chosen)
            if version == self.version:
                return True
            self.version = version
            try:
                self.title, self.texts = _texts(chosen)
                self.films = [_film(n, seen, chosen) for n, seen in enumerate(chosen, 1)]
            except (CounterfeitError, OSError) as error:  # it vanishes, or a file is damaged
                self.texts["standing"] = Markup('<p class="message">{}</p>').format(error)
        return True

    def make(self) -> None:
        ui.page_title(self.title)
        self.gone = ui.html("", tag="p", sanitize=False).props("role=status").classes("message")
        self.gone.set_visibility(False)
        self.parts: dict[str, ui.html] = {}
        for name in PARTS:
            if name == "film":
                self.film = Film()
            elif name == "charts":
                self.charts = Charts()
                self.charts.props["source"] = "/charts?" + query(*found(self.of))
            else:
                self.parts[name] = ui.html("", sanitize=False)
        self.show()

    def show(self) -> None:
        for name, part in self.parts.items():
            part.set_content(self.texts.get(name, ""))
        if self.film.props.get("runs") != self.films:
            self.film.props["runs"] = self.films
        if self.charts.props.get("version") != self.version:
            self.charts.props["version"] = self.version

    async def refresh(self) -> None:
        is_there = await threads.io_bound(self.read)
        text = tr("The run's directory is gone; this is what was last seen of it.")
        self.gone.set_content("" if is_there else str(Markup.escape(text)))
        self.gone.set_visibility(not is_there)
        self.show()


def _texts(chosen: Sequence[Seen]) -> tuple[str, dict[str, str]]:
    """The title, and the page's parts as HTML."""
    runs = [seen.run for seen in chosen]
    headings = comparison.headings_of(runs)
    names = comparison.short_names(runs, headings)
    title = headings[0] if len(runs) == 1 else tr("{count} runs side by side", count=str(len(runs)))
    others = [seen for shelf in watched().shelves for seen in shelf.runs if seen not in chosen]
    columns, measured = comparison.metrics(runs, names)
    values = {
        "title": title,
        "headings": headings,
        "names": names,
        "chosen": chosen,
        "others": others,
        "state": state,
        "facts": [_facts(run) for run in runs],
        "links": [[link for each in LINKS if (link := each(seen))] for seen in chosen],
        "glance": comparison.glance(runs, names, [seen.findings for seen in chosen]),
        "findings": [
            [shown_finding(finding, n, ()) for finding in seen.findings]
            for n, seen in enumerate(chosen, 1)
        ],
        "differences": comparison.differences(runs),
        "balances": [balance.measured(run) for run in runs],
        "metrics": (columns, measured),
        "recipes": [run.recipe.to_toml() for run in runs],
        "thinned": [seen.run.log_tail.is_thinned for seen in chosen],
        "totals": [f"{seen.run.log_tail.total:,}" for seen in chosen],
    }
    template = environment().get_template("run.html")
    return title, {
        name: template.render(part=name, **values)
        for name in PARTS
        if name not in ("film", "charts")
    }


def _facts(run: Run) -> dict[str, str]:
    """What it is and how far it came."""
    told = comparison.facts(run)
    keys = (tr("recipe"), tr("seed"), tr("data"), tr("epochs"), tr("updates of G"))
    return {key: told[key] for key in keys if key in told}


def _film(number: int, seen: Seen, chosen: Sequence[Seen]) -> dict[str, Any]:
    """A run's fixed latents, as `film.js` takes them."""
    height, width = seen.run.image_shape[1:]
    return {
        "id": seen.id,
        "name": names_of(list(chosen))[number - 1],
        "colour": colour(number),
        "source": "/frames?" + query(seen),
        "alt": tr("the images of the 100 fixed latents"),
        "width": COLUMNS * width,
        "height": SNAPSHOT_IMAGES // COLUMNS * height,
        "epochs": seen.run.snapshot_epochs,
        "balance": balance.of_latents(seen.run),
    }
