"""The first page: all runs, the newest first, and how each of them stands."""

from collections.abc import Callable
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import run as threads
from nicegui import ui

from counterfeit.insight.report.words import coded
from counterfeit.language import english, tr, translated
from counterfeit.view.frame import page, watched
from counterfeit.view.seen import Seen
from counterfeit.view.watch import PERIOD, Shelf


@page("/", english("Runs"))
async def home() -> None:
    watch = watched()
    await threads.io_bound(watch.look)
    ui.html(tr("Runs"), tag="h1", sanitize=False)
    with ui.element("form").props('action="/run" method="get"'):
        tables = [_Table(shelf) for shelf in watch.shelves]
        choose = ui.html(
            Markup('<button type="submit">{}</button>').format(tr("Look at the chosen ones")),
            sanitize=False,
        ).classes("beside")

    def show() -> None:
        for table in tables:
            table.show()
        choose.set_visibility(any(table.rows for table in tables))

    async def refresh() -> None:
        await threads.io_bound(watch.look)
        show()

    show()
    ui.timer(PERIOD, refresh)


def address(*seen: Seen) -> str:
    """Of the page about one run, or several."""
    return f"/run?{query(*seen)}"


def query(*seen: Seen) -> str:
    """Of an address, which names the runs."""
    return urlencode([("of", each.id) for each in seen])


def state(seen: Seen) -> Markup:
    """How it stands with a run's training; nothing before it was looked at."""
    if not seen.version:
        return Markup("")
    return Markup('<span class="state {}">{}</span>').format(seen.state, translated(seen.state))


def progress(seen: Seen) -> str:
    if not seen.epochs:
        return ""
    return tr("{done} of {planned}", done=f"{seen.epoch:.4g}", planned=str(seen.epochs))


class _Table:
    """The runs of a group. Rows stay while they are there, so that focus does."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.rows: dict[str, _Row] = {}
        self.order: list[str] = []
        group = shelf.group
        heading = tr("Study {name}", name=group.id) if group.study else group.id
        if not group.alone:
            ui.html(Markup.escape(heading), tag="h2", sanitize=False)
            ui.html(Markup.escape(group.path), tag="p", sanitize=False).classes("quiet path")
        self.summary = ui.html("", tag="p", sanitize=False)
        self.nothing = ui.html(
            coded(tr("No runs yet; `counterfeit train` makes one, and it appears here.")),
            tag="p",
            sanitize=False,
        ).classes("message")
        with ui.element("table").classes("found") as self.table:
            columns = (tr("choose"), tr("run"), tr("state"), tr("epoch"), tr("verdict"))
            hidden = '<th scope="col"><span class="aside">{}</span></th>'
            shown = '<th scope="col">{}</th>'
            head = "".join(
                Markup(shown if n else hidden).format(each) for n, each in enumerate(columns)
            )
            ui.html(f"<tr>{head}</tr>", tag="thead", sanitize=False)
            self.body = ui.element("tbody")

    def show(self) -> None:
        runs = self.shelf.runs
        ids = [seen.id for seen in runs]
        for id in [each for each in self.rows if each not in ids]:
            self.rows.pop(id).row.delete()
            self.order.remove(id)
        for place, seen in enumerate(runs):
            if seen.id not in self.rows:
                with self.body:
                    self.rows[seen.id] = _Row(seen)
                self.order.append(seen.id)
            if self.order[place] != seen.id:
                self.rows[seen.id].row.move(target_index=place)
                self.order.remove(seen.id)
                self.order.insert(place, seen.id)
            self.rows[seen.id].show(seen)
        progress = self.shelf.progress
        self.summary.set_content(str(coded(progress.said)) if progress else "")
        self.summary.set_visibility(progress is not None)
        self.nothing.set_visibility(not runs)
        self.table.set_visibility(bool(runs))


class _Row:
    def __init__(self, seen: Seen) -> None:
        name = seen.run.path.name
        with ui.element("tr") as self.row:
            choose = Markup(
                '<label><span class="aside">{}</span>'
                '<input type="checkbox" name="of" value="{}"></label>'
            )
            ui.html(
                choose.format(tr("choose {run}", run=name), seen.id), tag="td", sanitize=False
            ).classes("pick")
            self.name = ui.html("", tag="th", sanitize=False).props("scope=row")
            self.cells: list[tuple[ui.html, Callable[[Seen], str]]] = [
                (_cell(label), text)
                for label, text in (
                    (tr("state"), state),
                    (tr("epoch"), progress),
                    (tr("verdict"), _verdict),
                )
            ]

    def show(self, seen: Seen) -> None:
        link = Markup('<a href="{}">{}</a> <span class="quiet">{}</span>')
        self.name.set_content(link.format(address(seen), seen.run.path.name, seen.title))
        for cell, text in self.cells:
            cell.set_content(str(Markup.escape(text(seen))))


def _cell(label: str) -> ui.html:
    cell = ui.html("", tag="td", sanitize=False)
    cell.props["data-label"] = label
    return cell


def _verdict(seen: Seen) -> str:
    if seen.error:
        return Markup('<span class="said failing">{}</span>').format(seen.error)
    if seen.verdict is None:
        return ""
    said = Markup('<span class="said {}">{}</span>')
    return said.format(seen.verdict.standing, coded(seen.verdict.sentence))
