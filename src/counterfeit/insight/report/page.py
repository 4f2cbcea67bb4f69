"""The page: its parts put together and written."""

import math
import os
from collections.abc import Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from counterfeit import arguments
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.files import write_whole
from counterfeit.insight import verdict
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report import comparison, words
from counterfeit.insight.report.curves import SUBJECTS, Chart, Line, overlaid
from counterfeit.insight.report.frame import environment, scripted, text_of
from counterfeit.insight.report.panels import Panel, anchor, figure_panels, film_panels, marked
from counterfeit.insight.report.sections import SECTIONS, Section
from counterfeit.language import tr, translated
from counterfeit.measure.names import MetricName
from counterfeit.run import Run
from counterfeit.run.findings import Finding

Agreement = Literal["agrees", "differs", "open"]
Format = Literal["svg", "pdf"]

ROOM = 2_500_000
"""Bytes for pictures and films: a page of three runs stays under 3 MB with its texts, curves and
scripts."""

LEAST_FILM = 300_000
"""Bytes that films may take where many runs' pictures take all the room."""

SCRIPTS = ("uPlot.iife.min.js", "words.js", "plot.js", "curves.js", "player.js", "copy.js")
DRAWN = ("plot.js", "curves.js")
"""Those that a page without charts does without."""


@dataclass(frozen=True)
class Statement:
    """What a source says, beside what the runs showed."""

    text: str
    source: str
    """Where it is said, such as "section 3.2"."""
    seen: str
    agreement: Agreement
    figure: str | None = None
    """The figure that shows it: an anchor of `anchor`."""


def write_report(
    runs: Sequence[Run],
    path: StrPath | None = None,
    statements: Sequence[Statement] = (),
    formats: Sequence[Format] = (),
) -> Path:
    """Write the page about `runs`, and their figures into their directories; return its path.

    What a run does not have yet is named in its place. A run that takes no files keeps no figures;
    the page holds them all the same.

    Args:
        runs: finished or not; several stand beside each other.
        path: the page; `report.html` in the run, or in the folder that several have in common.
        statements: a source's claims and what was seen here, for a table at the top.
        formats: that the runs' figures keep charts in as well, for papers; their text stays text.

    Raises:
        UsageError: no runs, or no path.
        CounterfeitError: a run's recipe or environment is damaged, or the page or a figure in a
            format that was asked for cannot be written.
        ValueError: a statement names a figure that the page does not have.
    """
    if not runs:
        raise UsageError("a report needs at least one run.")
    with ExitStack() as reading:
        for run in runs:
            reading.enter_context(run.still())
        page = _page(runs, statements, formats)
    target = default_page(runs) if path is None else arguments.path("path", path)
    write_whole(target, page.encode(errors="replace"))
    return target


def _page(runs: Sequence[Run], statements: Sequence[Statement], formats: Sequence[Format]) -> str:
    """Its text, the runs' figures having been written into their directories."""
    headings = comparison.headings_of(runs)
    findings = [diagnose(run) for run in runs]
    names = comparison.short_names(runs, headings)
    shown = {
        section: figure_panels(section, runs, headings, findings, formats)
        for section in SECTIONS
        if section.name != "film"
    }
    taken = sum(len(panel.source) for panels in shown.values() for panel in panels)
    reels = film_panels(runs, headings, limit=max(LEAST_FILM, (ROOM - taken) * 3 // 4))
    sections = [
        (section, panels)
        for section in SECTIONS
        if (panels := reels if section.name == "film" else shown[section])
    ]
    figures = _figure_names(sections, names)
    there = {section.name for section, panels in sections if panels}
    drawings = _drawings(there, runs, names, findings)
    for statement in statements:
        if statement.figure is not None and statement.figure not in figures:
            raise ValueError(f"the report has no figure '{statement.figure}'")
    templates = environment("templates", "uplot")
    templates.filters["legend"] = _legend
    (opening, samples), *sections = sections
    scripts = [name for name in SCRIPTS if drawings or name not in DRAWN]
    columns, measured = comparison.metrics(runs, names)
    shares = [row for row in measured if MetricName.parse(row[0]).of_class is not None]
    return templates.get_template("report.html").render(
        title=headings[0]
        if len(runs) == 1
        else tr("{count} runs side by side", count=str(len(runs))),
        verdicts=[verdict.judge(run, found) for run, found in zip(runs, findings, strict=True)],
        statements=statements,
        samples=samples,
        samples_caption=translated(opening.caption),
        sections=sections,
        figures=figures,
        curves=drawings,
        drawn=[drawing.chart.as_json() for group in drawings.values() for drawing in group],
        moved={
            panel.anchor
            for section, panels in sections
            if section.name in drawings
            for panel in panels
        },
        section_notes={section.name: _notes(panels, names) for section, panels in sections},
        chart_style=text_of(templates, "uPlot.min.css"),
        **scripted(templates, scripts),
        film_epochs=sorted({epoch for panel in reels for epoch in panel.epochs}),
        findings=[
            [shown_finding(finding, n, figures) for finding in found]
            for n, found in enumerate(findings, 1)
        ],
        headings=headings,
        names=names,
        headers=[comparison.header(run) for run in runs],
        numbers=comparison.side_by_side([comparison.facts(run) for run in runs]),
        glance=comparison.glance(runs, names, findings),
        metrics=(columns, [row for row in measured if row not in shares]),
        shares=shares,
        left_out=comparison.left_out(runs, names),
        differences=comparison.differences(runs),
        recipes=[run.recipe.to_toml() for run in runs],
        environments=comparison.environments(runs),
        commands=list(filter(None, map(comparison.rerun_command, runs))),
    )


@dataclass(frozen=True)
class Drawing:
    """A chart that the browser draws, and its place on the page."""

    number: int
    chart: Chart
    start: float
    """Of its epochs."""
    end: float


def _drawings(
    sections: Container[str],
    runs: Sequence[Run],
    names: Sequence[str],
    findings: Sequence[Sequence[Finding]],
) -> dict[str, list[Drawing]]:
    """The charts of each of the page's sections that has some, numbered through."""
    drawings: dict[str, list[Drawing]] = {}
    number = 0
    for subject in filter(sections.__contains__, SUBJECTS):
        chosen = [marked(subject, found) for found in findings]
        for chart in overlaid(subject, runs, names, chosen):
            epochs = [epoch for line in chart.lines for epoch in line.x]
            drawing = Drawing(number, chart, min(epochs), max(epochs))
            drawings.setdefault(subject, []).append(drawing)
            number += 1
    return drawings


def _legend(drawings: Sequence[Drawing]) -> list[Line]:
    """A line for each entry of a section's legend."""
    lines = [line for drawing in drawings for line in drawing.chart.lines]
    return list({line.key: line for line in reversed(lines)}.values())[::-1]


def _notes(panels: Sequence[Panel], names: Sequence[str]) -> list[str]:
    """What must be known of the runs to read their charts; what holds for all, once."""
    notes: dict[str, list[str]] = {}
    for panel in panels:
        if panel.note:
            notes.setdefault(panel.note, []).append(names[panel.number - 1])
    if len(notes) <= 1:
        return list(notes)
    return [f"{', '.join(of)}: {note}" for note, of in notes.items()]


def default_page(runs: Sequence[Run]) -> Path:
    """Where the page about them is written: in the run, or in the folder they have in common."""
    if len(runs) == 1:
        return runs[0].path / "report.html"
    return Path(os.path.commonpath([run.path.resolve().parent for run in runs])) / "report.html"


def _figure_names(
    sections: Sequence[tuple[Section, list[Panel]]], names: Sequence[str]
) -> dict[str, str]:
    """What a link to each figure says, by its anchor: its section, and its run of several."""
    return {
        anchor(section.name, n): translated(section.title)
        if len(names) == 1
        else tr("{figure} of {name}", figure=translated(section.title), name=name)
        for section, panels in sections
        for n, name in enumerate(names, 1)
        if anchor(section.name, n) in {panel.anchor for panel in panels}
    }


def shown_finding(finding: Finding, number: int, figures: Container[str]) -> dict[str, Any]:
    """A finding as the page words it, with the figure that shows it when the page has that."""
    evidence = {key: value for key, value in finding.evidence.items() if key != "figure"}
    figure = anchor(str(finding.evidence.get("figure", "")), number)
    return {
        "severity": finding.severity,
        "title": translated(finding.title).capitalize(),
        "span": translated(finding.span),
        "epoch": math.ceil(finding.first_epoch),
        "evidence": [
            (
                words.worded(key).replace("_", " "),
                f"{value:.3g}" if isinstance(value, float) else value,
                translated(words.EVIDENCE.get(key, "")),
            )
            for key, value in evidence.items()
        ],
        "meaning": translated(finding.meaning),
        "advice": translated(finding.advice),
        "source": translated(finding.source),
        "figure": figure if figure in figures else None,
    }
