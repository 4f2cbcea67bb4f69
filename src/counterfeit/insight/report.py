"""One self-contained HTML page about a run, or about several beside each other.

Everything lies inside the file: pictures as data URIs, no script, no outside requests.
"""

import base64
import io
import math
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from counterfeit import recipe
from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.files import write_whole
from counterfeit.insight import figures
from counterfeit.insight.tables import number
from counterfeit.measure.measurement import Measurement
from counterfeit.recipe import Recipe
from counterfeit.run import Run

Verdict = Literal["agrees", "differs", "open"]


@dataclass(frozen=True)
class Statement:
    """What a source says, beside what the runs showed."""

    text: str
    source: str
    """Where it is said, such as "section 3.2"."""
    seen: str
    verdict: Verdict
    figure: str | None = None
    """The figure that shows it: an anchor of `anchor`."""


Kind = Literal["pixels", "labelled", "chart"]
"""A grid of images, shown at whole multiples of its size; one with text in it; or a chart."""


@dataclass(frozen=True)
class Section:
    """A figure of each run, and how to read them."""

    name: str
    """Of `figures.FIGURES`; also the section's anchor."""
    title: str
    caption: str
    alt: str
    kind: Kind
    applies: Callable[[Recipe], bool] = lambda _: True
    """Whether a run of this recipe can have the figure at all."""


@dataclass(frozen=True)
class Panel:
    """One run's figure, or the reason why there is none."""

    anchor: str
    heading: str
    kind: Kind
    note: str = ""
    alt: str = ""
    source: str = ""
    """A data URI."""
    width: int = 0
    height: int = 0
    missing: str = ""


SECTIONS = (
    Section(
        "samples",
        "Samples",
        "One hundred new images. Look for variety as much as for sharpness: every kind of image in"
        " the data should appear, and none twice.",
        "a grid of 100 generated images",
        "pixels",
    ),
    Section(
        "history",
        "One latent through training",
        "The same latent, drawn once before training, after each epoch: left to right, then down."
        " In a healthy run it settles into one readable image; noise or a blob that lasts means"
        " that G learns nothing, and an image that decays means that it has lost the game.",
        "the image of one fixed latent after each epoch, in a grid",
        "pixels",
    ),
    Section(
        "latents",
        "Eight latents through training",
        "Each row is one fixed latent, each column an epoch; epoch 0 is before training. Rows that"
        " grow alike are mode collapse: G gives one answer to every question.",
        "eight fixed latents as rows, epochs as columns",
        "labelled",
    ),
    Section(
        "animation",
        "All hundred latents, as a film",
        "The hundred fixed latents, epoch by epoch. Images that keep changing into other ones show"
        " a game that has not settled.",
        "animation of the 100 fixed latents' images over the epochs",
        "labelled",
    ),
    Section(
        "losses",
        "Losses",
        "D's loss (blue) is the mean of its two terms; at log 2 = 0.69, the dotted line, it can"
        " only guess, as an answer of 1/2 to everything costs just that. D near 0 while G (orange)"
        " climbs means that D has won; but curves that look calm say nothing about the images.",
        "D's and G's losses over the epochs, of each epoch's last batch and its mean",
        "chart",
    ),
    Section(
        "outputs",
        "What D answers",
        "D's answers to real images, D(x), and to generated ones, D(G(z)): the median as a line,"
        " the middle half dark, nine tenths pale. Bands that overlap around 1/2 mean that D cannot"
        " tell; bands stuck at 1 and 0 mean that it always can, and then G has little to learn"
        " from.",
        "quantiles of D(x) and D(G(z)) over the epochs",
        "chart",
    ),
    Section(
        "gradients",
        "Gradients",
        "How strongly each network is pushed to change, on a logarithmic scale. A line that sinks"
        " by powers of ten means that learning stops, and one that shoots up that it breaks.",
        "the norms of D's and G's gradients over the epochs",
        "chart",
    ),
    Section(
        "metrics",
        "Quality over epochs",
        "What the losses do not say. FID is the distance of the samples from real images; precision"
        " and density say how many samples look real, recall and coverage how much of the data"
        " they cover. Recall and coverage near 0 are mode collapse, however good a sample looks."
        " Real images reach about 0.9.",
        "FID, precision, recall, density and coverage over the epochs",
        "chart",
    ),
    Section(
        "maxout",
        "Maxout",
        "A maxout unit computes several linear functions of its input and answers with the highest:"
        " with two lines it can be a rectifier or an absolute value, with more any convex curve.",
        "the shapes of D's maxout units",
        "chart",
        lambda spec: "maxout" in spec.discriminator.activation,
    ),
    Section(
        "nearest",
        "Nearest training images",
        "After the gap stands the training image nearest, pixel by pixel, to the last sample of"
        " its row. A sample that equals it was memorised; one that only resembles it was"
        " generated.",
        "generated images, and beside each row the training image nearest to its last one",
        "pixels",
    ),
    Section(
        "interpolation",
        "From one latent to another",
        "Each row walks in a straight line from one latent to another. A smooth change with"
        " readable images on the way shows that G has learned a space of images, not a list.",
        "rows of images between two latents",
        "pixels",
    ),
    Section(
        "preview",
        "The data",
        "Real images with their labels. Training shows D the images; it never sees the labels.",
        "a few training images with their labels",
        "chart",
    ),
)

SHARED_MAXOUT = (
    "Each hidden layer's activation: dashed its lines, solid their maximum, which all units of the"
    " layer share. "
)
MAXOUT = (
    "A column is a unit of D's first layer, each row one of its pieces: a template over the"
    " pixels, where white counts for, black against and grey not at all. The unit answers with its"
    " best fitting piece. Shown are the units with the largest weights."
)


def anchor(figure: str, number: int = 1) -> str:
    """The anchor of a figure (see `figures.FIGURES`) of the report's run number 1, 2, …"""
    return f"{figure}-{number}"


def write_report(
    runs: Sequence[Run], path: Path | None = None, statements: Sequence[Statement] = ()
) -> Path:
    """Write the page about `runs`, and their figures into their directories; return its path.

    What a run does not have yet is named in its place.

    Args:
        runs: finished or not; several stand beside each other.
        path: the page; `report.html` in the run, or in the folder that several have in common.
        statements: a source's claims and what was seen here, for a table at the top.

    Raises:
        UsageError: no runs.
        CounterfeitError: a run's recipe or environment is damaged, or the page cannot be written.
        ValueError: a statement names a figure that the page does not have.
    """
    if not runs:
        raise UsageError("a report needs at least one run.")
    headings = _headings(runs)
    sections = [
        (section, panels)
        for section in SECTIONS
        if (panels := [_panel(section, run, n, headings) for n, run in _shown(section, runs)])
    ]
    anchors = {panel.anchor for _, panels in sections for panel in panels}
    for statement in statements:
        if statement.figure is not None and statement.figure not in anchors:
            raise ValueError(f"the report has no figure '{statement.figure}'")
    environment = Environment(
        loader=PackageLoader("counterfeit.insight"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html").render(
        title=runs[0].recipe.title if len(runs) == 1 else f"{len(runs)} runs side by side",
        statements=statements,
        sections=sections,
        headers=[_header(run, heading) for run, heading in zip(runs, headings, strict=True)],
        numbers=_table([_numbers(run) for run in runs]),
        metrics=_table([_metrics(run) for run in runs]),
        differences=_differences(runs),
        recipes=[run.recipe.to_toml() for run in runs],
        environments=_table([_environment(run) for run in runs]),
        commands=[rerun_command(run) for run in runs],
    )
    path = path or _default_path(runs)
    write_whole(path, page.encode(errors="replace"))
    return path


def rerun_command(run: Run) -> str:
    """The command that trains this run again."""
    spec = run.recipe
    options = ["--seed", str(run.seed), "--epochs", str(spec.training.epochs)]
    known = spec.name in recipe.names() and spec == recipe.load(spec.name).with_overrides(
        [f"training.epochs={spec.training.epochs}"]
    )
    source = spec.name if known else str(run.path / "recipe.toml")
    return shlex.join(["counterfeit", "train", source, *options])


def _default_path(runs: Sequence[Run]) -> Path:
    if len(runs) == 1:
        return runs[0].path / "report.html"
    return Path(os.path.commonpath([run.path.resolve().parent for run in runs])) / "report.html"


def _shown(section: Section, runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """The runs, numbered from 1, that the section shows; data that all share, once."""
    chosen = [(n, run) for n, run in enumerate(runs, 1) if section.applies(run.recipe)]
    if section.name == "metrics":
        return [(n, run) for n, run in chosen if figures.has_metric_curves(run)]
    one_data_set = len({run.recipe.data.name for run in runs}) == 1
    return chosen[:1] if section.name == "preview" and one_data_set else chosen


def _panel(section: Section, run: Run, number: int, headings: Sequence[str]) -> Panel:
    spec, heading = run.recipe, headings[number - 1]
    place = anchor(section.name, number)
    templates = section.name == "maxout" and spec.discriminator.activation == "maxout"
    kind: Kind = "pixels" if templates else section.kind
    try:
        path = figures.write(run, section.name)
        note = _note(section.name, run)
    except CounterfeitError as error:
        return Panel(place, heading, kind, missing=str(error))
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    if kind == "pixels":  # the size at which a pixel of an image is a pixel of the page
        scale = figures.cell_scale(*run.image_shape[1:])
        width, height = width // scale, height // scale
    elif path.suffix == ".png":
        width, height = width // 2, height // 2  # drawn finely, for dense screens
    encoded = base64.b64encode(content).decode()
    return Panel(
        place,
        heading,
        kind,
        note,
        alt=f"{heading}: {section.alt}.",
        source=f"data:image/{path.suffix[1:]};base64,{encoded}",
        width=width,
        height=height,
    )


def _note(figure: str, run: Run) -> str:
    """What must be known of this run to read its figure."""
    spec = run.recipe
    if figure in ("samples", "nearest", "interpolation"):
        note = f"After epoch {run.checkpoint().epoch:.4g}."
        if spec.generator.batch_norm:
            note += " BatchNorm uses its running statistics (eval mode), not the batch's own."
        return note
    if figure == "history":
        last = run.snapshot_epochs[-1]
        shown = min(last, figures.HISTORY_EPOCHS)
        return f"{shown} of {last} epochs, evenly chosen." if shown < last else f"{last} epochs."
    if figure == "losses" and spec.loss.real_labels != (1.0, 1.0):
        low, high = spec.loss.real_labels
        return f"With real labels from {low:g} to {high:g}, even a perfect D stays above 0."
    if figure == "maxout":
        if spec.discriminator.activation == "maxout":
            return MAXOUT
        if spec.discriminator.train_shared_maxout:
            return SHARED_MAXOUT + "The lines are trained; pale, the maximum that they started as."
        return SHARED_MAXOUT + "The lines are frozen at their random start: the shape is chance."
    return ""


def _headings(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: their titles, with seeds or directory names where they must."""
    titles = [run.recipe.title for run in runs]
    seeded = [f"{run.recipe.title}, seed {run.seed}" for run in runs]
    for headings in (titles, seeded):
        if len(set(headings)) == len(runs):
            return headings
    return [run.path.name for run in runs]


def _header(run: Run, heading: str) -> dict[str, Any]:
    spec = run.recipe
    return {
        "title": heading,
        "name": run.path.name,
        "source": spec.source,
        "deviations": spec.deviations,
    }


def _numbers(run: Run) -> dict[str, str]:
    spec, rows = run.recipe, run.log
    numbers = {"recipe": spec.name, "seed": str(run.seed)}
    numbers["data"] = spec.data.name
    done = rows[-1]["epoch"] if rows else 0
    numbers["epochs"] = f"{done:.4g} of {spec.training.epochs}"
    if rows:
        last, mean = figures.epoch_losses(rows)
        numbers["updates of G"] = f"{rows[-1]['step']:,}"
        for column, player in ((1, "D"), (2, "G")):
            numbers[f"{player}'s loss, last batch"] = f"{last[-1, column]:.3f}"
            numbers[f"{player}'s loss, last epoch's mean"] = f"{mean[-1, column]:.3f}"
        speeds = figures.column(rows, "images_per_second")
        numbers["images per second (median)"] = f"{np.median(speeds):,.0f}"
    return numbers


def _metrics(run: Run) -> dict[str, str]:
    """The last epoch's newest evaluation: values with their standard errors."""
    if not run.metrics:
        return {}
    row = max(reversed(run.metrics), key=lambda row: float(row["epoch"]))
    return {"epoch": f"{row['epoch']:.4g}"} | {
        name: number(Measurement(math.nan if value is None else value, spread))
        for name, (value, spread) in row["metrics"].items()
    }


def _environment(run: Run) -> dict[str, str]:
    facts = {key: value for key, value in run.environment.items() if value is not None}
    facts["image_shape"] = " × ".join(map(str, run.image_shape))
    return {key.replace("_", " "): str(value) for key, value in facts.items()}


def _differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The recipe's keys whose values are not the same in all runs."""
    flat = [_flatten(run.recipe.values) for run in runs]
    return [row for row in _table(flat) if len(set(row[1])) > 1]


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        elif value is not None:
            flat[prefix + key] = str(value)
    return flat


def _table(columns: Sequence[dict[str, str]]) -> list[tuple[str, list[str]]]:
    """Rows of (key, a value for each column); "–" where a column has none."""
    keys = dict.fromkeys(key for column in columns for key in column)
    return [(key, [column.get(key, "–") for column in columns]) for key in keys]
