"""The table and pictures of docs/paper.md: how the paper's estimate grows with the epochs.

    python benchmarks/paper.py RUN [RUN ...] [--images docs/images] [--samples 10000]
                               [--append FILE.jsonl]

For runs of `paper-averaged`, one for each seed. At every kept epoch, 10,000 samples from the newest
weights of G, which are those of recipe `paper`, and 10,000 from their running average are measured
against MNIST's test split. Prints Markdown; with `--images`, draws `paper-growth.png` and, of the
first run, `paper-samples.png`, `paper-newest.png`, `paper-nearest.png`, `paper-interpolation.png`.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import UInt8
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter
from torch import Tensor

from counterfeit.files import append_row
from counterfeit.game.inputs import draw_latents
from counterfeit.insight import charts
from counterfeit.insight.charts.axes import D_COLOUR, FAINT, G_COLOUR
from counterfeit.insight.numbers import number
from counterfeit.measure.evaluate import SAMPLES
from counterfeit.measure.images import compare_features
from counterfeit.measure.measurement import Measurement
from counterfeit.measure.names import MetricName
from counterfeit.measure.pairs import as_points
from counterfeit.measure.parzen import parzen
from counterfeit.measure.reference import Reference, reference_for, subset
from counterfeit.run import Run, generate
from counterfeit.seeds import stream

PAPER = 225
COLOURS = {"newest": D_COLOUR, "average": G_COLOUR}
COLUMNS = ("parzen", "sigma", "fid", "recall", "coverage")


@dataclass(frozen=True)
class Point:
    """Samples of one epoch, measured."""

    seed: int
    epoch: float
    step: int
    weights: str
    """`newest` or `average`."""
    measured: dict[str, Measurement]


def samples(run: Run, step: int, weights: str, count: int) -> UInt8[Tensor, "N C H W"]:
    """As `Run.sample` draws them, from either weights of G."""
    z = draw_latents(run.recipe.latent, count, stream(run.seed, "evaluation"))
    generator = run.generator(step, averaged=weights == "average")
    return generate(generator, z, run.recipe.value_range)


def measure(images: UInt8[Tensor, "N C H W"], reference: Reference) -> dict[str, Measurement]:
    """Parzen and the metrics of features, under their short names."""
    window = parzen(as_points(images), as_points(reference.validation), as_points(reference.images))
    assert reference.classifier is not None
    assert reference.reading is not None
    read = reference.classifier.read(images).features
    compared = compare_features("", read, reference.reading.features, reference.split)
    return {
        "parzen": window.log_likelihood,
        "sigma": Measurement(window.sigma, None),
        **{MetricName.parse(name).metric: value for name, value in compared.metrics.items()},
    }


def points(run: Run, reference: Reference, count: int) -> Iterator[Point]:
    kept = set(run.checkpoint_steps)
    for row in run.log:
        if row["step"] in kept:
            for weights in COLOURS:
                images = samples(run, row["step"], weights, count)
                measured = measure(images, reference)
                yield Point(run.seed, row["epoch"], row["step"], weights, measured)


def table_row(epoch: str, seed: str, weights: str, measured: dict[str, Measurement]) -> str:
    cells = (epoch, seed, weights, *(number(measured[column]) for column in COLUMNS))
    return f"| {' | '.join(cells)} |"


def growth_picture(measured: list[Point], real: float, path: Path) -> None:
    figure = Figure(figsize=(6.4, 4), dpi=160, layout="constrained")
    axes = figure.subplots()
    for weights, colour in COLOURS.items():
        for seed in {point.seed for point in measured}:
            line = [
                (point.epoch, point.measured["parzen"].value)
                for point in measured
                if (point.weights, point.seed) == (weights, seed)
            ]
            axes.plot(*zip(*line, strict=True), "o-", color=colour, lw=1.5, ms=4)
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(-100, 260)  # epochs 1 and 2 are far below
    axes.set_xlabel("epoch", fontsize=12)
    axes.set_title("Log-likelihood of MNIST's test images, nats", fontsize=12, loc="left")
    for height, text in ((PAPER, "the paper: 225"), (real, f"real images: {real:.0f}")):
        axes.axhline(height, color=FAINT, lw=1, ls=":")
        axes.annotate(
            text,
            (0.01, height),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            color=FAINT,
            fontsize=11,
        )
    for weights, text, height in (
        ("average", "running average of G's weights", 0.13),
        ("newest", "G's newest weights (recipe paper)", 0.05),
    ):
        axes.annotate(
            text,
            (0.98, height),
            xycoords="axes fraction",
            ha="right",
            color=COLOURS[weights],
            fontsize=12,
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=11)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--append", type=Path)
    options = parser.parse_args()
    runs = [Run.open(path) for path in options.runs]
    reference = reference_for(runs[0])

    print("| epoch | seed | G's weights | Parzen, nats | σ | FID | recall | coverage |")
    print("|---|---|---|---|---|---|---|---|")
    measured: list[Point] = []
    for run in runs:
        for point in points(run, reference, options.samples):
            measured.append(point)
            row = (f"{point.epoch:g}", str(point.seed), point.weights, point.measured)
            print(table_row(*row), flush=True)
            if options.append:
                values = {name: [m.value, m.spread] for name, m in point.measured.items()}
                facts = {"seed": point.seed, "weights": point.weights}
                append_row(
                    options.append, {"step": point.step, "epoch": point.epoch} | facts | values
                )
    assert reference.real is not None
    real = measure(subset(reference.real, options.samples), reference)
    print(table_row("", "", "real training images", real))

    if options.images:
        growth_picture(measured, real["parzen"].value, options.images / "paper-growth.png")
        for name in ("samples", "nearest", "interpolation"):
            drawn = charts.write(runs[0], name).read_bytes()
            (options.images / f"paper-{name}.png").write_bytes(drawn)
        newest = samples(runs[0], runs[0].checkpoint_steps[-1], "newest", 100)
        charts.write_samples(newest, options.images / "paper-newest.png")


if __name__ == "__main__":
    main()
