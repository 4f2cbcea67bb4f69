"""One run's figures as the page holds them: data URIs with their sizes, or why there is none."""

import base64
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from counterfeit.errors import CannotWrite, CounterfeitError
from counterfeit.files import write_whole
from counterfeit.insight import charts
from counterfeit.insight.charts.axes import Span, Window, common_scale, rescale, windows
from counterfeit.insight.charts.grids import COLUMNS, cell_scale
from counterfeit.insight.charts.metrics import has_metric_curves
from counterfeit.insight.charts.save import save
from counterfeit.insight.report.comparison import on_one_data_set
from counterfeit.insight.report.film import films
from counterfeit.insight.report.sections import Kind, Section, d_units, note
from counterfeit.run import SNAPSHOT_IMAGES, Run
from counterfeit.run.findings import Finding


@dataclass(frozen=True)
class Panel:
    """One run's figure, or the reason why there is none."""

    anchor: str
    heading: str
    kind: Kind
    note: str = ""
    alt: str = ""
    source: str = ""
    """A data URI."""
    width: int = 0
    height: int = 0
    windows: Sequence[Mapping[str, Any]] = ()
    """Of a chart over epochs: where they lie, and their lines (see `charts.axes.Window`)."""
    missing: str = ""
    epochs: Sequence[int] = ()
    """Of a film."""
    frames: Sequence[str] = ()
    """Data URIs of a film's images after these epochs."""


def anchor(figure: str, number: int = 1) -> str:
    """The anchor of a figure (see `charts.FIGURES`) of the report's run number 1, 2, …"""
    return f"{figure}-{number}"


def runs_with(section: Section, runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """The runs, numbered from 1, that the section shows; data that all share, once."""
    chosen = [(n, run) for n, run in enumerate(runs, 1) if section.applies(run.recipe)]
    if section.name == "metrics":
        return [(n, run) for n, run in chosen if has_metric_curves(run)]
    return chosen[:1] if section.name == "preview" and on_one_data_set(runs) else chosen


def film_panels(runs: Sequence[Run], headings: Sequence[str]) -> list[Panel]:
    """The film of each run; the animation of it becomes a file among the run's figures."""
    panels = []
    for index, (run, reel) in enumerate(zip(runs, films(runs), strict=True)):
        place, heading = anchor("film", index + 1), headings[index]
        if reel.missing:
            panels.append(Panel(place, heading, "film", missing=reel.missing))
            continue
        _draw(run, "animation")
        height, width = run.image_shape[1:]
        panels.append(
            Panel(
                place,
                heading,
                "film",
                alt=f"{heading}: the images of the 100 fixed latents",
                width=COLUMNS * width,
                height=SNAPSHOT_IMAGES // COLUMNS * height,
                epochs=reel.epochs,
                frames=reel.sources,
            )
        )
    return panels


def figure_panels(
    section: Section, runs: Sequence[Run], headings: Sequence[str], found: Sequence[list[Finding]]
) -> list[Panel]:
    """The section's figure of each run that it shows; charts of several are on the same scale."""
    shown = runs_with(section, runs)
    scale: list[Span] | None = None
    if section.name in charts.CHARTS and len(shown) > 1:
        figures = []
        for n, run in shown:
            with suppress(CounterfeitError):  # said in its place
                figures.append(
                    charts.CHARTS[section.name](run, _marked(section.name, found[n - 1]))
                )
        scale = common_scale(figures) if figures else None
    return [
        _figure_panel(section, run, n, headings[n - 1], found[n - 1], scale) for n, run in shown
    ]


def _figure_panel(
    section: Section,
    run: Run,
    number: int,
    heading: str,
    findings: Sequence[Finding],
    heights: Sequence[Span] | None,
) -> Panel:
    spec = run.recipe
    place = anchor(section.name, number)
    templates = section.name == "maxout" and d_units(spec) == "maxout"
    kind: Kind = "pixels" if templates else section.kind
    try:
        suffix, content, places = _draw(run, section.name, _marked(section.name, findings), heights)
        caption = note(section.name, run)
    except CounterfeitError as error:
        return Panel(place, heading, kind, missing=str(error))
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    if kind == "pixels":  # the size at which a pixel of an image is a pixel of the page
        scale = cell_scale(*run.image_shape[1:])
        width, height = width // scale, height // scale
    elif suffix == "png":
        width, height = width // 2, height // 2  # drawn finely, for dense screens
    encoded = base64.b64encode(content).decode()
    return Panel(
        place,
        heading,
        kind,
        caption,
        alt=f"{heading}: {section.alt}.",
        source=f"data:image/{suffix};base64,{encoded}",
        width=width,
        height=height,
        windows=[asdict(place) for place in places],
    )


def _draw(
    run: Run, name: str, findings: Sequence[Finding] = (), scale: Sequence[Span] | None = None
) -> tuple[str, bytes, list[Window]]:
    """A figure's format and content, and where its charts over epochs lie in it.

    The run keeps it too, where it can be written.

    Raises:
        CounterfeitError: the run has not what the figure takes.
    """
    with TemporaryDirectory() as folder:
        places: list[Window] = []
        if name in charts.CHARTS:
            path = Path(folder) / f"{name}.png"
            figure = charts.CHARTS[name](run, findings)
            if scale is not None:
                rescale(figure, scale)
            save(figure, path)
            places = windows(figure) if name in charts.TIMELINES else []
        else:
            path = charts.write(run, name, findings, folder=Path(folder))
        content = path.read_bytes()
    kept = run.path / "figures"
    with suppress(OSError, CannotWrite):
        kept.mkdir(exist_ok=True)
        write_whole(kept / path.name, content)
    return path.suffix[1:], content, places


def _marked(figure: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings to mark in a figure: all in the losses, elsewhere those that it shows."""
    return [each for each in findings if figure in ("losses", each.evidence.get("figure"))]
