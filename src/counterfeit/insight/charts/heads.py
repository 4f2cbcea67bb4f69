"""What D's other heads learn: classes and codes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from counterfeit.errors import CounterfeitError
from counterfeit.files import Row
from counterfeit.game import auxiliary
from counterfeit.insight.charts.axes import (
    D_COLOUR,
    FAINT,
    G_COLOUR,
    fit,
    label_ends,
    last_finite,
    marker_line,
    over_epochs,
    style,
    timeline,
)
from counterfeit.insight.columns import column, logged, require
from counterfeit.language import english
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import HeadColumns

COLOURS = dict(zip(HeadColumns.__annotations__, (D_COLOUR, G_COLOUR), strict=True))


def head_curves(
    rows: Sequence[Row], guessing: Mapping[str, float], findings: Sequence[Finding] = ()
) -> Figure:
    """What D's mistakes about classes and codes cost over epochs, their weights included.

    Args:
        guessing: what they cost a D that does not look, by column.

    Raises:
        CounterfeitError: the log has no such heads, or damaged ones.
    """
    names = [name for name in COLOURS if any(name in row for row in rows)]
    if not names:
        raise CounterfeitError(english("the log has no heads."))
    require(rows, *names)
    epochs = column(rows, "epoch")
    figure, (axes,) = timeline((2.5,), findings, epochs)
    style(axes, "cost of D's mistakes about classes and codes", "cross entropy (nats)")
    ends, heights = [], [np.zeros(1)]
    for name in names:
        values, label = column(rows, name), name.removeprefix("penalty_")
        axes.plot(epochs, values, color=COLOURS[name], lw=1.5, label=label)
        ends.append((last_finite(values), label, COLOURS[name]))
        heights.append(values)
        if name in guessing:
            ends.append((guessing[name], "guessing", FAINT))
            heights.append(np.array([guessing[name]]))
            marker_line(axes, guessing[name])
    fit(axes, *heights)
    label_ends(axes, ends, show_values=False)
    over_epochs(axes)
    return figure


def guessing(run: Run) -> dict[str, float]:
    """What a D that does not look pays in each column of its heads."""
    costs = auxiliary.guessing(run.recipe, list(run.environment["classes"].values()))
    return {f"penalty_{name}": cost for name, cost in costs.items()}


def draw_heads(run: Run, findings: Sequence[Finding]) -> Figure:
    return head_curves(logged(run), guessing(run), findings)
