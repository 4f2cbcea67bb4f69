"""What D's maxout units are: the shapes of shared ones, the templates of those that see pixels."""

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image
from torch import Tensor, nn

from counterfeit import data, networks
from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.axes import CHART_DPI, CHART_WIDTH, DASHED, FAINT, style
from counterfeit.insight.charts.grids import evenly, grid, labelled_columns
from counterfeit.insight.charts.save import save
from counterfeit.language import english
from counterfeit.run import Run

SHAPES = 5
"""Epochs at which maxout is drawn, before the last one."""
PIECE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def maxout_shapes(stages: Sequence[tuple[str, Sequence[networks.SharedMaxout]]]) -> Figure:
    """Shared maxout's lines, dashed, and their maximum, solid; where trained, its earlier shapes.

    Args:
        stages: an epoch's name and D's hidden layers then, in order; the last ones are drawn in
            black.
    """
    *earlier, (last, layers) = stages
    columns = min(2, len(layers))
    rows = math.ceil(len(layers) / columns)
    figure = Figure(figsize=(CHART_WIDTH, 0.8 + 2.6 * rows), dpi=CHART_DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[len(layers) :]:
        axes.axis("off")
    shades = [colormaps["viridis_r"](share) for share in np.linspace(0.15, 0.85, len(earlier))]
    trained = any(layer.weight.requires_grad for layer in layers)
    for number, (axes, layer) in enumerate(zip(panels, layers, strict=False)):
        past = [before[number] for _, before in earlier] if layer.weight.requires_grad else []
        state = "trained" if layer.weight.requires_grad else "frozen"
        style(axes, f"layer {number + 1}: {state}", "output" if number % columns == 0 else "")
        axes.set_xlabel("input", fontsize=12)
        reach = max(_reach(each) for each in [layer, *past])
        x = torch.linspace(-reach, reach, 401)
        lines = _lines(layer, x)
        for piece, line in enumerate(lines.T):
            colour = PIECE_COLOURS[piece % len(PIECE_COLOURS)]
            axes.plot(x, line, color=colour, lw=1.3, ls=DASHED)
        curves = [_lines(each, x).amax(dim=1) for each in [*past, layer]]
        for curve, shade in zip(curves, shades, strict=False):
            axes.plot(x, curve, color=shade, lw=1.5)
        axes.plot(x, curves[-1], color="black", lw=2.2)
    key = [Line2D([], [], color=FAINT, lw=1.3, ls=DASHED, label="each line")]
    if trained:
        for (epoch, _), shade in zip(earlier, shades, strict=True):
            key.append(Line2D([], [], color=shade, lw=1.5, label=epoch))
    label = f"maximum, {last}" if trained and earlier else "their maximum"
    key.append(Line2D([], [], color="black", lw=2.2, label=label))
    figure.legend(handles=key, loc="outside lower center", ncols=3, frameon=False, fontsize=11)
    return figure


def _lines(layer: networks.SharedMaxout, x: Float[Tensor, " N"]) -> Float[Tensor, "N pieces"]:
    return x[:, None] * layer.weight.detach().double() + layer.bias.detach().double()


def _reach(layer: networks.SharedMaxout) -> float:
    """How far from 0 the maximum must be drawn to show all its corners; at least 3, at most 10."""
    weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
    across = (bias[None] - bias[:, None]) / (weight[:, None] - weight[None])  # where i meets j
    across = across[across.isfinite()]
    if len(across) == 0:
        return 3.0
    heights = across[:, None] * weight + bias  # (crossings, pieces)
    top_two = heights.topk(2, dim=1).values
    corners = across[top_two[:, 0] - top_two[:, 1] < 1e-6]
    furthest = corners.abs().max().item() if len(corners) else 0.0
    return min(10.0, max(3.0, 1.4 * furthest))


def filters(weight: Float[Tensor, "pieces units C H W"], units: int = 10) -> Image.Image:
    """The pieces of a maxout layer that looks at pixels: a column is a unit, a row a piece.

    Grey is a weight of 0, white the largest and black its negative. The units with the largest
    weights are shown.
    """
    order = weight.square().sum(dim=(0, 2, 3, 4)).argsort(descending=True)[:units]
    shown = weight[:, order]
    shades = data.as_uint8(shown.flatten(0, 1), *_symmetric(shown))  # (pieces * units, C, H, W)
    return grid(shades.numpy(), columns=len(order))


def _symmetric(values: Tensor) -> tuple[float, float]:
    largest = values.abs().max().item() or 1.0
    return -largest, largest


def draw_maxout(run: Run) -> Figure | Image.Image:
    """Shared maxout's shape, layer by layer; or what a first maxout layer's units look for."""
    stages = [
        (name, [each for each in network.modules() if isinstance(each, networks.SharedMaxout)])
        for name, network in _discriminators(run)
    ]
    if stages[-1][1]:
        return maxout_shapes(stages)
    return filters(_templates(run, run.discriminator()))


def write_maxout_history(run: Run, path: Path) -> None:
    """The pieces of a first maxout layer's two strongest units as rows, over epochs as columns."""
    stages = _discriminators(run)
    weights = torch.stack([_templates(run, network) for _, network in stages])  # K pieces units …
    strongest = weights[-1].square().sum(dim=(0, 2, 3, 4)).argsort(descending=True)[:2]
    shown = weights[:, :, strongest].transpose(1, 2).flatten(1, 2)  # K, 2 * pieces, C, H, W
    shades = torch.stack([data.as_uint8(each, *_symmetric(shown)) for each in shown], dim=1)
    save(
        labelled_columns(shades.numpy(), [name.removeprefix("epoch ") for name, _ in stages]), path
    )


def _templates(run: Run, network: nn.Module) -> Float[Tensor, "pieces units C H W"]:
    """The weights of a first layer that is maxout."""
    first = next((each for each in network.modules() if isinstance(each, networks.Maxout)), None)
    if first is None:
        raise CounterfeitError(english("this discriminator has no maxout units."))
    weight = first.linear.weight.detach()  # (pieces * units, C * H * W)
    return weight.view(first.pieces, first.units, *run.image_shape)


def _discriminators(run: Run) -> list[tuple[str, nn.Module]]:
    """D before training, at some of the epochs whose checkpoints are kept, and now; by epoch."""
    newest = run.checkpoint()
    last = run.discriminator(newest)
    start = networks.build_discriminator(run.recipe.discriminator, run.image_shape, seed=run.seed)
    epochs = {row["step"]: row["epoch"] for row in run.log}
    kept = [
        step
        for step in run.checkpoint_steps
        if epochs.get(step, math.inf) <= 0.9 * newest.epoch  # later ones look like the last
    ]
    stages = [("epoch 0", start)]
    for step in evenly(kept, SHAPES - 1):
        with suppress(CounterfeitError):  # damaged, or gone meanwhile where training goes on
            stages.append((f"epoch {epochs[step]:g}", run.discriminator(step)))
    return [*stages, (f"epoch {newest.epoch:.4g}", last)]
