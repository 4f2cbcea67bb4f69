"""What D answers over epochs."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from counterfeit.files import Row
from counterfeit.game.losses import Equilibrium, expected
from counterfeit.insight.charts.axes import (
    D_COLOUR,
    DASHED,
    FAINT,
    G_COLOUR,
    label_ends,
    last_finite,
    marker_line,
    over_epochs,
    style,
    timeline,
)
from counterfeit.insight.columns import column, logged, require
from counterfeit.run import Run
from counterfeit.run.findings import Finding

QUANTILES = ("q05", "q25", "q50", "q75", "q95")

End = tuple[float, str, str]
"""A line's height at the right edge, its name and its colour."""


def output_bands(
    rows: Sequence[Row], even: Equilibrium, findings: Sequence[Finding] = ()
) -> Figure:
    """D(x) and D(G(z)) over epochs: the median, the middle half and the middle nine tenths.

    Raises:
        CounterfeitError: the log has none of D's answers, or damaged ones.
    """
    require(rows, *(f"{name}_{q}" for name in ("d_real", "d_fake") for q in QUANTILES))
    figure, (axes,) = timeline((3.1,), findings, column(rows, "epoch"))
    style(axes, "1 is “real”, 0 is “generated”", "D's output")
    ends = _bands(axes, rows, {"d_real": "D(x)", "d_fake": "D(G(z))"})
    axes.set_ylim(-0.02, 1.02)
    _label(axes, ends, even)
    over_epochs(axes)
    return figure


def score_bands(rows: Sequence[Row], even: Equilibrium, findings: Sequence[Finding] = ()) -> Figure:
    """A critic's scores f(x) and f(G(z)) over epochs, as in `output_bands`, and their means' gap.

    Raises:
        CounterfeitError: the log has none of D's scores, or damaged ones.
    """
    names = ("score_real", "score_fake")
    require(rows, *(f"{name}_{q}" for name in names for q in QUANTILES), "score_gap")
    epochs = column(rows, "epoch")
    figure, (scores, gaps) = timeline((3.1, 1.9), findings, epochs)
    style(scores, "higher is more like the data", "critic's score")
    _label(scores, _bands(scores, rows, dict(zip(names, ("f(x)", "f(G(z))"), strict=True))), even)
    style(gaps, "how far apart they are", "mean f(x) − f(G(z))")
    gap = column(rows, "score_gap")
    gaps.plot(epochs, gap, color=D_COLOUR, lw=1.6, label="gap")
    marker_line(gaps, 0)
    label_ends(gaps, [(last_finite(gap), "gap", D_COLOUR)])
    over_epochs(gaps)
    return figure


def _bands(axes: Axes, rows: Sequence[Row], names: Mapping[str, str]) -> list[End]:
    """Draw what D says of real images and of fakes, whose labels these are; return the ends."""
    epochs, ends = column(rows, "epoch"), []
    for (name, label), colour in zip(names.items(), (D_COLOUR, G_COLOUR), strict=True):
        q05, q25, q50, q75, q95 = (column(rows, f"{name}_{q}") for q in QUANTILES)
        axes.fill_between(epochs, q25, q75, color=colour, alpha=0.22, lw=0)
        for outer in (q05, q95):
            axes.plot(epochs, outer, color=colour, lw=0.8, ls=DASHED)
        axes.plot(epochs, q50, color=colour, lw=1.6, label=label)
        ends.append((last_finite(q50), label, colour))
    return ends


def _label(axes: Axes, ends: Sequence[End], even: Equilibrium) -> None:
    """Write the lines' names at their ends, and where D rests when nobody can gain."""
    rest: list[End] = []
    if even.output is not None:
        marker_line(axes, even.output)
        rest = [(even.output, "1/2" if even.output == 0.5 else f"{even.output:.2g}", FAINT)]
    label_ends(axes, [*ends, *rest], show_values=False)


def draw_outputs(run: Run, findings: Sequence[Finding]) -> Figure:
    return output_bands(logged(run), expected(run.recipe.loss).equilibrium, findings)


def draw_scores(run: Run, findings: Sequence[Finding]) -> Figure:
    return score_bands(logged(run), expected(run.recipe.loss).equilibrium, findings)
