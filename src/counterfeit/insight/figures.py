"""Pictures of a run: from arrays and log rows to images and charts, and from a run to its files.

Grids of images are exact pixels: each pixel becomes a square, without gaps or smoothing. Charts
stand on white, so that they read on any page. `write(run, name)` draws one into the run's
`figures/`; `FIGURES` lists the names.
"""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
    StrMethodFormatter,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from counterfeit import data
from counterfeit import networks as model
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import Row, write_whole
from counterfeit.game.inputs import draw_latents
from counterfeit.insight.columns import column, require
from counterfeit.insight.diagnose import Finding
from counterfeit.measure import classifier
from counterfeit.measure.names import MetricName, named
from counterfeit.recipe import Recipe
from counterfeit.run import Run, generate
from counterfeit.run.rows import Measurement
from counterfeit.seeds import stream

T = TypeVar("T")
Pixels = UInt8[np.ndarray, "N C H W"]

# Blue and vermilion of Okabe and Ito's palette, which colour-blind readers can tell apart.
D_COLOUR = "#0072B2"
G_COLOUR = "#D55E00"
FAINT = "#767676"
DASHED = (0, (4, 2.5))
PIECE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

SEVERITY_COLOURS = {"critical": "#B3261E", "warning": "#B26A00", "note": "#5C5C57"}
RIBBON = 0.27
"""Inches that a finding's bar takes above a chart."""
MARKED = 6
"""Findings marked in one chart; the most severe."""

CHART_WIDTH = 5.0
"""Inches: 12-point text stays legible when a page shows the chart 330 pixels wide."""
CHART_DPI = 200

CELL = 84
"""About how many pixels wide a grid shows each image."""

COLUMNS = 10
SHAPES = 5
"""Epochs at which maxout is drawn, before the last one."""
HISTORY_EPOCHS = 100
"""Epochs in the history grid; a longer run is thinned evenly."""

ANIMATION_EPOCHS = 50
ANIMATION_BYTES = 2_000_000
FRAME_MILLISECONDS = 160
LAST_FRAME_MILLISECONDS = 2000


# Grids of images


def cell_scale(height: int, width: int) -> int:
    """How many pixels a side each pixel of an image becomes in a grid."""
    return max(1, round(CELL / max(height, width)))


def grid(images: Pixels, columns: int = COLUMNS, scale: int | None = None) -> Image.Image:
    """Images (N, C, H, W), C = 1 or 3, row by row; cells left over are transparent."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    scale = cell_scale(height, width) if scale is None else scale
    cells = np.zeros((rows * columns, height, width, 4), np.uint8)
    cells[:count, ..., :3] = images.transpose(0, 2, 3, 1)
    cells[:count, ..., 3] = 255
    canvas = cells.reshape(rows, columns, height, width, 4).swapaxes(1, 2)  # rows H columns W
    pixels = canvas.reshape(rows * height, columns * width, 4)
    picture = Image.fromarray(pixels.repeat(scale, axis=0).repeat(scale, axis=1))
    if rows * columns > count:
        return picture
    return picture.convert("L" if channels == 1 else "RGB")


def beside(left: Image.Image, right: Image.Image, gap: int) -> Image.Image:
    """Two grids of one height, a transparent gap of so many pixels between them."""
    picture = Image.new("RGBA", (left.width + gap + right.width, left.height))
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + gap, 0))
    return picture


def labelled_columns(images: UInt8[np.ndarray, "R K C H W"], labels: Sequence[str]) -> Image.Image:
    """R rows of K images, a label above each column, on white."""
    rows, columns, *shape = images.shape
    scale = 2 * cell_scale(shape[1], shape[2])  # pages show it smaller, and text wants detail
    cells = grid(images.reshape(rows * columns, *shape), columns, scale).convert("RGB")
    font = ImageFont.load_default(size=52)
    strip = 64
    picture = Image.new("RGB", (cells.width, cells.height + strip), "white")
    picture.paste(cells, (0, strip))
    draw = ImageDraw.Draw(picture)
    cell = cells.width // columns
    for place, label in enumerate(labels):
        draw.text((place * cell + cell / 2, strip / 2), label, "black", font, anchor="mm")
    return picture


def frame(images: Pixels, label: str) -> Image.Image:
    """A 10-column grid of images, in 16 shades a channel, with a label above, on white."""
    shades = images // 17 * 17
    side = max(images.shape[2:])
    cells = grid(shades, COLUMNS, scale=max(1, round(56 / side))).convert("RGB")
    font = ImageFont.load_default(size=22)
    strip = 36
    picture = Image.new("RGB", (cells.width, cells.height + strip), "white")
    picture.paste(cells, (0, strip))
    ImageDraw.Draw(picture).text((4, strip / 2), label, "black", font, anchor="lm")
    return picture


def animation(frames: Sequence[Image.Image], limit: int = ANIMATION_BYTES) -> bytes:
    """An endless animated WebP, lossless; frames are left out evenly until it fits `limit` bytes.

    The first and the last frame stay, and the last one is held.
    """
    chosen = list(frames)
    while True:
        holds = [FRAME_MILLISECONDS] * (len(chosen) - 1) + [LAST_FRAME_MILLISECONDS]
        buffer = io.BytesIO()
        chosen[0].save(
            buffer,
            "WEBP",
            save_all=True,
            append_images=chosen[1:],
            duration=holds,
            loop=0,
            lossless=True,
            quality=30,  # of the search, not of the picture
            method=2,
        )
        if buffer.tell() <= limit or len(chosen) <= 2:
            return buffer.getvalue()
        fitting = int(len(chosen) * limit / buffer.tell() * 0.95)
        chosen = evenly(chosen, min(len(chosen) - 1, max(2, fitting)))


def evenly(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of the items, evenly spaced, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(index)] for index in np.linspace(0, len(items) - 1, count)]


def nearest(
    images: UInt8[Tensor, "N C H W"], among: UInt8[Tensor, "M C H W"], chunk: int = 5000
) -> Int64[Tensor, " N"]:
    """The index in `among` of the image with the least squared distance to each of `images`."""
    queries = images.flatten(1).double()  # (N, pixels); sums of squares stay exact integers
    best = torch.full((len(queries),), math.inf, dtype=torch.float64)
    index = torch.zeros(len(queries), dtype=torch.int64)
    for start in range(0, len(among), chunk):
        part = among[start : start + chunk].flatten(1).double()  # (m, pixels)
        distances = part.square().sum(1) - 2 * queries @ part.T  # (N, m), less |query|^2
        least, at = distances.min(dim=1)
        closer = least < best
        best = torch.where(closer, least, best)
        index = torch.where(closer, at + start, index)
    return index


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


# Charts


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
    figure, panels = _timeline((2.5, 2.5), findings, last[:, 0])
    titles = ("last batch of each epoch (the article's view)", "mean of each epoch")
    for axes, losses, title in zip(panels, (last, mean), titles, strict=True):
        _style(axes, title, "loss (nats)")
        epochs, d, g = losses.T
        marker = "." if len(epochs) < 30 else None
        axes.plot(epochs, d, color=D_COLOUR, lw=1.8, marker=marker)
        axes.plot(epochs, g, color=G_COLOUR, lw=1.8, marker=marker)
        _fit(axes, d, g, np.array([0.0, even.d_loss, even.g_loss]))
        ends = [(_end(d), "D", D_COLOUR), (_end(g), "G", G_COLOUR)]
        if math.isclose(even.d_loss, even.g_loss):
            ends.append((even.d_loss, "log 2", FAINT))
            _marker_line(axes, even.d_loss)
        else:
            ends += [(even.d_loss, "D*", D_COLOUR), (even.g_loss, "G*", G_COLOUR)]
            _marker_line(axes, even.d_loss, D_COLOUR)
            _marker_line(axes, even.g_loss, G_COLOUR)
        _label_ends(axes, ends)
    _over_epochs(panels[-1])
    return figure


def epoch_losses(
    rows: Sequence[Row],
) -> tuple[Float[np.ndarray, "epochs 3"], Float[np.ndarray, "epochs 3"]]:
    """From log rows: (epoch, D's loss, G's loss) of each epoch's last batch, and of its mean.

    The mean weighs each row by its updates. An epoch that has not ended counts with what it has.
    """
    steps, epochs = column(rows, "step"), column(rows, "epoch")
    updates = np.diff(steps, prepend=0)
    number = np.ceil(epochs - 1e-9)
    ends = np.flatnonzero(np.diff(number, append=np.inf))  # the last row of each epoch
    starts = np.concatenate([[0], ends[:-1] + 1])
    weights = np.add.reduceat(updates, starts)
    last, mean = [epochs[ends]], [epochs[ends]]
    for name in ("d_loss", "g_loss"):
        last.append(column(rows, f"{name}_last")[ends])
        mean.append(np.add.reduceat(column(rows, name) * updates, starts) / weights)
    return np.stack(last, axis=1), np.stack(mean, axis=1)


QUANTILES = ("q05", "q25", "q50", "q75", "q95")


def output_bands(
    rows: Sequence[Row], even: Equilibrium, findings: Sequence[Finding] = ()
) -> Figure:
    """D(x) and D(G(z)) over epochs: the median, the middle half and the middle nine tenths.

    Raises:
        CounterfeitError: the log has none of D's answers, or damaged ones.
    """
    require(rows, *(f"{name}_{q}" for name in ("d_real", "d_fake") for q in QUANTILES))
    figure, (axes,) = _timeline((3.1,), findings, column(rows, "epoch"))
    _style(axes, "1 is “real”, 0 is “generated”", "D's output")
    _marker_line(axes, even.output)
    epochs = column(rows, "epoch")
    ends = []
    for name, label, colour in (
        ("d_real", "D(x)", D_COLOUR),
        ("d_fake", "D(G(z))", G_COLOUR),
    ):
        q05, q25, q50, q75, q95 = (column(rows, f"{name}_{q}") for q in QUANTILES)
        axes.fill_between(epochs, q05, q95, color=colour, alpha=0.13, lw=0)
        axes.fill_between(epochs, q25, q75, color=colour, alpha=0.28, lw=0)
        axes.plot(epochs, q50, color=colour, lw=1.6)
        ends.append((_end(q50), label, colour))
    axes.set_ylim(-0.02, 1.02)
    _label_ends(
        axes,
        [*ends, (even.output, "1/2" if even.output == 0.5 else f"{even.output:.2g}", FAINT)],
        show_values=False,
    )
    _over_epochs(axes)
    return figure


def gradient_norms(rows: Sequence[Row], findings: Sequence[Finding] = ()) -> Figure:
    """The Euclidean norm of each network's gradient over epochs, on a logarithmic scale.

    Raises:
        CounterfeitError: the log has no norms, or damaged ones.
    """
    require(rows, "d_grad_norm", "g_grad_norm")
    figure, (axes,) = _timeline((2.9,), findings, column(rows, "epoch"))
    _style(axes, "length of the gradient", "norm (log scale)")
    axes.set_yscale("log", nonpositive="mask")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    epochs = column(rows, "epoch")
    ends = []
    for name, label, colour in (("d_grad_norm", "D", D_COLOUR), ("g_grad_norm", "G", G_COLOUR)):
        norms = column(rows, name)
        norms[~(norms > 0)] = np.nan  # nothing to show on this scale
        axes.plot(epochs, norms, color=colour, lw=1.3)
        ends.append((_end(norms), label, colour))
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    _label_ends(axes, ends, show_values=False)
    _over_epochs(axes)
    return figure


SHARES = ("precision", "recall", "density", "coverage")
SHARE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def metric_curves(
    rows: Sequence[Row],
    real: Mapping[str, Measurement],
    findings: Sequence[Finding] = (),
) -> Figure:
    """FID, and precision to coverage, over epochs; dashed, what real images score.

    Args:
        rows: of `comparable` rows of metrics.jsonl.
        real: of real images, as far as measured.
    """
    fid = _fid(rows[0])
    features = MetricName.parse(fid or "").features
    epochs = column(rows, "epoch")
    figure, (upper, lower) = _timeline((2.3, 3.0), findings, epochs)

    def draw(axes: Axes, metric: str, colour: str) -> list[tuple[float, str, str]]:
        measured: list[dict[str, Measurement]] = [row["metrics"] for row in rows]
        name = named(metric, (each for metrics in measured for each in metrics), features) or ""
        values = np.array([m[name].value if name in m else math.nan for m in measured])
        axes.plot(epochs, values, "o-", ms=3, color=colour)
        if name in real:
            ceiling = real[name].value
            axes.axhline(ceiling, color=colour, lw=1.2, ls=DASHED)
            return [(_end(values), metric, colour), (ceiling, "real", FAINT)]
        return [(_end(values), metric, colour)]

    _style(upper, fid or "", "FID (lower is better)")
    ends = draw(upper, "fid", D_COLOUR)
    upper.set_ylim(0, 1.1 * upper.get_ylim()[1])
    _label_ends(upper, [(y, text.replace("fid", "FID"), colour) for y, text, colour in ends])
    shares = [
        draw(lower, metric, colour) for metric, colour in zip(SHARES, SHARE_COLOURS, strict=True)
    ]
    compared = any(len(ends) > 1 for ends in shares)
    _style(lower, "higher is better" + ("; dashed: real" if compared else ""), "")
    lower.set_ylim(0, max(1.0, lower.get_ylim()[1]))
    _label_ends(lower, [ends[0] for ends in shares])
    _over_epochs(lower)
    return figure


def comparable(rows: Sequence[Row]) -> list[Row]:
    """Of rows of metrics.jsonl, those of the protocol that most epochs have; each epoch's newest.

    By epoch. Of protocols with as many, the newest; no rows when none holds an FID.
    """
    by_protocol: dict[str, dict[float, Row]] = {}
    for row in reversed(rows):
        if (fid := _fid(row)) is not None:
            by_protocol.setdefault(fid, {}).setdefault(row["epoch"], row)
    longest = max(by_protocol.values(), key=len, default={})
    return [longest[epoch] for epoch in sorted(longest)]


def _fid(row: Row) -> str | None:
    """The full name of its first FID, which tells its protocol."""
    return named("fid", row["metrics"])


@dataclass(frozen=True)
class ClassShares:
    """How many of the generated images, and of the data, belong to each class."""

    generated: Float[np.ndarray, " classes"]
    errors: Float[np.ndarray, " classes"]
    """Standard errors of `generated`."""
    real: Float[np.ndarray, " classes"]
    classes: Sequence[str]
    counted: str
    """Which images were generated, and how many."""
    reader: str
    """The classifier that read them."""


def class_bars(shares: ClassShares) -> Figure:
    """Each class's share of the data and of the generated images, with two standard errors."""
    figure = Figure(figsize=(CHART_WIDTH, 3.1), dpi=CHART_DPI, layout="constrained")
    axes = figure.subplots()
    _style(axes, shares.counted, "share of the images")
    at = np.arange(len(shares.real))
    axes.bar(at - 0.2, shares.real, 0.4, color=D_COLOUR, label="data")
    axes.bar(at + 0.2, shares.generated, 0.4, color=G_COLOUR, label="generated")
    axes.errorbar(at + 0.2, shares.generated, 2 * shares.errors, fmt="none", ecolor="black", lw=1)
    crowded = max(map(len, shares.classes)) * len(shares.classes) > 30
    axes.set_xticks(
        at, shares.classes, rotation=60 if crowded else 0, ha="right" if crowded else "center"
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel(f"class, as read by {shares.reader}", fontsize=12)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=11)
    return figure


def maxout_shapes(stages: Sequence[tuple[str, Sequence[model.SharedMaxout]]]) -> Figure:
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
        _style(axes, f"layer {number + 1}: {state}", "output" if number % columns == 0 else "")
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
        low = min(curve.min().item() for curve in curves)
        high = max(curve.max().item() for curve in curves)
        axes.set_ylim(low - 0.4 * (high - low) - 0.1, high + 0.05 * (high - low) + 0.1)
    key = [Line2D([], [], color=FAINT, lw=1.3, ls=DASHED, label="each line")]
    if trained:
        for (epoch, _), shade in zip(earlier, shades, strict=True):
            key.append(Line2D([], [], color=shade, lw=1.5, label=epoch))
    label = f"maximum, {last}" if trained and earlier else "their maximum"
    key.append(Line2D([], [], color="black", lw=2.2, label=label))
    figure.legend(handles=key, loc="outside lower center", ncols=3, frameon=False, fontsize=11)
    return figure


def _lines(layer: model.SharedMaxout, x: Float[Tensor, " N"]) -> Float[Tensor, "N pieces"]:
    return x[:, None] * layer.weight.detach().double() + layer.bias.detach().double()


def _reach(layer: model.SharedMaxout) -> float:
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


def _timeline(
    heights: Sequence[float], findings: Sequence[Finding], epochs: NDArray[np.float64]
) -> tuple[Figure, list[Axes]]:
    """Charts over the same epochs, of so many inches' height, with the findings marked in them.

    Each finding is a bar above the charts that bears its name, and a tint of its epochs in them.
    """
    shown = findings[:MARKED]
    figure = Figure(
        figsize=(CHART_WIDTH, sum(heights) + 0.3 + RIBBON * len(shown)),
        dpi=CHART_DPI,
        layout="constrained",
    )
    if not shown:
        return figure, list(
            figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False).flat
        )
    ribbon, *panels = figure.subplots(
        1 + len(heights), 1, sharex=True, height_ratios=[RIBBON * len(shown), *heights]
    )
    ribbon.axis("off")
    ribbon.set_ylim(len(shown), 0)
    start, end = float(epochs[0]), float(epochs[-1])
    width = end - start or 1.0
    for row, finding in enumerate(shown):
        colour = SEVERITY_COLOURS[finding.severity]
        first = min(max(finding.first_epoch, start), end)
        last = max(min(finding.last_epoch, end), first)
        length = max(last - first, 0.015 * width)
        ribbon.barh(row + 0.5, length, 0.84, first, color=colour, alpha=0.25, lw=0)
        ribbon.barh(row + 0.5, 0.008 * width, 0.84, first, color=colour, lw=0)
        late = first - start > 0.45 * width
        ribbon.annotate(
            finding.name.replace("_", " ").replace("-", " "),
            (first, row + 0.5),
            xytext=(-4, 0) if late else (6, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=11,
        )
        for axes in panels:
            axes.axvspan(first, last, color=colour, alpha=0.07, lw=0)
            axes.axvline(first, color=colour, alpha=0.7, lw=1)
    return figure, panels


def _style(axes: Axes, title: str, ylabel: str) -> None:
    axes.set_title(title, fontsize=12, loc="left")
    axes.set_ylabel(ylabel, fontsize=12)
    axes.tick_params(labelsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)


def _over_epochs(axes: Axes) -> None:
    axes.set_xlabel("epoch", fontsize=12)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _marker_line(axes: Axes, y: float, colour: str = FAINT) -> None:
    axes.axhline(y, color=colour, lw=1.2, ls=":")


def _fit(axes: Axes, *series: NDArray[np.float64]) -> None:
    values = np.concatenate(series)
    values = values[np.isfinite(values)]
    low, high = np.min(values), np.max(values)
    margin = 0.04 * (high - low)
    axes.set_ylim(low - margin, high + margin)


def _label_ends(
    axes: Axes, ends: Sequence[tuple[float, str, str]], *, show_values: bool = True
) -> None:
    """Write each (y, text, colour) at the right edge, moved apart where they would overlap."""
    gap = 15 / (axes.bbox.height * 72 / CHART_DPI)  # points, as a share of the height
    to_axes = axes.transScale + axes.transLimits
    known = sorted(end for end in ends if math.isfinite(end[0]))
    places = [float(to_axes.transform((axes.get_xlim()[1], y))[1]) for y, _, _ in known]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    ceiling = 1.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
    for height, (y, text, colour) in zip(places, known, strict=True):
        value = f" {y:.2f}" if show_values and colour != FAINT else ""
        axes.annotate(
            text + value,
            (1, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=12,
            annotation_clip=False,
        )


def _end(values: NDArray[np.float64]) -> float:
    """The last finite value; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else math.nan


# From a run to files


def write(
    run: Run, name: str, findings: Sequence[Finding] = (), *, folder: Path | None = None
) -> Path:
    """Draw the figure of that name (see `FIGURES`) into a folder.

    Args:
        folder: the run's `figures/` when absent.
        findings: are marked where they lie, if it is a chart over epochs.

    Raises:
        CounterfeitError: the run has not what it takes, or the file cannot be written.
    """
    suffix = ".webp" if name == "animation" else ".png"
    path = (folder or run.path / "figures") / f"{name}{suffix}"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise CounterfeitError(f"cannot create {path.parent}: {error.strerror}.") from None
    if name in TIMELINES:
        _save(TIMELINES[name](run, findings), path)
    else:
        PICTURES[name](run, path)
    return path


def write_samples(images: UInt8[Tensor, "N C H W"], path: Path) -> None:
    """Write images as a grid (.png), or as an array `images`, uint8 (N, C, H, W) (.npz).

    Raises:
        UsageError: another suffix.
        CounterfeitError: it cannot be written.
    """
    pixels = images.numpy()
    if path.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=pixels)
        write_whole(path, buffer.getvalue())
    elif path.suffix == ".png":
        columns = min(len(pixels), max(COLUMNS, math.ceil(math.sqrt(len(pixels)))))
        scale = None if columns <= 2 * COLUMNS else 1
        _save(grid(pixels, columns, scale), path)
    else:
        raise UsageError(f"cannot write samples to {path}: its name must end in .png or .npz.")


def _save(picture: Image.Image | Figure, path: Path) -> None:
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", facecolor="white")
    else:
        picture.save(buffer, "PNG", optimize=True)
    write_whole(path, buffer.getvalue())


def _samples(run: Run, path: Path) -> None:
    write_samples(run.sample(100), path)


def _history(run: Run, path: Path) -> None:
    """The first fixed latent, one image an epoch."""
    epochs = evenly([epoch for epoch in snapshot_epochs(run) if epoch > 0], HISTORY_EPOCHS)
    if not epochs:
        raise CounterfeitError(f"{run.path} has not finished an epoch yet.")
    _save(grid(np.stack([run.snapshot(epoch)[0] for epoch in epochs])), path)


def _latents(run: Run, path: Path) -> None:
    """Eight fixed latents as rows, over epochs as columns."""
    epochs = evenly(snapshot_epochs(run), COLUMNS)
    images = np.stack([run.snapshot(epoch)[:8] for epoch in epochs], axis=1)  # (8, K, C, H, W)
    _save(labelled_columns(images, list(map(str, epochs))), path)


def _animation(run: Run, path: Path) -> None:
    epochs = evenly(snapshot_epochs(run), ANIMATION_EPOCHS)
    frames = [frame(run.snapshot(epoch), f"epoch {epoch}") for epoch in epochs]
    write_whole(path, animation(frames))


def snapshot_epochs(run: Run) -> list[int]:
    """The epochs that a run has snapshots of.

    Raises:
        CounterfeitError: none.
    """
    epochs = run.snapshot_epochs
    if not epochs:
        raise CounterfeitError(f"{run.path} has no snapshots.")
    return epochs


def _losses(run: Run, findings: Sequence[Finding]) -> Figure:
    return loss_curves(_log(run), equilibrium(run.recipe), findings)


def _outputs(run: Run, findings: Sequence[Finding]) -> Figure:
    return output_bands(_log(run), equilibrium(run.recipe), findings)


def _gradients(run: Run, findings: Sequence[Finding]) -> Figure:
    return gradient_norms(_log(run), findings)


def _log(run: Run) -> list[Row]:
    rows = run.log
    if not rows:
        raise CounterfeitError(f"{run.path} has no log rows yet.")
    return rows


def _metrics(run: Run, findings: Sequence[Finding]) -> Figure:
    if not has_metric_curves(run):
        raise CounterfeitError(
            f"{run.path} has too few evaluations; `counterfeit train --evaluate-every N` adds them."
        )
    return metric_curves(comparable(run.metrics), run.real_scores, findings)


def has_metric_curves(run: Run) -> bool:
    """Whether two epochs or more were evaluated on one protocol, with a classifier."""
    return len(comparable(run.metrics)) > 1


def _classes(run: Run, path: Path) -> None:
    _save(class_bars(class_shares(run)), path)


READ_HERE = 1000
"""Samples whose classes are counted where no evaluation has."""

UNKNOWN = Measurement(math.nan, math.nan)


def class_shares(run: Run) -> ClassShares:
    """By the last epoch's newest evaluation; by MNIST's classifier, where there is none.

    Raises:
        CounterfeitError: the data have no labels, or nothing has counted the samples' classes.
    """
    training = run.load_data("train")
    if training.labels is None:
        raise CounterfeitError(f"{training.name} has no labels, so there are no classes to count.")
    classes = classifier.classes_of(training.labels)
    labels = classes.labels.tolist()
    measured = [
        (float(row["epoch"]), shares) for row in run.metrics if (shares := _shares(row["metrics"]))
    ]
    if measured:
        epoch, found = max(reversed(measured), key=itemgetter(0))
        name = next(iter(found))
        counted_as = [replace(name, metric=f"share_{label}") for label in labels]
        generated, errors = np.array(
            [found.get(each, UNKNOWN) for each in counted_as], dtype=np.float64
        ).T
        reader = name.features or "a classifier"
        counted = "samples" if name.count is None else f"{name.count:,} samples"
    elif run.recipe.data.name == "mnist":
        fixed = classifier.mnist()
        counts = fixed.read(run.sample(READ_HERE)).classes.bincount(minlength=fixed.classes)
        generated = counts[labels].double().numpy() / READ_HERE
        errors = np.sqrt(generated * (1 - generated) / READ_HERE)
        reader, counted, epoch = fixed.name, f"{READ_HERE:,} samples", run.checkpoint().epoch
    else:
        raise CounterfeitError(
            f"the classes of {run.path} were not counted yet; `counterfeit evaluate` counts them."
        )
    of_data = (classes.sizes.double() / len(training)).numpy()
    names = [training.classes[label] if training.classes else str(label) for label in labels]
    title = f"epoch {epoch:.4g}, {counted}"
    return ClassShares(generated, errors, of_data, names, title, reader)


def _shares(metrics: Mapping[str, Measurement]) -> dict[MetricName, Measurement]:
    """The share of each class among the samples, as far as counted."""
    names = {name: MetricName.parse(name) for name in metrics}
    return {names[name]: metrics[name] for name in names if names[name].of_class is not None}


def _maxout(run: Run, path: Path) -> None:
    """Shared maxout's shape, layer by layer; or what a first maxout layer's units look for."""
    stages = [
        (name, [layer for layer in network.hidden if isinstance(layer, model.SharedMaxout)])
        for name, network in _discriminators(run)
    ]
    if stages[-1][1]:
        _save(maxout_shapes(stages), path)
    else:
        _save(filters(_templates(run, run.discriminator())), path)


def _maxout_history(run: Run, path: Path) -> None:
    """The pieces of a first maxout layer's two strongest units as rows, over epochs as columns."""
    stages = _discriminators(run)
    weights = torch.stack([_templates(run, network) for _, network in stages])  # K pieces units …
    strongest = weights[-1].square().sum(dim=(0, 2, 3, 4)).argsort(descending=True)[:2]
    shown = weights[:, :, strongest].transpose(1, 2).flatten(1, 2)  # K, 2 * pieces, C, H, W
    shades = torch.stack([data.as_uint8(each, *_symmetric(shown)) for each in shown], dim=1)
    _save(
        labelled_columns(shades.numpy(), [name.removeprefix("epoch ") for name, _ in stages]), path
    )


def _templates(run: Run, network: model.MLPDiscriminator) -> Float[Tensor, "pieces units C H W"]:
    """The weights of a first layer that is maxout."""
    first = next((layer for layer in network.hidden if isinstance(layer, model.Maxout)), None)
    if first is None:
        raise CounterfeitError("this discriminator has no maxout units.")
    weight = first.linear.weight.detach()  # (pieces * units, C * H * W)
    return weight.view(first.pieces, first.units, *run.image_shape)


def _discriminators(run: Run) -> list[tuple[str, model.MLPDiscriminator]]:
    """D before training, at some of the epochs whose checkpoints are kept, and now; by epoch."""
    newest = run.checkpoint()
    epochs = {row["step"]: row["epoch"] for row in run.log}
    kept = [
        step
        for step in run.checkpoint_steps
        if epochs.get(step, math.inf) <= 0.9 * newest.epoch  # later ones look like the last
    ]
    start = model.build_discriminator(run.recipe.discriminator, run.image_shape, seed=run.seed)
    return [
        ("epoch 0", start),
        *(
            (f"epoch {epochs[step]:g}", run.discriminator(step))
            for step in evenly(kept, SHAPES - 1)
        ),
        (f"epoch {newest.epoch:.4g}", run.discriminator(newest.step)),
    ]


def _nearest(run: Run, path: Path) -> None:
    """The paper's figure 2: samples, and the training image nearest to each row's last one."""
    rows, columns = 6, 8
    training = run.load_data("train").images
    samples = run.sample(100)[: rows * columns]
    found = training[nearest(samples[columns - 1 :: columns], training)]
    scale = cell_scale(*run.image_shape[1:])
    _save(
        beside(grid(samples.numpy(), columns), grid(found.numpy(), columns=1), gap=2 * scale), path
    )


def _interpolation(run: Run, path: Path) -> None:
    """The paper's figure 3: from one latent to another, linearly, a pair in each row."""
    rows = 6
    ends = draw_latents(run.recipe.latent, 2 * rows, stream(run.seed, "evaluation", 1))
    left, right = ends.unsqueeze(1).chunk(2)  # (rows, 1, z) each
    share = torch.linspace(0, 1, COLUMNS)[:, None]
    z = torch.lerp(left, right, share).flatten(0, 1)  # (rows * COLUMNS, z)
    _save(grid(generate(run.generator(), z, run.recipe.value_range).numpy()), path)


def _preview(run: Run, path: Path) -> None:
    data.preview(run.load_data("train"), path)


PICTURES: dict[str, Callable[[Run, Path], None]] = {
    "samples": _samples,
    "history": _history,
    "latents": _latents,
    "animation": _animation,
    "classes": _classes,
    "maxout": _maxout,
    "maxout-history": _maxout_history,
    "nearest": _nearest,
    "interpolation": _interpolation,
    "preview": _preview,
}

TIMELINES: dict[str, Callable[[Run, Sequence[Finding]], Figure]] = {
    "losses": _losses,
    "outputs": _outputs,
    "gradients": _gradients,
    "metrics": _metrics,
}
"""Charts over epochs, in which findings are marked."""

FIGURES = (*PICTURES, *TIMELINES)
"""What `write` draws, by name."""
