"""What a browser draws: columns of runs over epochs, overlaid, as far as a screen can show them."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from counterfeit.errors import CounterfeitError
from counterfeit.game.losses import expected
from counterfeit.insight.charts.grids import evenly
from counterfeit.insight.charts.heads import guessing
from counterfeit.insight.charts.metrics import SHARES, comparable, has_metric_curves
from counterfeit.insight.columns import Column, column, epoch_ends
from counterfeit.insight.tables import GOOD
from counterfeit.language import tr, translated
from counterfeit.measure.names import MetricName, like, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import PenaltyColumns

POINTS = 400
"""Of a line: about one for every two pixels of a chart on a large screen."""

PALETTE = 6
"""Colours that the page has for runs; further runs have the same ones, dashed."""

TONES = {"critical": "bad", "warning": "doubt", "note": "quiet"}
"""The page's colours of severities."""

Level = tuple[str, float]
"""A value worth comparing with, and what it is."""


@dataclass(frozen=True)
class Curve:
    """One quantity of one run."""

    title: str
    """Of its chart where runs are overlaid: `D's loss`."""
    name: str
    """What it is called beside others of its run: `D`."""
    group: str
    """Of its chart where there is one run; curves of a group share it."""
    colour: int
    """Among the others of its group, from 1."""
    epochs: Column
    values: Column
    low: Column | None = None
    """The lower edge of a band around it; `high` is the upper one."""
    high: Column | None = None
    level: Level | None = None
    protocol: str = ""
    """How it was measured. Only what was measured alike shares a chart."""


@dataclass(frozen=True)
class Line:
    """A curve as the page holds it; None where a value is not finite."""

    key: str
    """Of the entry in the legend that switches it off."""
    name: str
    colour: str
    """A custom property of the page's style, without its dashes."""
    dashed: bool
    x: list[float]
    """Epochs."""
    y: list[float | None]
    low: list[float | None] | None
    high: list[float | None] | None


@dataclass(frozen=True)
class Chart:
    """Lines that share their axes."""

    title: str
    protocol: str
    log: bool
    span: tuple[float, float] | None
    """From, to, where the heights are known beforehand."""
    lines: list[Line]
    levels: list[dict[str, Any]]
    """`name`, `value`, `colour`."""
    marks: list[dict[str, Any]]
    """Findings: `title`, `run` and `key` where there are several, `colour`, and epochs `start` and
    `end`."""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "protocol"}


@dataclass(frozen=True)
class Subject:
    """What a section of charts is about."""

    curves: Callable[[Run], Iterator[Curve]]
    """Those that a run has; none where it has no such columns."""
    log: bool = False
    span: tuple[float, float] | None = None


def _losses(run: Run) -> Iterator[Curve]:
    rows = run.log
    ends = epoch_ends(rows)
    even = expected(run.recipe.loss).equilibrium
    players = (("D", even.d_loss), ("G", even.g_loss))
    for suffix, what, index in (
        ("", tr("mean of the updates since the point before"), slice(None)),
        ("_last", tr("last batch of each epoch"), ends),
    ):
        for colour, (player, rest) in enumerate(players, 1):
            yield Curve(
                tr("{player}'s loss, {what}", player=player, what=what),
                player,
                tr("Losses, {what}", what=what),
                colour,
                column(rows, "epoch")[index],
                column(rows, f"{player.lower()}_loss{suffix}")[index],
                level=None if rest is None else (tr("equilibrium"), rest),
            )


def _outputs(run: Run) -> Iterator[Curve]:
    title = tr("1 is “real”, 0 is “generated”")
    yield from _answers(run, title, d_real="D(x)", d_fake="D(G(z))")


def _scores(run: Run) -> Iterator[Curve]:
    title = tr("Higher is more like the data")
    yield from _answers(run, title, score_real="f(x)", score_fake="f(G(z))")
    gap = tr("Mean f(x) − f(G(z))")
    rows = run.log
    yield Curve(gap, tr("gap"), gap, 1, column(rows, "epoch"), column(rows, "score_gap"))


def _answers(run: Run, group: str, **names: str) -> Iterator[Curve]:
    """What D says of real images and of fakes; names by the columns that they begin with."""
    rows, rest = run.log, expected(run.recipe.loss).equilibrium.output
    for colour, (key, name) in enumerate(names.items(), 1):
        yield Curve(
            name,
            name,
            group,
            colour,
            column(rows, "epoch"),
            column(rows, f"{key}_q50"),
            column(rows, f"{key}_q25"),
            column(rows, f"{key}_q75"),
            level=None if rest is None else (tr("equilibrium"), rest),
        )


def _penalties(run: Run) -> Iterator[Curve]:
    rows = run.log
    for colour, key in enumerate(PenaltyColumns.__annotations__, 1):
        values = column(rows, key)
        values[~(values > 0)] = np.nan  # nothing to show on a logarithmic scale
        shown = np.isfinite(values)  # a lazy one is not in every row
        if shown.any():
            name, epochs = key.removeprefix("penalty_"), column(rows, "epoch")[shown]
            title = tr("Penalty on D, {name}", name=name)
            yield Curve(title, name, tr("Added to D's loss"), colour, epochs, values[shown])


def _heads(run: Run) -> Iterator[Curve]:
    rows, costs = run.log, guessing(run)
    named = {"penalty_classes": tr("classes"), "penalty_codes": tr("codes")}
    for colour, (key, name) in enumerate(named.items(), 1):
        yield Curve(
            tr("D's mistakes about {what}, in nats", what=name),
            name,
            tr("What D's mistakes cost, in nats"),
            colour,
            column(rows, "epoch"),
            column(rows, key),
            level=(tr("guessing"), costs[key]) if key in costs else None,
        )


def _gradients(run: Run) -> Iterator[Curve]:
    rows = run.log
    for colour, player in ((1, "D"), (2, "G")):
        norms = column(rows, f"{player.lower()}_grad_norm")
        norms[~(norms > 0)] = np.nan  # nothing to show on a logarithmic scale
        title = tr("Length of {player}'s gradient", player=player)
        group = tr("Length of the gradient")
        yield Curve(title, player, group, colour, column(rows, "epoch"), norms)


def _metrics(run: Run) -> Iterator[Curve]:
    if not has_metric_curves(run):
        return
    rows = comparable(run.metrics)
    measured = [row["metrics"] for row in rows]
    every = dict.fromkeys(name for metrics in measured for name in metrics)
    features = MetricName.parse(named("fid", every) or "").features
    real = run.real_scores
    for place, metric in enumerate(("fid", *SHARES)):
        key = named(metric, every, features)
        if key is None:
            continue
        name = MetricName.parse(key)
        values, spreads = np.array(
            [metrics.get(key, (math.nan, math.nan)) for metrics in measured], np.float64
        ).T
        ceiling = like(key, real)
        short = translated(name.short)
        title = f"{short[0].upper()}{short[1:]}, {translated(GOOD[metric])}"
        yield Curve(
            title,
            short,
            title if metric == "fid" else tr("Precision to coverage"),
            max(1, place),
            column(rows, "epoch"),
            values,
            values - 2 * spreads,
            values + 2 * spreads,
            level=(tr("real images"), real[ceiling].value) if ceiling else None,
            protocol=", ".join(map(translated, name.protocol_parts)),
        )


SUBJECTS = {
    "losses": Subject(_losses),
    "outputs": Subject(_outputs, span=(-0.02, 1.02)),
    "scores": Subject(_scores),
    "penalties": Subject(_penalties, log=True),
    "heads": Subject(_heads),
    "metrics": Subject(_metrics),
    "gradients": Subject(_gradients, log=True),
}
"""By the name of the section."""


def overlaid(
    subject: str, runs: Sequence[Run], names: Sequence[str], marked: Sequence[Sequence[Finding]]
) -> list[Chart]:
    """The charts of a section: a quantity of all runs each; of one run, related ones together.

    Args:
        subject: of `SUBJECTS`.
        names: of the runs, in the legend.
        marked: each run's findings to mark.
    """
    several = len(runs) > 1
    what = SUBJECTS[subject]
    groups: dict[tuple[str, str], list[tuple[int, Curve]]] = {}
    for number, run in enumerate(runs, 1):
        with suppress(CounterfeitError):  # said in the place of its picture
            for curve in what.curves(run):
                if np.isfinite(curve.values).any():
                    title = curve.title if several else curve.group
                    groups.setdefault((title, curve.protocol), []).append((number, curve))
    marks = [
        {
            "key": run_key(number) if several else "",
            "run": names[number - 1] if several else "",
            "title": translated(finding.title),
            "colour": colour(number) if several else TONES[finding.severity],
            "start": finding.first_epoch,
            "end": finding.last_epoch,
        }
        for number, findings in enumerate(marked, 1)
        for finding in findings
    ]
    return [
        Chart(
            title,
            protocol,
            what.log,
            what.span,
            [
                _line(run_key(number), names[number - 1], number, curve)
                if several
                else _line(f"{subject}-{curve.name}", curve.name, curve.colour, curve)
                for number, curve in curves
            ],
            _levels([(n if several else curve.colour, curve.level) for n, curve in curves]),
            marks,
        )
        for (title, protocol), curves in groups.items()
    ]


def run_key(number: int) -> str:
    """In legends, of the run number 1, 2, …"""
    return f"run-{number}"


def colour(number: int) -> str:
    """The custom property of the page's style that has the colour of run number 1, 2, …"""
    return f"run-{1 + (number - 1) % PALETTE}"


def _line(key: str, name: str, number: int, curve: Curve) -> Line:
    kept = thinned(curve.epochs, curve.values)
    low, high = (
        None if edge is None or not np.isfinite(edge).any() else _numbers(edge[kept], 4)
        for edge in (curve.low, curve.high)
    )
    x = [float(f"{epoch:.6g}") for epoch in curve.epochs[kept]]
    y = _numbers(curve.values[kept], 4)
    return Line(key, name, colour(number), number > PALETTE, x, y, low, high)


def _numbers(values: Column, digits: int) -> list[float | None]:
    return [float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in values]


def _levels(levels: Sequence[tuple[int, Level | None]]) -> list[dict[str, Any]]:
    """Each level once: in the colour of its line, or in none where all lines have it."""
    known = [(number, level) for number, level in levels if level and math.isfinite(level[1])]
    distinct = dict.fromkeys((name, float(f"{value:.4g}")) for _, (name, value) in known)
    return [
        {
            "name": name,
            "value": value,
            "colour": "quiet"
            if len(distinct) == 1
            else next(colour(n) for n, level in known if float(f"{level[1]:.4g}") == value),
        }
        for name, value in distinct
    ]


def thinned(epochs: Column, values: Column, most: int = POINTS) -> Column:
    """The indices of at most so many points, in order, that look like all of them.

    Half are ends of epochs, at which a slider may stop; the others are the highest and the lowest
    of each stretch of the rest, so that no spike is lost.
    """
    if len(values) <= most:
        return np.arange(len(values))
    whole = np.flatnonzero(np.isclose(epochs, np.round(epochs), atol=1e-9))
    ends = np.array(evenly(list(whole), most // 2), dtype=np.int64)
    rest = np.setdiff1d(np.arange(len(values)), ends)
    rest = rest[np.isfinite(values[rest])]
    extremes = [
        stretch[pick(values[stretch])]
        for stretch in np.array_split(rest, (most - len(ends)) // 2)
        if len(stretch)
        for pick in (np.argmin, np.argmax)
    ]
    return np.union1d(ends, np.array(extremes, dtype=np.int64))
