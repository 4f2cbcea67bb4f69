"""How many of the generated images are of each class, beside the data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from counterfeit.data import classes_of
from counterfeit.errors import CounterfeitError
from counterfeit.insight.charts.axes import CHART_DPI, CHART_WIDTH, D_COLOUR, G_COLOUR, style
from counterfeit.insight.columns import newest_metrics
from counterfeit.language import english
from counterfeit.measure import classifier
from counterfeit.measure.modes import mode_coverage
from counterfeit.measure.names import MetricName, class_shares, named
from counterfeit.run import Run
from counterfeit.run.rows import Measurement


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
    found: int | None = None
    """Classes that enough of the samples show clearly; None where it is not known."""


MOST_NAMES, MOST_LETTERS = 25, 30
"""Ticks that can be read beside each other, aslant and upright."""


def class_bars(shares: ClassShares) -> Figure:
    """Each class's share of the data and of the generated images, with two standard errors."""
    figure = Figure(figsize=(CHART_WIDTH, 3.1), dpi=CHART_DPI, layout="constrained")
    axes = figure.subplots()
    style(axes, shares.counted, "share of the images")
    at = np.arange(len(shares.real))
    axes.bar(at - 0.2, shares.real, 0.4, color=D_COLOUR, label="data")
    if shares.found == 0:  # the nearest class of images that are of none says nothing
        axes.text(0.5, 0.5, NOTHING_FOUND, transform=axes.transAxes, ha="center", fontsize=12)
        axes.set_ylim(0, 1)
    else:
        axes.bar(at + 0.2, shares.generated, 0.4, color=G_COLOUR, label="generated")
        errors = 2 * shares.errors
        axes.errorbar(at + 0.2, shares.generated, errors, fmt="none", ecolor="black", lw=1)
    widest = max(map(len, shares.classes))
    crowded = widest > 1 and widest * len(shares.classes) > 30
    every = math.ceil(len(shares.classes) / (MOST_NAMES if crowded else MOST_LETTERS))
    axes.set_xticks(
        at[::every],
        shares.classes[::every],
        rotation=60 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    reader = MetricName("", shares.reader).reader
    axes.set_xlabel(
        f"class, as read by {(reader and f'the {reader}') or 'a classifier'}", fontsize=12
    )
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=11)
    return figure


NOTHING_FOUND = "no class found in the generated images"
READ_HERE = 1000
"""Samples whose classes are counted where no evaluation has."""
UNKNOWN = Measurement(math.nan, math.nan)


def count_classes(run: Run) -> ClassShares:
    """By the last epoch's newest evaluation; by MNIST's classifier, where there is none.

    Raises:
        CounterfeitError: the data have no labels, or nothing has counted the samples' classes.
    """
    training = run.load_data("train")
    if training.labels is None:
        raise CounterfeitError(
            english("{data} has no labels, so there are no classes to count.", data=training.name)
        )
    classes = classes_of(training.labels)
    labels = classes.labels.tolist()
    measured = newest_metrics([row for row in run.metrics if class_shares(row["metrics"])])
    if measured is not None:
        epoch, found = measured["epoch"], class_shares(measured["metrics"])
        name = next(iter(found))
        counted_as = [replace(name, metric=f"share_{label}") for label in labels]
        generated, errors = np.array(
            [found.get(each, UNKNOWN) for each in counted_as], dtype=np.float64
        ).T
        reader = name.features or ""
        clear = named("classes_found", measured["metrics"], name.features)
        value = math.nan if clear is None else measured["metrics"][clear].value
        clearly = None if math.isnan(value) else int(value)
        counted = "samples" if name.count is None else f"{name.count:,} samples"
    elif run.recipe.data.name == "mnist":
        fixed = classifier.mnist()
        read = fixed.read(run.sample(READ_HERE))
        counts = read.classes.bincount(minlength=fixed.classes)
        generated = counts[labels].double().numpy() / READ_HERE
        errors = np.sqrt(generated * (1 - generated) / READ_HERE)
        reader, counted, epoch = fixed.name, f"{READ_HERE:,} samples", run.newest().epoch
        coverage = mode_coverage(read.probabilities, training.labels)
        clearly = int(coverage["classes_found"].value)
    else:
        raise CounterfeitError(
            english(
                "the classes of {run} were not counted yet; `counterfeit evaluate` counts them.",
                run=str(run.path),
            )
        )
    of_data = (classes.sizes.double() / len(training)).numpy()
    names = [training.classes[label] if training.classes else str(label) for label in labels]
    title = f"epoch {epoch:.4g}, {counted}"
    return ClassShares(generated, errors, of_data, names, title, reader, clearly)


def reader_of(run: Run) -> str:
    """The classifier that `count_classes` goes by."""
    measured = newest_metrics([row for row in run.metrics if class_shares(row["metrics"])])
    if measured is None:
        return classifier.mnist().name
    return next(iter(class_shares(measured["metrics"]))).features or english("a classifier")
