"""How strongly each network is pushed to change."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from counterfeit.files import Row
from counterfeit.insight.charts.axes import (
    D_COLOUR,
    G_COLOUR,
    label_ends,
    last_finite,
    log_heights,
    over_epochs,
    style,
    timeline,
)
from counterfeit.insight.columns import column, logged, require
from counterfeit.run import Run
from counterfeit.run.findings import Finding


def gradient_norms(rows: Sequence[Row], findings: Sequence[Finding] = ()) -> Figure:
    """The Euclidean norm of each network's gradient over epochs, on a logarithmic scale.

    Raises:
        CounterfeitError: the log has no norms, or damaged ones.
    """
    require(rows, "d_grad_norm", "g_grad_norm")
    figure, (axes,) = timeline((2.9,), findings, column(rows, "epoch"))
    style(axes, "length of the gradient", "norm (log scale)")
    epochs = column(rows, "epoch")
    ends = []
    for name, label, colour in (("d_grad_norm", "D", D_COLOUR), ("g_grad_norm", "G", G_COLOUR)):
        norms = column(rows, name)
        norms[~(norms > 0)] = np.nan  # nothing to show on this scale
        axes.plot(epochs, norms, color=colour, lw=1.3, label=label)
        ends.append((last_finite(norms), label, colour))
    log_heights(axes)
    axes.callbacks.connect("ylim_changed", log_heights)
    label_ends(axes, ends, show_values=False)
    over_epochs(axes)
    return figure


def draw_gradients(run: Run, findings: Sequence[Finding]) -> Figure:
    return gradient_norms(logged(run), findings)
