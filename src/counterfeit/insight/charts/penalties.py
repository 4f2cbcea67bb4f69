"""What is added to D's loss to keep D well-behaved."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.insight.charts.axes import (
    label_ends,
    last_finite,
    log_heights,
    over_epochs,
    style,
    timeline,
)
from counterfeit.insight.columns import column, logged, require
from counterfeit.language import english
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import PenaltyColumns

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
COLOURS = dict(zip(PenaltyColumns.__annotations__, PALETTE, strict=True))


def penalty_curves(rows: Sequence[Row], findings: Sequence[Finding] = ()) -> Figure:
    """Each penalty over epochs, its weight included, on a logarithmic scale.

    Raises:
        CounterfeitError: the log has no penalties, or damaged ones.
    """
    names = [name for name in COLOURS if any(name in row for row in rows)]
    if not names:
        raise CounterfeitError(english("the log has no penalties."))
    require(rows, *names)
    epochs = column(rows, "epoch")
    figure, (axes,) = timeline((2.5,), findings, epochs)
    style(axes, "added to D's loss, where due", "penalty (log scale)")
    ends = []
    for name in names:
        values = column(rows, name)
        values[~(values > 0)] = np.nan  # nothing to show on this scale
        label, shown = name.removeprefix("penalty_"), np.isfinite(values)
        axes.plot(epochs[shown], values[shown], color=COLOURS[name], lw=1.5, label=label)
        ends.append((last_finite(values), label, COLOURS[name]))
    log_heights(axes)
    label_ends(axes, ends, show_values=False)
    over_epochs(axes)
    return figure


def draw_penalties(run: Run, findings: Sequence[Finding]) -> Figure:
    return penalty_curves(logged(run), findings)
