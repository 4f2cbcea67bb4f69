"""One run's figures as the page holds them: data URIs with their sizes, or why there is none."""

import base64
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure
from PIL import Image

from counterfeit.errors import CannotWrite, CounterfeitError
from counterfeit.files import write_whole
from counterfeit.insight import charts
from counterfeit.insight.charts.axes import Span, common_scale, rescale
from counterfeit.insight.charts.grids import COLUMNS, cell_scale
from counterfeit.insight.charts.metrics import has_metric_curves
from counterfeit.insight.charts.save import save
from counterfeit.insight.report.comparison import on_one_data_set
from counterfeit.insight.report.film import films
from counterfeit.insight.report.sections import Kind, Section, d_units, note
from counterfeit.language import tr, translated
from counterfeit.run import SNAPSHOT_IMAGES, Run
from counterfeit.run.findings import Finding


@dataclass(frozen=True)
class Panel:
    """One run's figure, or the reason why there is none."""

    number: int
    """Of the run, from 1."""
    anchor: str
    heading: str
    kind: Kind
    note: str = ""
    alt: str = ""
    source: str = ""
    """A data URI."""
    width: int = 0
    height: int = 0
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


def film_panels(runs: Sequence[Run], headings: Sequence[str], limit: int) -> list[Panel]:
    """The film of each run; the animation of it becomes a file among the run's figures.

    Args:
        limit: bytes of all films together.
    """
    panels = []
    for number, (run, reel) in enumerate(zip(runs, films(runs, limit), strict=True), 1):
        place, heading = anchor("film", number), headings[number - 1]
        if reel.missing:
            panels.append(Panel(number, place, heading, "film", missing=translated(reel.missing)))
            continue
        _draw(run, "animation")
        height, width = run.image_shape[1:]
        panels.append(
            Panel(
                number,
                place,
                heading,
                "film",
                alt=f"{heading}: {tr('the images of the 100 fixed latents')}",
                width=COLUMNS * width,
                height=SNAPSHOT_IMAGES // COLUMNS * height,
                epochs=reel.epochs,
                frames=reel.sources,
            )
        )
    return panels


def figure_panels(
    section: Section,
    runs: Sequence[Run],
    headings: Sequence[str],
    found: Sequence[list[Finding]],
    formats: Sequence[str] = (),
) -> list[Panel]:
    """The section's figure of each run that it shows; charts of several are on the same scale.

    Args:
        formats: that a run's figures keep charts in, beside PNG (see `charts.save.VECTORS`).
    """
    shown = runs_with(section, runs)
    scale: list[Span] | None = None
    if section.name in charts.CHARTS and len(shown) > 1:
        figures = []
        for n, run in shown:
            with suppress(CounterfeitError):  # said in its place
                figures.append(charts.CHARTS[section.name](run, marked(section.name, found[n - 1])))
        scale = common_scale(figures) if figures else None
    return [
        _figure_panel(section, run, n, headings[n - 1], found[n - 1], scale, formats)
        for n, run in shown
    ]


def _figure_panel(
    section: Section,
    run: Run,
    number: int,
    heading: str,
    findings: Sequence[Finding],
    heights: Sequence[Span] | None,
    formats: Sequence[str],
) -> Panel:
    spec = run.recipe
    place = anchor(section.name, number)
    templates = section.name == "maxout" and d_units(spec) == "maxout"
    kind: Kind = "pixels" if templates else section.kind
    try:
        content = _draw(run, section.name, marked(section.name, findings), heights, formats)
        caption = note(section.name, run)
    except CounterfeitError as error:
        if formats and isinstance(error, CannotWrite):  # what was asked for cannot be kept
            raise
        return Panel(number, place, heading, kind, missing=translated(str(error)))
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
        encoded = base64.b64encode(compact(picture, kind)).decode()
    if kind == "pixels":  # the size at which a pixel of an image is a pixel of the page
        scale = cell_scale(*run.image_shape[1:])
        width, height = width // scale, height // scale
    else:
        width, height = width // 2, height // 2  # drawn finely, for dense screens
    return Panel(
        number,
        place,
        heading,
        kind,
        caption,
        alt=f"{heading}: {translated(section.alt)}.",
        source=f"data:image/webp;base64,{encoded}",
        width=width,
        height=height,
    )


def _draw(
    run: Run,
    name: str,
    findings: Sequence[Finding] = (),
    scale: Sequence[Span] | None = None,
    formats: Sequence[str] = (),
) -> bytes:
    """The content of a figure's file.

    The run keeps it too, where it can be written; charts also in the formats that are asked for.

    Raises:
        CannotWrite: such a file cannot be written.
        CounterfeitError: the run has not what the figure takes.
    """
    kept = run.path / "figures"
    with suppress(OSError):
        kept.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        if name in charts.DRAWINGS:
            path = Path(folder) / f"{name}.png"
            picture = charts.DRAWINGS[name](run, findings)
            if scale is not None and isinstance(picture, Figure):
                rescale(picture, scale)
            save(picture, path)
            for suffix in formats if isinstance(picture, Figure) else ():
                save(picture, kept / f"{name}.{suffix}")
        else:
            path = charts.write(run, name, findings, folder=Path(folder))
        content = path.read_bytes()
    with suppress(CannotWrite):
        write_whole(kept / path.name, content)
    return content


def compact(picture: Image.Image, kind: Kind) -> bytes:
    """A picture for the page, as a WebP file, in less than half of what PNG takes.

    Grids of images are exact; charts have 128 colours, as many as the eye tells apart in them.
    """
    if kind == "chart":
        picture = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", lossless=True, quality=60, method=4)
    return buffer.getvalue()


def marked(figure: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings to mark in a figure: all in the losses, elsewhere those that it shows."""
    return [each for each in findings if figure in ("losses", each.evidence.get("figure"))]
