"""What pages fetch: the charts of runs, and the images of their fixed latents."""

import json
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from counterfeit.errors import CounterfeitError
from counterfeit.insight.report import comparison
from counterfeit.insight.report.curves import SUBJECTS, Chart, overlaid
from counterfeit.insight.report.film import frame
from counterfeit.insight.report.panels import marked
from counterfeit.insight.report.sections import SECTIONS
from counterfeit.language import tr, translated
from counterfeit.view.frame import route, watched
from counterfeit.view.seen import Seen, stamp
from counterfeit.view.watch import readable

Runs = Annotated[list[str], Query(default_factory=list)]
"""Ids, as often as there are runs; none where nothing was chosen."""


def found(of: list[str]) -> list[Seen]:
    """The runs of these ids, as far as they are there."""
    return [seen for id in of if (seen := watched().find(id)) is not None]


def names_of(chosen: list[Seen]) -> list[str]:
    """What tells the runs apart, shortly."""
    runs = [seen.run for seen in chosen]
    return comparison.short_names(runs, comparison.headings_of(runs))


@route("/charts")
def charts(of: Runs) -> Response:
    """The sections of charts of the runs, with what their reader needs, as JSON."""
    with watched().reading(chosen := found(of)):
        try:
            sections = [_section(name, chosen) for name in SUBJECTS]
        except CounterfeitError as error:
            return PlainTextResponse(str(error), 409)
    content = json.dumps([section for section in sections if section["charts"]])
    return Response(content, media_type="application/json")


def _section(name: str, chosen: list[Seen]) -> dict[str, Any]:
    section = next(each for each in SECTIONS if each.name == name)
    applying = [seen for seen in chosen if section.applies(seen.run.recipe)]
    drawn: list[Chart] = []
    if applying:
        of = [chosen.index(seen) for seen in applying]
        drawn = overlaid(
            name,
            [seen.run for seen in chosen],
            names_of(chosen),
            [marked(name, seen.findings) if n in of else [] for n, seen in enumerate(chosen)],
        )
    lines = [line for chart in drawn for line in chart.lines]
    legend = {line.key: line for line in lines}
    return {
        "name": name,
        "title": (title := translated(section.title)),
        "caption": translated(section.caption),
        "lines": tr("Lines of {figure}", figure=title),
        "legend": [
            {"key": line.key, "name": line.name, "colour": line.colour} for line in legend.values()
        ],
        "charts": [
            chart.as_json()
            | {"protocol": chart.protocol, "label": tr("{chart}: epoch", chart=chart.title)}
            for chart in drawn
        ],
    }


@route("/frames")
def frames(of: str, epoch: int, request: Request) -> Response:
    """The images of a run's fixed latents after that epoch, as WebP."""
    seen = watched().find(of)
    if seen is None or not readable(seen, "snapshots"):
        return Response(status_code=404)
    tag = f'"{stamp(seen.run.path / "snapshots" / f"epoch-{epoch:04d}.npz")}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    with suppress(CounterfeitError):
        content = frame(seen.run.snapshot(epoch))
        return Response(content, media_type="image/webp", headers=headers)
    return Response(status_code=404)
