"""What generators made of modes that are known, as pictures."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

from counterfeit.data.points import Mixture
from counterfeit.insight.charts.axes import CHART_DPI, D_COLOUR, G_COLOUR
from counterfeit.measure.points import modes_of

COLUMNS = 3
PANELS = 6
"""That are shown, the first ones."""

INCHES = 2.6
"""Of a panel's sides."""

MODE_WIDTH = 0.05
"""Of a ring around a mode, in half-widths: modes themselves may be too narrow to be seen."""


def samples_over_modes(mixture: Mixture, samples: Mapping[str, Float[np.ndarray, "N 2"]]) -> Figure:
    """A panel for each generator: its samples, those of high quality in another colour, and the
    modes.

    Args:
        samples: by what the generators are called; those beyond the picture, and those that are not
            finite, are not shown.
    """
    shown = dict(list(samples.items())[:PANELS])
    columns = min(COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = Figure((INCHES * columns, (INCHES + 0.25) * rows), CHART_DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    half = float(mixture.centres.abs().max()) + mixture.half_width / 6
    for axes, (name, points) in zip(panels, shown.items(), strict=False):
        good = modes_of(torch.from_numpy(points), mixture).numpy() >= 0
        width = MODE_WIDTH * mixture.half_width
        places, shift = mixture.centres.numpy(), axes.transData
        rings = EllipseCollection(
            width, width, 0, units="xy", offsets=places, offset_transform=shift
        )
        rings.set(facecolor="none", edgecolor=D_COLOUR, linewidth=0.8)
        axes.add_collection(rings)
        for part, colour in ((~good, "black"), (good, G_COLOUR)):
            axes.scatter(*points[part].T, s=2, color=colour, linewidths=0, rasterized=True)
        axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"{name}: {good.mean():.1%} of high quality", fontsize=9, loc="left")
    for axes in list(figure.axes)[len(shown) :]:
        axes.set_axis_off()
    return figure
