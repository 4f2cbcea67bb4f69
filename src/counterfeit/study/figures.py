"""A study's figures as places on axes, in hundredths of a figure's width and height.

The page draws them, in its own colours, letters and language.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from counterfeit.insight.report.curves import PALETTE, colour
from counterfeit.language import tr, translated
from counterfeit.measure.names import MetricName, like, named
from counterfeit.study import statistics
from counterfeit.study.results import Board, Point, Result
from counterfeit.study.statistics import Estimate, Values
from counterfeit.study.tables import estimate_text
from counterfeit.study.verdict import SCALES, Comparison, Scale, Verdict
from counterfeit.study.words import p_text


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with a little room at both ends."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Sequence[float], *, log: bool = False, room: float = 0.04) -> "Axis":
        """The axis that shows all values that are finite, and positive where it is logarithmic."""
        shown = [each for each in values if math.isfinite(each) and (each > 0 or not log)]
        low, high = (min(shown), max(shown)) if shown else (1.0, 2.0)
        if log:
            more = max(1.02, (high / low) ** room)
            return cls(low / more, high * more, log)
        more = room * (high - low) or 0.02 * abs(high) or 1.0
        return cls(low - more, high + more)

    def at(self, value: float) -> float:
        """Its place, in hundredths from the axis's start; at an end if it lies beyond."""
        if self.log:
            if value <= 0:
                return 0.0
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places of round numbers, and these."""
        values: list[float] = []
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            span = self.high / self.low
            steps = (1, 2, 3, 5, 7) if span < 10 else (1, 2, 5) if span < 300 else (1,)
            values = [step * 10.0**decade for decade in decades for step in steps]
            values = [each for each in values if self.low <= each <= self.high]
        if len(values) < 3:
            ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
            values = [float(each) for each in ticks if self.low <= each <= self.high]
        return [(self.at(each), short(each)) for each in values]


def short(value: float) -> str:
    """`0.2`, `50`, `20k`, `1.5M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class Mark:
    """One run in a row."""

    at: float
    title: str
    failed: bool = False


@dataclass(frozen=True)
class Row:
    """A value with its interval, and the runs it comes from."""

    name: str
    colour: str
    """A custom property of the page's style, without its dashes."""
    at: float | None
    """None where there is no value."""
    low: float
    high: float
    text: str
    marks: Sequence[Mark] = ()


@dataclass(frozen=True)
class Rows:
    """Values below each other on one axis."""

    axis: Axis
    rows: Sequence[Row]
    line: float | None = None
    """A place worth comparing with."""
    line_name: str = ""


@dataclass(frozen=True)
class Line:
    """Of a plot."""

    name: str
    colour: str
    dashed: bool
    points: str
    """Of an SVG polyline in a square of 100."""
    faint: bool = False


@dataclass(frozen=True)
class Plot:
    """Lines that share their axes."""

    title: str
    x: Axis
    y: Axis
    x_label: str
    lines: Sequence[Line]


def dots(verdict: Verdict, results: Sequence[Result]) -> Rows:
    """Every run of one data set as a dot, a row for each recipe with its mean and interval.

    Failed runs stand at the bad end.
    """
    data = results[0].task.data
    standings = [each for each in verdict.standings if each.data == data]
    real = next((score for each in results if (score := _real(each, verdict))), None)
    shown = [v for each in standings for v in (*each.values, each.mean.low, each.mean.high)]
    axis = Axis.around([*shown, *([real] if real else [])], log=verdict.scale.log)
    bad_end = 100.0 if verdict.scale.lower_is_better else 0.0
    states = {(each.label, each.task.seed): each for each in results}
    rows = []
    for number, standing in enumerate(standings, 1):
        marks = []
        for seed, value in zip(standing.seeds, standing.values, strict=True):
            result = states.get((standing.label, seed))
            if math.isfinite(value):
                title = tr("seed {seed}: {value}", seed=str(seed), value=f"{value:.4g}")
                marks.append(Mark(axis.at(value), title))
            elif result is not None and result.failed:
                title = tr("seed {seed}: failed", seed=str(seed))
                place = abs(bad_end - 2.5 * sum(mark.failed for mark in marks))
                marks.append(Mark(place, title, failed=True))
        rows.append(_row(standing.label, colour(number), standing.mean, axis, marks))
    return Rows(axis, rows, axis.at(real) if real else None, tr("real images"))


def _real(result: Result, verdict: Verdict) -> float | None:
    """What real images score under the verdict's metric."""
    name = verdict.names.get(result.task.data)
    if result.run is None or name is None:
        return None
    scores = result.run.real_scores
    value = scores[known].value if (known := like(name, scores)) else math.nan
    return value if math.isfinite(value) and (value > 0 or not verdict.scale.log) else None


def _row(
    name: str,
    tone: str,
    estimate: Estimate,
    axis: Axis,
    marks: Sequence[Mark] = (),
    more: str = "",
) -> Row:
    value, low, high = estimate
    known = math.isfinite(value)
    low, high = (low, high) if math.isfinite(low) else (value, value)
    return Row(
        name,
        tone,
        axis.at(value) if known else None,
        axis.at(low) if known else 0.0,
        axis.at(high) if known else 0.0,
        estimate_text(estimate) + more,
        marks,
    )


def forest(comparisons: Sequence[Comparison]) -> Rows:
    """Differences with their intervals; those that are real in another colour."""
    log = comparisons[0].scale.log
    ends = [end for each in comparisons for end in each.difference]
    nothing = 1.0 if log else 0.0
    axis = Axis.around([*ends, nothing], log=log)
    rows = [
        _row(
            tr("{first} against {second}", first=each.first, second=each.second),
            "good" if each.real else "quiet",
            each.difference,
            axis,
            more=f", p\u00a0{p_text(each.p)}".replace("= ", "=\u00a0")
            if math.isfinite(each.difference.low)
            else "",
        )
        for each in comparisons
    ]
    return Rows(axis, rows, axis.at(nothing), tr("no difference"))


def profiles(found: Board, scale: Scale) -> Plot:
    """The share of each recipe's runs that are as good as any value, or better."""
    known = found.values[np.isfinite(found.values)]
    axis = Axis.around(known.tolist(), log=scale.log)
    sign = 1.0 if scale.lower_is_better else -1.0
    edges: Values = np.unique(np.concatenate([[axis.low], known, [axis.high]]))
    y = Axis(0.0, 1.0)
    lines = []
    for number, label in enumerate(found.labels, 1):
        values, failed = found.values[number - 1], found.failed[number - 1]
        if not (failed | np.isfinite(values)).any():
            continue
        share = statistics.profile(sign * values, failed, sign * edges).value
        lines.append(_line(label, number, axis, y, *_steps(edges, share, scale)))
    title = (
        tr("Share of runs at or below a value")
        if scale.lower_is_better
        else tr("Share of runs at or above a value")
    )
    return Plot(title, axis, y, translated(MetricName.parse(found.name).short), lines)


def _steps(edges: Values, share: Values, scale: Scale) -> tuple[Values, Values]:
    """A curve of steps: it changes at the value of a run, on the side that this one is on."""
    x, y = edges.repeat(2), share.repeat(2)
    return (x[1:], y[:-1]) if scale.lower_is_better else (x[:-1], y[1:])


def budgets(results: Sequence[Result], metric: str) -> list[Plot]:
    """Quality on the validation images against images seen, and against seconds of training.

    A thin line is a run; a thick one the mean over a recipe's runs at the epochs that all of them
    were evaluated at. None where fewer than two epochs were.
    """
    scale = SCALES[metric]
    labels = list(dict.fromkeys(each.label for each in results))
    title = tr("{metric} on validation images", metric=translated(MetricName(metric).short))
    plots = []
    for spent, x_label in (
        ("images", tr("real images that D has seen")),
        ("seconds", tr("seconds of training")),
    ):
        curves = {
            label: [
                curve
                for each in results
                if each.label == label and len(curve := _curve(each.curve, metric, spent)) > 1
            ]
            for label in labels
        }
        every = [curve for of_label in curves.values() for curve in of_label]
        if not every:
            return []
        points = np.concatenate(every)
        x = Axis.around([0.0, *points[:, 1].tolist()], room=0.0)
        y = Axis.around(points[:, 2].tolist(), log=scale.log)
        lines = [
            _line(label, labels.index(label) + 1, x, y, curve[:, 1], curve[:, 2], faint=True)
            for label, of_label in curves.items()
            for curve in of_label
        ]
        for number, label in enumerate(labels, 1):
            if (mean := _mean_curve(curves[label], scale)) is not None:
                lines.append(_line(label, number, x, y, mean[:, 1], mean[:, 2]))
        plots.append(Plot(title, x, y, x_label, lines))
    return plots


def _curve(points: Sequence[Point], metric: str, spent: str) -> Values:
    """Rows of (epoch, spent until then, value), where there is a finite value."""
    rows = [
        (point.epoch, getattr(point, spent), point.scores[name].value)
        for point in points
        if (name := named(metric, point.scores))
    ]
    curve = np.array(rows, np.float64).reshape(-1, 3)
    return curve[np.isfinite(curve).all(1)]


def _mean_curve(curves: Sequence[Values], scale: Scale) -> Values | None:
    """The mean over the runs, at the epochs that all of them have."""
    if not curves:
        return None
    shared: NDArray[np.float64] = curves[0][:, 0]
    for curve in curves[1:]:
        shared = np.intersect1d(shared, curve[:, 0])
    if len(shared) < 2:
        return None
    rows = np.stack([curve[np.isin(curve[:, 0], shared)] for curve in curves])
    mean: Values = rows.mean(0)
    if scale.log:
        mean[:, 2] = np.exp(np.log(rows[..., 2]).mean(0))
    return mean


def _line(
    name: str, number: int, x: Axis, y: Axis, xs: Values, ys: Values, *, faint: bool = False
) -> Line:
    points = " ".join(
        f"{x.at(float(a))},{round(100 - y.at(float(b)), 2)}" for a, b in zip(xs, ys, strict=True)
    )
    return Line(name, colour(number), number > PALETTE, points, faint)
