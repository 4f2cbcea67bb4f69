"""Quality over epochs, beside what real images score."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.insight.charts.axes import (
    D_COLOUR,
    DASHED,
    FAINT,
    label_ends,
    last_finite,
    over_epochs,
    style,
    timeline,
)
from counterfeit.insight.columns import column
from counterfeit.language import english
from counterfeit.measure.names import MetricName, like, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import Measurement

SHARES = ("precision", "recall", "density", "coverage")
SHARE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def metric_curves(
    rows: Sequence[Row],
    real: Mapping[str, Measurement],
    findings: Sequence[Finding] = (),
) -> Figure:
    """FID, and precision to coverage, over epochs; dashed, what real images score.

    Args:
        rows: of `comparable` rows of metrics.jsonl.
        real: of real images, as far as measured.
    """
    fid = _fid(rows[0])
    features = MetricName.parse(fid or "").features
    epochs = column(rows, "epoch")
    figure, (upper, lower) = timeline((2.3, 3.0), findings, epochs)

    def draw(axes: Axes, metric: str, colour: str) -> list[tuple[float, str, str]]:
        measured: list[dict[str, Measurement]] = [row["metrics"] for row in rows]
        name = named(metric, (each for metrics in measured for each in metrics), features) or ""
        values = np.array([m[name].value if name in m else math.nan for m in measured])
        label = "FID" if metric == "fid" else metric
        axes.plot(epochs, values, "o-", ms=3, color=colour, label=label)
        if known := like(name, real):
            ceiling = real[known].value
            axes.axhline(ceiling, color=colour, lw=1.2, ls=DASHED)
            return [(last_finite(values), metric, colour), (ceiling, "real", FAINT)]
        return [(last_finite(values), metric, colour)]

    style(upper, MetricName.parse(fid or "").protocol, "FID (lower is better)")
    ends = draw(upper, "fid", D_COLOUR)
    upper.set_ylim(0, 1.1 * upper.get_ylim()[1])
    label_ends(upper, [(y, text.replace("fid", "FID"), colour) for y, text, colour in ends])
    shares = [
        draw(lower, metric, colour) for metric, colour in zip(SHARES, SHARE_COLOURS, strict=True)
    ]
    compared = any(len(ends) > 1 for ends in shares)
    style(lower, "higher is better" + ("; dashed: real" if compared else ""), "")
    lower.set_ylim(0, max(1.0, lower.get_ylim()[1]))
    label_ends(lower, [ends[0] for ends in shares])
    over_epochs(lower)
    return figure


def comparable(rows: Sequence[Row]) -> list[Row]:
    """Of rows of metrics.jsonl, those of the protocol that most epochs have; each epoch's newest.

    By epoch. Of protocols with as many, the newest; no rows when none holds an FID.
    """
    by_protocol: dict[str, dict[float, Row]] = {}
    for row in reversed(rows):
        if (fid := _fid(row)) is not None:
            by_protocol.setdefault(fid, {}).setdefault(row["epoch"], row)
    longest = max(by_protocol.values(), key=len, default={})
    return [longest[epoch] for epoch in sorted(longest)]


def _fid(row: Row) -> str | None:
    """The full name of its first FID, which tells its protocol."""
    return named("fid", row["metrics"])


def has_metric_curves(run: Run) -> bool:
    """Whether two epochs or more were evaluated on one protocol, with a classifier."""
    return len(comparable(run.metrics)) > 1


def draw_metrics(run: Run, findings: Sequence[Finding]) -> Figure:
    if not has_metric_curves(run):
        raise CounterfeitError(
            english(
                "{run} has too few evaluations; `counterfeit train --evaluate-every N` adds them.",
                run=str(run.path),
            )
        )
    return metric_curves(comparable(run.metrics), run.real_scores, findings)
