"""What charts have in common: colours, sizes, epochs below, findings above, labels at the right."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from counterfeit.run.findings import Finding

# Blue and vermilion of Okabe and Ito's palette, which colour-blind readers can tell apart.


D_COLOUR = "#0072B2"
G_COLOUR = "#D55E00"
FAINT = "#767676"
DASHED = (0, (4, 2.5))

SEVERITY_COLOURS = {"critical": "#B3261E", "warning": "#B26A00", "note": "#5C5C57"}
RIBBON = 0.27
"""Inches that a finding's bar takes above a chart."""
MARKED = 6
"""Findings marked in one chart; the most severe."""

CHART_WIDTH = 5.0
"""Inches: 12-point text stays legible when a page shows the chart 330 pixels wide."""
CHART_DPI = 200


LEAD = 14
"""Points from a line's end to its label."""

Span = tuple[float, float]
"""From, to."""


def timeline(
    heights: Sequence[float], findings: Sequence[Finding], epochs: NDArray[np.float64]
) -> tuple[Figure, list[Axes]]:
    """Charts over the same epochs, of so many inches' height, with the findings marked in them.

    Each finding is a bar above the charts that bears its name, and a tint of its epochs in them,
    where no more severe one has tinted them.
    """
    shown = findings[:MARKED]
    figure = Figure(
        figsize=(CHART_WIDTH, sum(heights) + 0.3 + RIBBON * len(shown)),
        dpi=CHART_DPI,
        layout="constrained",
    )
    if not shown:
        return figure, list(
            figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False).flat
        )
    ribbon, *panels = figure.subplots(
        1 + len(heights), 1, sharex=True, height_ratios=[RIBBON * len(shown), *heights]
    )
    ribbon.axis("off")
    ribbon.set_ylim(len(shown), 0)
    start, end = float(epochs[0]), float(epochs[-1])
    width = end - start or 1.0
    spans: list[Span] = []
    for row, finding in enumerate(shown):
        colour = SEVERITY_COLOURS[finding.severity]
        first = min(max(finding.first_epoch, start), end)
        last = max(min(finding.last_epoch, end), first)
        length = max(last - first, 0.015 * width)
        ribbon.barh(row + 0.5, length, 0.84, first, color=colour, alpha=0.25, lw=0)
        ribbon.barh(row + 0.5, 0.008 * width, 0.84, first, color=colour, lw=0)
        late = first - start > 0.45 * width
        ribbon.annotate(
            finding.title,
            (first, row + 0.5),
            xytext=(-4, 0) if late else (6, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=11,
        )
        for axes in panels:
            for low, high in _uncovered((first, last), spans):
                axes.axvspan(low, high, color=colour, alpha=0.07, lw=0)
            axes.axvline(first, color=colour, alpha=0.7, lw=1)
        spans.append((first, last))
    return figure, panels


def style(axes: Axes, title: str, ylabel: str) -> None:
    axes.set_title(title, fontsize=12, loc="left")
    axes.set_ylabel(ylabel, fontsize=12)
    axes.tick_params(labelsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)


def over_epochs(axes: Axes) -> None:
    axes.set_xlabel("epoch", fontsize=12)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def marker_line(axes: Axes, y: float, colour: str = FAINT) -> None:
    axes.axhline(y, color=colour, lw=1.2, ls=":")


def fit(axes: Axes, *series: NDArray[np.float64]) -> None:
    values = np.concatenate(series)
    values = values[np.isfinite(values)]
    low, high = np.min(values), np.max(values)
    margin = 0.04 * (high - low) or 0.04
    axes.set_ylim(low - margin, high + margin)


def log_heights(axes: Axes) -> None:
    """A logarithmic scale for what is drawn, with plain numbers at decades or parts of them."""
    axes.set_yscale("log", nonpositive="mask")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def label_ends(
    axes: Axes, ends: Sequence[tuple[float, str, str]], *, show_values: bool = True
) -> None:
    """Write each (y, text, colour) at the right edge, a line leading to it from its height.

    Labels are moved apart where they would overlap, again whenever the axis is scaled.
    """
    known = sorted(end for end in ends if math.isfinite(end[0]))
    gap = 15 / (axes.bbox.height * 72 / CHART_DPI)  # points, as a share of the height
    lead = LEAD / (axes.bbox.width * 72 / CHART_DPI)
    labels = [
        axes.annotate(
            text + (f" {y:.2f}" if show_values and colour != FAINT else ""),
            (1, 0.5),
            xycoords="axes fraction",
            xytext=(1 + lead, 0.5),
            textcoords="axes fraction",
            va="center",
            color=colour,
            fontsize=12,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.8,
                "relpos": (0, 0.5),  # from the text's left edge
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
        for y, text, colour in known
    ]

    def place(axes: Axes) -> None:
        to_axes = axes.transScale + axes.transLimits
        ends = [float(to_axes.transform((axes.get_xlim()[1], y))[1]) for y, _, _ in known]
        places = list(ends)
        for i in range(1, len(places)):
            places[i] = max(places[i], places[i - 1] + gap)
        ceiling = 1.0
        for i in reversed(range(len(places))):
            places[i] = min(places[i], ceiling)
            ceiling = places[i] - gap
        for label, end, height in zip(labels, ends, places, strict=True):
            label.xy = (1, end)
            label.set_position((1 + lead, height))

    place(axes)
    axes.callbacks.connect("ylim_changed", place)


def _panels(figure: Figure) -> list[Axes]:
    """Its charts, without the findings above them."""
    return [axes for axes in figure.axes if axes.axison]


def common_scale(figures: Sequence[Figure]) -> list[Span]:
    """For each chart of figures that are alike, the heights that all of them need."""
    limits = [[axes.get_ylim() for axes in _panels(figure)] for figure in figures]
    return [
        (min(low for low, _ in spans), max(high for _, high in spans))
        for spans in zip(*limits, strict=True)
    ]


def rescale(figure: Figure, scale: Sequence[Span]) -> None:
    """Give its charts these heights, so that figures beside each other compare."""
    for axes, span in zip(_panels(figure), scale, strict=True):
        axes.set_ylim(span)


def _uncovered(span: Span, covered: Sequence[Span]) -> list[Span]:
    """What of the span lies in none of the others."""
    rest = [span]
    for low, high in covered:
        pieces = [[(a, min(b, low)), (max(a, high), b)] for a, b in rest]
        rest = [(a, b) for pair in pieces for a, b in pair if a < b]
    return rest


def last_finite(values: NDArray[np.float64]) -> float:
    """The last finite value; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else math.nan
