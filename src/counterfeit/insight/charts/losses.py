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
        at_rest = {"D": even.d_loss, "G": even.g_loss}
        rest = {player: loss for player, loss in at_rest.items() if loss is not None}
        fit(axes, d, g, np.array([0.0, *rest.values()]))
        ends = [(last_finite(d), "D", D_COLOUR), (last_finite(g), "G", G_COLOUR)]
        if len(rest) == 2 and math.isclose(rest["D"], rest["G"]):
            ends.append((rest["D"], "log 2", FAINT))
            marker_line(axes, rest["D"])
        else:
            for player, loss in rest.items():
                colour = D_COLOUR if player == "D" else G_COLOUR
                ends.append((loss, f"{player}*", colour))
                marker_line(axes, loss, colour)
        label_ends(axes, ends)
    over_epochs(panels[-1])
    return figure


def draw_losses(run: Run, findings: Sequence[Finding]) -> Figure:
    return loss_curves(logged(run), expected(run.recipe.loss).equilibrium, findings)
