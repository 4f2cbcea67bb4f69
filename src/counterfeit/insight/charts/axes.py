"""What charts have in common: colours, sizes, epochs below, findings above, labels at the right."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
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


def timeline(
    heights: Sequence[float], findings: Sequence[Finding], epochs: NDArray[np.float64]
) -> tuple[Figure, list[Axes]]:
    """Charts over the same epochs, of so many inches' height, with the findings marked in them.

    Each finding is a bar above the charts that bears its name, and a tint of its epochs in them.
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
            axes.axvspan(first, last, color=colour, alpha=0.07, lw=0)
            axes.axvline(first, color=colour, alpha=0.7, lw=1)
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
    margin = 0.04 * (high - low)
    axes.set_ylim(low - margin, high + margin)


def label_ends(
    axes: Axes, ends: Sequence[tuple[float, str, str]], *, show_values: bool = True
) -> None:
    """Write each (y, text, colour) at the right edge, moved apart where they would overlap."""
    gap = 15 / (axes.bbox.height * 72 / CHART_DPI)  # points, as a share of the height
    to_axes = axes.transScale + axes.transLimits
    known = sorted(end for end in ends if math.isfinite(end[0]))
    places = [float(to_axes.transform((axes.get_xlim()[1], y))[1]) for y, _, _ in known]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    ceiling = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    for height, (y, text, colour) in zip(places, known, strict=True):
        value = f" {y:.2f}" if show_values and colour != FAINT else ""
        axes.annotate(
            text + value,
            (1, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=12,
            annotation_clip=False,
        )


def last_finite(values: NDArray[np.float64]) -> float:
    """The last finite value; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else math.nan
