"""How training's cost grows: time with images and width, memory with epochs.

    python benchmarks/scaling.py [--repeats 3] [--epochs 200] [--data mnist]
                                 [--plot docs/images/scaling.png]

One thread, in CPU seconds, which a busy machine disturbs least; stage 3 of the article on MNIST:

- images: the second epoch, files and all, on a quarter, a half and all of the images;
- width: 100 updates with half, the same and twice the hidden units. Products between hidden layers
  grow with the square of the width, those at the networks' ends in proportion to it: the table
  has the count of multiplications beside the time;
- epochs: resident memory after each of 200 epochs on 1,280 images (Linux only).
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from counterfeit import data, recipe
from counterfeit.environment import describe
from counterfeit.insight.charts.axes import CHART_DPI, D_COLOUR, DASHED, FAINT
from counterfeit.training import loop
from plain import perceptrons
from train_speed import products

STAGE = "batchnorm-smoothing"
SHARES = (1 / 4, 1 / 2, 1)
WIDTHS = (0.5, 1.0, 2.0)
BATCH = 128
UPDATES = 100


def epoch_ends(spec: recipe.Recipe, read: Callable[[], float]) -> list[float]:
    """Train `spec`, and what `read` gives at the end of each epoch."""
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as out:
        loop.train(spec, out=out, device="cpu", on_epoch=[lambda *_: ends.append(read())])
    return ends


def second_epoch(spec: recipe.Recipe) -> float:
    """CPU seconds of the second epoch."""
    first, second = epoch_ends(spec.with_values({"training.epochs": 2}), time.process_time)
    return second - first


def widened(spec: recipe.Recipe, factor: float) -> recipe.Recipe:
    """The recipe with so many times its hidden units."""
    G, D = perceptrons(spec)
    return spec.with_values(
        {
            f"{player}.hidden": tuple(round(factor * units) for units in hidden)
            for player, hidden in (("generator", G.hidden), ("discriminator", D.hidden))
        }
    )


def multiplications(spec: recipe.Recipe) -> int:
    """Of one update's matrix products."""
    return sum(rows * inputs * outputs for rows, inputs, outputs, _ in products(spec))


def resident_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def medians(variants: dict[float, recipe.Recipe], repeats: int) -> dict[float, float]:
    """The median second epoch of each, taking turns."""
    seconds: dict[float, list[float]] = {key: [] for key in variants}
    for _ in range(repeats):
        for key, spec in variants.items():
            seconds[key].append(second_epoch(spec))
    return {key: statistics.median(values) for key, values in seconds.items()}


def draw(
    path: Path,
    by_images: dict[float, float],
    by_width: dict[float, float],
    by_products: dict[float, float],
    memory: list[float],
) -> None:
    figure = Figure((9.6, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    line(left, by_images, "images in the set", "CPU seconds an epoch")
    most = max(by_images)
    proportional = {0.0: 0.0, most: by_images[most]}
    reference(left, proportional, "in proportion to images")
    left.set_xticks(list(by_images), [f"{count:,.0f}" for count in by_images])
    line(middle, by_width, "hidden units, times the recipe's", "CPU milliseconds an update")
    reference(middle, by_products, "in proportion to products")
    middle.set_xticks(list(by_width), [f"{factor:g}" for factor in by_width])
    right.plot(range(1, len(memory) + 1), memory, color=D_COLOUR)
    right.set(xlabel="epoch", ylabel="resident memory, MiB", ylim=(0, 1.2 * max(memory)))
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=CHART_DPI)


def line(axes: Axes, points: dict[float, float], x: str, y: str) -> None:
    axes.plot(list(points), list(points.values()), "o-", color=D_COLOUR, label="measured")
    axes.set(xlabel=x, ylabel=y, xlim=(0, None), ylim=(0, None))


def reference(axes: Axes, points: dict[float, float], label: str) -> None:
    axes.plot(list(points), list(points.values()), color=FAINT, linestyle=DASHED, label=label)
    axes.set_ylim(0, 1.05 * axes.dataLim.ymax)
    axes.legend(frameon=False, fontsize="small", loc="upper left")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--plot", type=Path, help="draw this PNG file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    facts = describe(torch.device("cpu"))
    print(f"{STAGE}, {facts['processor']}, torch {facts['torch']}, one thread,", end=" ")
    print(f"medians of n = {options.repeats}\n")

    spec = recipe.load(STAGE).with_values({"data.name": options.data})
    there = len(data.load(options.data))
    shares = [round(share * there) for share in SHARES]
    by_images = medians(
        {count: spec.with_values({"data.train_images": count}) for count in shares},
        options.repeats,
    )
    print("| images | CPU seconds an epoch | times a quarter's |\n|---|---|---|")
    for count, seconds in by_images.items():
        print(f"| {count:,} | {seconds:.2f} | {seconds / by_images[shares[0]]:.2f} |")

    updates = min(UPDATES, there // BATCH)
    short = spec.with_values({"data.train_images": BATCH * updates})
    wide = {factor: widened(short, factor) for factor in WIDTHS}
    by_width = {
        factor: 1000 * seconds / updates
        for factor, seconds in medians(wide, options.repeats).items()
    }
    counts = {factor: multiplications(each) for factor, each in wide.items()}
    print("\n| hidden units | CPU ms an update | times the recipe's | products, times |")
    print("|---|---|---|---|")
    for factor, milliseconds in by_width.items():
        print(
            f"| x {factor:g} | {milliseconds:.1f} | {milliseconds / by_width[1.0]:.2f}"
            f" | {counts[factor] / counts[1.0]:.2f} |"
        )

    few = spec.with_values({"data.train_images": 10 * BATCH, "training.epochs": options.epochs})
    memory = epoch_ends(few, resident_mebibytes)
    tenth = max(1, len(memory) // 10)
    print(
        f"\nresident memory over {len(memory)} epochs: {memory[0]:.1f} MiB after the first,"
        f" {memory[tenth - 1]:.1f} after {tenth}, {memory[-1]:.1f} after the last"
    )
    if options.plot:
        growth = {factor: by_width[1.0] * counts[factor] / counts[1.0] for factor in WIDTHS}
        draw(options.plot, by_images, by_width, growth, memory)
        print(options.plot)


if __name__ == "__main__":
    main()
