"""One self-contained HTML page about a run, or about several beside each other.

Everything lies inside the file: pictures as data URIs, a small script for the film's slider, no
outside requests. Without the script, and in print, the film is its last epoch's images.
"""

import base64
import io
import math
import os
import shlex
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from counterfeit import recipe
from counterfeit.errors import CannotWrite, CounterfeitError, UsageError
from counterfeit.files import write_whole
from counterfeit.insight import charts, verdict
from counterfeit.insight.charts.grids import COLUMNS, cell_scale
from counterfeit.insight.charts.history import HISTORY_EPOCHS
from counterfeit.insight.charts.losses import equilibrium
from counterfeit.insight.charts.metrics import has_metric_curves
from counterfeit.insight.columns import column, epoch_losses
from counterfeit.insight.diagnose import Finding, diagnose
from counterfeit.insight.film import films
from counterfeit.insight.tables import number
from counterfeit.recipe import Recipe
from counterfeit.run import SNAPSHOT_IMAGES, Run

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


Kind = Literal["pixels", "labelled", "chart", "film"]
"""A grid of images, shown at whole multiples of its size; one with text in it; a chart, which is
dark on a dark page; or a grid of images for each epoch, with a slider."""


@dataclass(frozen=True)
class Section:
    """A figure of each run, and how to read them."""

    name: str
    """Of `charts.FIGURES`; also the section's anchor."""
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
    epochs: Sequence[int] = ()
    """Of a film."""
    frames: Sequence[str] = ()
    """Data URIs of a film's images after these epochs."""


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
        "film",
        "All hundred latents, epoch by epoch",
        "What G makes of the same hundred latents as training goes on; epoch 0 is before it. Images"
        " that sharpen and then stay are a game that settles, and ones that keep turning into"
        " others are one that has not. The run's figures/animation.webp plays it, too.",
        "the images of the 100 fixed latents",
        "film",
    ),
    Section(
        "history",
        "One latent through training",
        "The first of them after each epoch: left to right, then down. In a healthy run it settles"
        " into one readable image; noise or a blob that lasts means that G learns nothing, and an"
        " image that decays means that it has lost the game.",
        "the image of one fixed latent after each epoch, in a grid",
        "pixels",
    ),
    Section(
        "latents",
        "Eight latents through training",
        "Each row is one fixed latent, each column the epoch above it; 0 is before training. Rows"
        " that grow alike are mode collapse: G gives one answer to every question.",
        "eight fixed latents as rows, epochs as columns",
        "labelled",
    ),
    Section(
        "losses",
        "Losses",
        "D's loss (blue) is the mean of its two terms, G's is orange. D near 0 while G climbs means"
        " that D has won; but curves that look calm say nothing about the images.",
        "D's and G's losses over the epochs, of each epoch's last batch and its mean",
        "chart",
    ),
    Section(
        "outputs",
        "What D answers",
        "D's answers to real images, D(x), and to generated ones, D(G(z)): the median as a line,"
        " the middle half dark, nine tenths pale. Bands that overlap at the dotted line mean that D"
        " cannot tell; bands stuck at 1 and 0 mean that it always can, and then G has little to"
        " learn from.",
        "quantiles of D(x) and D(G(z)) over the epochs",
        "chart",
    ),
    Section(
        "classes",
        "Balance of the classes",
        "How many of the generated images a fixed classifier takes for each class, beside the data."
        " A class that is missing is mode collapse, even where each image looks good. The thin"
        " black lines are two standard errors.",
        "bars of each class's share of the data and of the generated images",
        "chart",
    ),
    Section(
        "metrics",
        "Quality over epochs",
        "What the losses do not say. FID is the distance of the samples from real images; precision"
        " and density say how many samples look real, recall and coverage how much of the data"
        " they cover. Recall and coverage near 0 are mode collapse, however good a sample looks."
        " The dashed lines are what real training images score: the best to hope for.",
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
        "maxout-history",
        "Maxout through training",
        "The pieces of D's two strongest units, a row each; the columns are epochs whose"
        " checkpoints are kept. Grey that turns into strokes has learned what to look for.",
        "templates of two maxout units as rows, epochs as columns",
        "labelled",
        lambda spec: spec.discriminator.activation == "maxout",
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
        "labelled",
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
    """The anchor of a figure (see `charts.FIGURES`) of the report's run number 1, 2, …"""
    return f"{figure}-{number}"


def write_report(
    runs: Sequence[Run], path: Path | None = None, statements: Sequence[Statement] = ()
) -> Path:
    """Write the page about `runs`, and their figures into their directories; return its path.

    What a run does not have yet is named in its place. A run that takes no files keeps no figures;
    the page holds them all the same.

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
    findings = [diagnose(run) for run in runs]
    reels = _film_panels(runs, headings)
    sections: list[tuple[Section, list[Panel]]] = []
    for section in SECTIONS:
        if section.name == "film":
            sections.append((section, reels))
            continue
        panels = [
            _panel(section, run, n, headings, findings[n - 1]) for n, run in _shown(section, runs)
        ]
        if panels:
            sections.append((section, panels))
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
        verdicts=[verdict.judge(run, found) for run, found in zip(runs, findings, strict=True)],
        statements=statements,
        sections=sections,
        film_epochs=sorted({epoch for panel in reels for epoch in panel.epochs}),
        findings=[
            [_shown_finding(finding, run, n, anchors) for finding in found]
            for n, (run, found) in enumerate(zip(runs, findings, strict=True), 1)
        ],
        headings=headings,
        headers=[_header(run) for run in runs],
        numbers=_table([_numbers(run) for run in runs]),
        metrics=_metrics(runs, headings),
        differences=_differences(runs),
        recipes=[run.recipe.to_toml() for run in runs],
        environments=_table([_environment(run) for run in runs]),
        commands=[rerun_command(run) for run in runs],
    )
    path = path or default_page(runs)
    write_whole(path, page.encode(errors="replace"))
    return path


def default_page(runs: Sequence[Run]) -> Path:
    """Where the page about them is written: in the run, or in the folder they have in common."""
    if len(runs) == 1:
        return runs[0].path / "report.html"
    return Path(os.path.commonpath([run.path.resolve().parent for run in runs])) / "report.html"


def rerun_command(run: Run) -> str:
    """The command that trains this run again."""
    spec = run.recipe
    options = ["--seed", str(run.seed), "--epochs", str(spec.training.epochs)]
    known = spec.name in recipe.names() and spec == recipe.load(spec.name).with_overrides(
        [f"training.epochs={spec.training.epochs}"]
    )
    source = spec.name if known else str(run.path / "recipe.toml")
    return shlex.join(["counterfeit", "train", source, *options])


def _shown(section: Section, runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """The runs, numbered from 1, that the section shows; data that all share, once."""
    chosen = [(n, run) for n, run in enumerate(runs, 1) if section.applies(run.recipe)]
    if section.name == "metrics":
        return [(n, run) for n, run in chosen if has_metric_curves(run)]
    one_data_set = len({run.recipe.data.name for run in runs}) == 1
    return chosen[:1] if section.name == "preview" and one_data_set else chosen


def _film_panels(runs: Sequence[Run], headings: Sequence[str]) -> list[Panel]:
    """The film of each run; the animation of it becomes a file among the run's figures."""
    panels = []
    for index, (run, reel) in enumerate(zip(runs, films(runs), strict=True)):
        place, heading = anchor("film", index + 1), headings[index]
        if reel.missing:
            panels.append(Panel(place, heading, "film", missing=reel.missing))
            continue
        _draw(run, "animation")
        height, width = run.image_shape[1:]
        panels.append(
            Panel(
                place,
                heading,
                "film",
                alt=f"{heading}: the images of the 100 fixed latents",
                width=COLUMNS * width,
                height=SNAPSHOT_IMAGES // COLUMNS * height,
                epochs=reel.epochs,
                frames=reel.sources,
            )
        )
    return panels


def _shown_finding(finding: Finding, run: Run, number: int, anchors: Set[str]) -> dict[str, Any]:
    """A finding as the page words it, with the figure that shows it when the page has that."""
    evidence = {key: value for key, value in finding.evidence.items() if key != "figure"}
    figure = anchor(str(finding.evidence.get("figure", "")), number)
    done = run.log[-1]["epoch"] if run.log else 0
    return {
        "severity": finding.severity,
        "title": verdict.title(finding).capitalize(),
        "span": verdict.span(finding, done),
        "epoch": math.ceil(finding.first_epoch),
        "evidence": [
            (key.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else value)
            for key, value in evidence.items()
        ],
        "meaning": finding.meaning,
        "advice": finding.advice,
        "source": finding.source,
        "figure": figure if figure in anchors else None,
        "figure_title": next(
            (each.title for each in SECTIONS if anchor(each.name, number) == figure), ""
        ),
    }


def _draw(run: Run, name: str, findings: Sequence[Finding] = ()) -> tuple[str, bytes]:
    """A figure's format and content; the run keeps it too, where it can be written.

    Raises:
        CounterfeitError: the run has not what the figure takes.
    """
    with TemporaryDirectory() as folder:
        path = charts.write(run, name, findings, folder=Path(folder))
        content = path.read_bytes()
    kept = run.path / "figures"
    with suppress(OSError, CannotWrite):
        kept.mkdir(exist_ok=True)
        write_whole(kept / path.name, content)
    return path.suffix[1:], content


def _panel(
    section: Section,
    run: Run,
    number: int,
    headings: Sequence[str],
    findings: Sequence[Finding],
) -> Panel:
    spec, heading = run.recipe, headings[number - 1]
    place = anchor(section.name, number)
    templates = section.name == "maxout" and spec.discriminator.activation == "maxout"
    kind: Kind = "pixels" if templates else section.kind
    try:
        suffix, content = _draw(run, section.name, _marked(section.name, findings))
        note = _note(section.name, run)
    except CounterfeitError as error:
        return Panel(place, heading, kind, missing=str(error))
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    if kind == "pixels":  # the size at which a pixel of an image is a pixel of the page
        scale = cell_scale(*run.image_shape[1:])
        width, height = width // scale, height // scale
    elif suffix == "png":
        width, height = width // 2, height // 2  # drawn finely, for dense screens
    encoded = base64.b64encode(content).decode()
    return Panel(
        place,
        heading,
        kind,
        note,
        alt=f"{heading}: {section.alt}.",
        source=f"data:image/{suffix};base64,{encoded}",
        width=width,
        height=height,
    )


def _marked(figure: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings to mark in a figure: all in the losses, elsewhere those that it shows."""
    return [each for each in findings if figure in ("losses", each.evidence.get("figure"))]


def _note(figure: str, run: Run) -> str:
    """What must be known of this run to read its figure."""
    spec = run.recipe
    if figure in ("samples", "nearest", "interpolation"):
        note = f"After epoch {run.checkpoint().epoch:.4g}."
        if spec.generator.batch_norm:
            note += " BatchNorm uses its running statistics (eval mode), not the batch's own."
        if spec.generator.ema_decay:
            note += (
                " Made by the running average of G's weights; the losses are the newest weights'."
            )
        return note
    if figure == "history":
        last = run.snapshot_epochs[-1]
        shown = min(last, HISTORY_EPOCHS)
        return f"{shown} of {last} epochs, evenly chosen." if shown < last else f"{last} epochs."
    if figure == "losses":
        return _equilibrium_note(spec)
    if figure == "metrics" and not run.real_scores:
        return "What real images score was not measured; counterfeit evaluate does."
    if figure == "maxout":
        if spec.discriminator.activation == "maxout":
            return MAXOUT
        if spec.discriminator.train_shared_maxout:
            return SHARED_MAXOUT + "The lines are trained; in colours, their maximum before."
        return SHARED_MAXOUT + "The lines are frozen at their random start: the shape is chance."
    return ""


def _equilibrium_note(spec: Recipe) -> str:
    """Where the losses rest when nobody can gain, by this recipe."""
    even = equilibrium(spec)
    low, high = spec.loss.real_labels
    where = (
        "Dotted, the equilibrium, where G makes the data's images and D can only answer"
        f" {even.output:.2g}:"
    )
    if low == high == 1:
        g_loss = "-log 2 = -0.69" if spec.loss.generator == "minimax" else "log 2 as well"
        return (
            f"{where} D's loss is log 2 = 0.69, half of the log 4 of the paper's value function,"
            f" which sums the two terms, and G's is {g_loss}."
        )
    return (
        f"{where} with real labels from {low:g} to {high:g}, D's loss is {even.d_loss:.2f} (D*) and"
        f" G's {even.g_loss:.2f} (G*), where labels of 1 would have log 2 = 0.69; and even a"
        " perfect D stays above 0."
    )


def _headings(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: their titles, with seeds or directory names where they must."""
    titles = [run.recipe.title for run in runs]
    seeded = [f"{run.recipe.title}, seed {run.seed}" for run in runs]
    for headings in (titles, seeded):
        if len(set(headings)) == len(runs):
            return headings
    return [run.path.name for run in runs]


def _header(run: Run) -> dict[str, Any]:
    spec = run.recipe
    return {
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
        logged = {key for row in rows for key in row}
        last, mean = epoch_losses(rows)
        numbers["updates of G"] = f"{rows[-1]['step']:,}"
        for at, player in ((1, "D"), (2, "G")):
            if f"{player.lower()}_loss_last" in logged:
                numbers[f"{player}'s loss, last batch"] = f"{last[-1, at]:.3f}"
            if f"{player.lower()}_loss" in logged:
                numbers[f"{player}'s loss, last epoch's mean"] = f"{mean[-1, at]:.3f}"
        if "images_per_second" in logged:
            speeds = column(rows, "images_per_second")
            numbers["images per second (median)"] = f"{np.median(speeds):,.0f}"
    return numbers


def _metrics(
    runs: Sequence[Run], headings: Sequence[str]
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Each run's newest evaluation, and what real images score by the same protocols.

    Returns: the columns' names, and rows of (metric, a value for each column).
    """
    columns: list[dict[str, str]] = []
    real: dict[str, str] = {}
    for run in runs:
        row = verdict.newest_metrics(run.metrics)
        metrics = row["metrics"] if row else {}
        columns.append({"epoch": f"{row['epoch']:.4g}"} if row else {})
        columns[-1] |= {name: number(measurement) for name, measurement in metrics.items()}
        if len({run.recipe.data.name for run in runs}) == 1:
            scores = run.real_scores
            real |= {name: number(scores[name]) for name in metrics if name in scores}
    if not any(columns):
        return [], []
    names = ["this run"] if len(runs) == 1 else list(headings)
    return ([*names, "real images"], _table([*columns, real])) if real else (names, _table(columns))


def _environment(run: Run) -> dict[str, str]:
    facts = {key: value for key, value in run.environment.items() if value is not None}
    facts["image_shape"] = " × ".join(map(str, run.image_shape))
    return {key.replace("_", " "): str(value) for key, value in facts.items()}


def _differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The recipe's keys whose values are not the same in all runs."""
    columns = [
        {
            key: str(value)
            for key, value in recipe.dotted(run.recipe.values).items()
            if value is not None
        }
        for run in runs
    ]
    return [row for row in _table(columns) if len(set(row[1])) > 1]


def _table(columns: Sequence[dict[str, str]]) -> list[tuple[str, list[str]]]:
    """Rows of (key, a value for each column); "–" where a column has none."""
    keys = dict.fromkeys(key for each in columns for key in each)
    return [(key, [each.get(key, "–") for each in columns]) for key in keys]
