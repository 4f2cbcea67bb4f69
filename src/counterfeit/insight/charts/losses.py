"""Both losses over epochs, and where they rest when nobody can gain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from counterfeit.files import Row
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
from counterfeit.recipe import Recipe
from counterfeit.run import Run
from counterfeit.run.findings import Finding


@dataclass(frozen=True)
class Equilibrium:
    """What the log shows where nobody can gain: G makes the data's images, and D knows its odds."""

    output: float
    """D's answer, the same to real and to generated images."""
    d_loss: float
    g_loss: float


def equilibrium(spec: Recipe) -> Equilibrium:
    """The equilibrium of a recipe's losses (see `losses`), of which D's is a mean of two terms.

    With labels of 1, D = 1/2 and its loss is log 2, half of the log 4 of the paper's value
    function. With labels of mean t, D's loss is least at D = t/2, where it is the entropy of t/2.

    Source: Goodfellow et al. 2014 (arXiv 1406.2661), theorem 1; Salimans et al. 2016 (arXiv
    1606.03498), section 3.4.
    """
    half = sum(spec.loss.real_labels) / 4  # t/2
    d_loss = -half * math.log(half) - (1 - half) * math.log(1 - half)
    minimax = spec.loss.generator == "minimax"
    return Equilibrium(half, d_loss, math.log(1 - half) if minimax else -math.log(half))


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
        style(axes, title, "loss (nats)")
        epochs, d, g = losses.T
        marker = "." if len(epochs) < 30 else None
        axes.plot(epochs, d, color=D_COLOUR, lw=1.8, marker=marker, label="D")
        axes.plot(epochs, g, color=G_COLOUR, lw=1.8, marker=marker, label="G")
        fit(axes, d, g, np.array([0.0, even.d_loss, even.g_loss]))
        ends = [(last_finite(d), "D", D_COLOUR), (last_finite(g), "G", G_COLOUR)]
        if math.isclose(even.d_loss, even.g_loss):
            ends.append((even.d_loss, "log 2", FAINT))
            marker_line(axes, even.d_loss)
        else:
            ends += [(even.d_loss, "D*", D_COLOUR), (even.g_loss, "G*", G_COLOUR)]
            marker_line(axes, even.d_loss, D_COLOUR)
            marker_line(axes, even.g_loss, G_COLOUR)
        label_ends(axes, ends)
    over_epochs(panels[-1])
    return figure


def draw_losses(run: Run, findings: Sequence[Finding]) -> Figure:
    return loss_curves(logged(run), equilibrium(run.recipe), findings)
