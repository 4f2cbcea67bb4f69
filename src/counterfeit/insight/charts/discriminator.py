"""What D answers over epochs."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from counterfeit.files import Row
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
from counterfeit.insight.charts.losses import Equilibrium, equilibrium
from counterfeit.insight.columns import column, logged, require
from counterfeit.run import Run
from counterfeit.run.findings import Finding

QUANTILES = ("q05", "q25", "q50", "q75", "q95")


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
    marker_line(axes, even.output)
    epochs = column(rows, "epoch")
    ends = []
    for name, label, colour in (
        ("d_real", "D(x)", D_COLOUR),
        ("d_fake", "D(G(z))", G_COLOUR),
    ):
        q05, q25, q50, q75, q95 = (column(rows, f"{name}_{q}") for q in QUANTILES)
        axes.fill_between(epochs, q25, q75, color=colour, alpha=0.22, lw=0)
        for outer in (q05, q95):
            axes.plot(epochs, outer, color=colour, lw=0.8, ls=DASHED)
        axes.plot(epochs, q50, color=colour, lw=1.6, label=label)
        ends.append((last_finite(q50), label, colour))
    axes.set_ylim(-0.02, 1.02)
    label_ends(
        axes,
        [*ends, (even.output, "1/2" if even.output == 0.5 else f"{even.output:.2g}", FAINT)],
        show_values=False,
    )
    over_epochs(axes)
    return figure


def draw_outputs(run: Run, findings: Sequence[Finding]) -> Figure:
    return output_bands(logged(run), equilibrium(run.recipe), findings)
