"""Both losses over epochs, and where they rest when nobody can gain."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from counterfeit.files import Row
from counterfeit.game.losses import Equilibrium, expected
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
from counterfeit.insight.columns import epoch_losses, logged, require
from counterfeit.run import Run
from counterfeit.run.findings import Finding


def loss_curves(rows: Sequence[Row], even: Equilibrium, findings: Sequence[Finding] = ()) -> Figure:
    """Both losses over epochs: each epoch's last batch, as the article has it, and its mean.

    Raises:
        CounterfeitError: the log has no losses, or damaged ones.
    """
    require(rows, "d_loss", "g_loss", "d_loss_last", "g_loss_last")
    last, mean = epoch_losses(rows)
    figure, panels = timeline((2.5, 2.5), findings, last[:, 0])
    titles = ("last batch of each epoch (the article's view)", "mean of each epoch")
    for axes, losses, title in zip(panels, (last, mean), titles, strict=True):
        style(axes, title, "loss")
        epochs, d, g = losses.T
        marker = "." if len(epochs) < 30 else None
        axes.plot(epochs, d, color=D_COLOUR, lw=1.8, marker=marker, label="D")
        axes.plot(epochs, g, color=G_COLOUR, lw=1.8, marker=marker, label="G")
        rest = [even.d_loss] if even.g_loss is None else [even.d_loss, even.g_loss]
        fit(axes, d, g, np.array([0.0, *rest]))
        ends = [(last_finite(d), "D", D_COLOUR), (last_finite(g), "G", G_COLOUR)]
        if len(rest) == 2 and math.isclose(*rest):
            ends.append((even.d_loss, "log 2", FAINT))
            marker_line(axes, even.d_loss)
        else:
            for loss, name, colour in zip(rest, "DG", (D_COLOUR, G_COLOUR), strict=False):
                ends.append((loss, f"{name}*", colour))
                marker_line(axes, loss, colour)
        label_ends(axes, ends)
    over_epochs(panels[-1])
    return figure


def draw_losses(run: Run, findings: Sequence[Finding]) -> Figure:
    return loss_curves(logged(run), expected(run.recipe.loss).equilibrium, findings)
