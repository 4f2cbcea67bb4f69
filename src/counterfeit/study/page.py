"""One self-contained HTML page about a study: its verdict, and what that rests on."""

import base64
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from counterfeit.errors import CounterfeitError
from counterfeit.files import write_whole
from counterfeit.insight import verdict as verdicts
from counterfeit.insight.charts.grids import cell_scale, evenly, grid
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report.frame import environment, scripted
from counterfeit.insight.report.panels import compact
from counterfeit.insight.tables import place
from counterfeit.language import english, tr, translated
from counterfeit.measure.names import MetricName
from counterfeit.study import figures, statistics, words
from counterfeit.study.folder import PLAN, Study
from counterfeit.study.results import Result, board, by_data
from counterfeit.study.statistics import Estimate
from counterfeit.study.tables import cost, estimate_text
from counterfeit.study.verdict import SCALES, Scale, Standing, Verdict

SHOWN = 8
"""Runs of a recipe whose samples are shown."""

ACROSS = 10
"""Samples of each."""

METHOD = (
    english(
        "Recipes are compared seed by seed, by Student's t test of the differences; of a distance"
        " such as FID those of its logarithm, so that they are ratios. p values are corrected for"
        " how many comparisons are made (Holm 1979), so that of studies of recipes that are all"
        " alike no more than about 5 % claim a difference. No p is below 2 / 4ⁿ at n seeds, however"
        " alike their differences: runs that either succeed or collapse agree that often by chance."
    ),
    english(
        "How many seeds would do is for a chance of 80 % to find a difference as large as it looks,"
        " and allows for how little so few seeds know of the spread. docs/study.md gives the"
        " reasons, the sources, and what all this was found to do where the truth is known."
    ),
)


@dataclass(frozen=True)
class Listed:
    """A table of the caller's, which may be long: below the study's own, and folded up."""

    title: str
    summary: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_page(
    study: Study,
    results: Sequence[Result],
    verdict: Verdict,
    path: Path | None = None,
    *,
    title: str | None = None,
    about: Sequence[str] = (),
    listed: Listed | None = None,
    written_by: str | None = None,
) -> Path:
    """Write the page about the study, by default `report.html` in its folder; return its path.

    Args:
        results: all of the study's, of which the verdict is.
        title: of the page; the study's name when absent.
        about: sentences on what the study is for, at the top.
        listed: a table of what it came from.
        written_by: the command that writes the page; `counterfeit study report` when absent.

    Raises:
        CannotWrite: it cannot be written.
    """
    path = path or study.folder / "report.html"
    templates = environment("templates", package="counterfeit.study")
    by_set = by_data(results)
    parts = [
        _part(number, own, verdict, path, several=len(by_set) > 1)
        for number, own in enumerate(by_set.values(), 1)
    ]
    metric = translated(MetricName(verdict.metric).short)
    page = templates.get_template("study.html").render(
        title=title or tr("Study {name}", name=study.folder.name),
        about=about,
        listed=listed,
        state=_state(results),
        chart_style="",
        headings=["study", "recipes"],  # as wide as a page about several runs
        parts=parts,
        columns=[
            tr("recipe"),
            tr("{metric}, mean [95 %]", metric=metric),
            tr("interquartile mean [95 %]"),
            tr("failed [95 %]"),
            tr("epochs"),
            tr("seconds"),
            tr("images"),
        ],
        notes=words.notes(verdict),
        differences_how=tr(
            "How many times as large the first one's {metric} is as the second one's, with 95 %"
            " intervals or wider, seed by seed. Green is a difference that is real.",
            metric=metric,
        )
        if verdict.scale.log
        else tr(
            "The first one's {metric} less the second one's, with 95 % intervals or wider, seed by"
            " seed. Green is a difference that is real.",
            metric=metric,
        ),
        run_columns=[tr("run"), metric, tr("epoch"), tr("seconds"), tr("verdict")],
        method=[translated(text) for text in METHOD],
        plan=(study.folder / PLAN).read_text(encoding="utf-8"),
        command=written_by or shlex.join(["counterfeit", "study", "report", str(study.folder)]),
        **scripted(templates, ["words.js", "copy.js"]),
    )
    write_whole(path, page.encode(errors="replace"))
    return path


def _state(results: Sequence[Result]) -> str:
    """How far the study is."""
    ended = sum(each.state in ("finished", "failed") for each in results)
    seconds = math.fsum(each.seconds for each in results)
    return tr(
        "{ended} of {planned} runs have ended, after {seconds} seconds of training.",
        ended=str(ended),
        planned=str(len(results)),
        seconds=cost(seconds),
    )


def _part(
    number: int, results: Sequence[Result], verdict: Verdict, page: Path, *, several: bool
) -> dict[str, Any]:
    """What the page shows of one data set; where there are several, headings name it."""
    data = results[0].task.data
    standings = [each for each in verdict.standings if each.data == data]
    compared = [each for each in verdict.comparisons if each.data == data]
    labels = [each.label for each in standings]
    plots = figures.budgets(results, verdict.metric)
    if (found := verdict.boards.get(data)) is not None:
        plots = [figures.profiles(found, verdict.scale), *plots]
    pictures = [
        picture
        for n, label in enumerate(labels, 1)
        if (picture := _picture(n, [e for e in results if e.label == label], verdict))
    ]
    metrics = _metrics(results)
    runs = [_run(labels.index(each.label) + 1, each, verdict, page) for each in results]
    there = {
        "recipes": (tr("The recipes"), True),
        "differences": (tr("Differences"), bool(compared)),
        "curves": (tr("How reliably, and how soon"), bool(plots)),
        "samples": (tr("Samples"), bool(pictures)),
        "metrics": (tr("All metrics"), bool(metrics)),
        "runs": (tr("The runs"), True),
    }
    if several:
        told = f" ({words.data_name(data)})"
        there = {name: (heading + told, shown) for name, (heading, shown) in there.items()}
    begun = [each.run.path for each in results if each.run]
    return {
        "number": number,
        "name": words.data_name(data),
        "summary": words.summary(verdict, data),
        "standing": "healthy" if any(each.real for each in compared) else "open",
        "contents": [(name, heading) for name, (heading, shown) in there.items() if shown],
        "dots": figures.dots(verdict, results),
        "table": [_row(each) for each in standings],
        "forest": figures.forest(compared[: words.SAID]) if compared else None,
        "sentences": list(
            zip_longest(words.sentences(compared), [each.real for each in compared[: words.SAID]])
        ),
        "plots": plots,
        "labels": labels,
        "pictures": pictures,
        "metrics": metrics,
        "runs": runs,
        "pages": any(run["page"] for run in runs),
        "example": str(begun[0]) if begun else "RUN",
    }


def _row(standing: Standing) -> list[str]:
    """A recipe in the page's table."""
    ended = f"{standing.measured + standing.failed}"
    failed, (_, low, high) = f"{standing.failed}", standing.failed_share
    return [
        standing.label,
        estimate_text(standing.mean),
        estimate_text(standing.middle),
        tr("{found} of {of}", found=failed, of=ended) + f" [{low:.0%}, {high:.0%}]"
        if math.isfinite(low)
        else "–",
        cost(standing.epochs),
        cost(standing.seconds),
        cost(standing.images),
    ]


@dataclass(frozen=True)
class Picture:
    """Samples of a recipe's runs."""

    number: int
    label: str
    source: str
    """A data URI."""
    width: int
    height: int
    note: str


def _picture(number: int, results: Sequence[Result], verdict: Verdict) -> Picture | None:
    """Samples of a recipe's runs, a row for each; None where there are none."""
    name = verdict.names.get(results[0].task.data, "")
    sign = 1 if verdict.scale.lower_is_better else -1
    measured = sorted(
        (each for each in results if name in each.scores and not each.failed),
        key=lambda each: sign * each.scores[name].value,
    )
    rows, values = [], []
    for each in evenly(measured, SHOWN):
        try:
            assert each.run is not None
            rows.append(each.run.sample(ACROSS, step=each.step).numpy())
        except CounterfeitError:  # its checkpoint is gone, or is damaged
            continue
        values.append(f"{each.scores[name].value:.3g}")
    if not rows:
        return None
    images = np.concatenate(rows)
    picture, scale = grid(images, ACROSS), cell_scale(*images.shape[2:])
    encoded = base64.b64encode(compact(picture, "pixels")).decode()
    metric = translated(MetricName.parse(name).short)
    return Picture(
        number,
        results[0].label,
        f"data:image/webp;base64,{encoded}",
        picture.width // scale,
        picture.height // scale,
        tr("{metric} from top to bottom: {values}.", metric=metric, values=", ".join(values)),
    )


def _metrics(results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """Each metric's full name, and its mean and interval of each recipe."""
    names = dict.fromkeys(name for each in results for name in each.scores)
    parsed = sorted(map(MetricName.parse, names), key=place)
    wanted = dict.fromkeys(each.metric for each in parsed if each.of_class is None)
    rows = []
    for metric in wanted:
        found = board(results, metric)
        assert found is not None
        scale = SCALES.get(metric, Scale(lower_is_better=True))
        means = statistics.mean(scale.of(found.values))
        each_mean = [scale.mean(Estimate(*each)) for each in zip(*means, strict=True)]
        rows.append((found.name, [estimate_text(each) for each in each_mean]))
    return rows


def _run(number: int, result: Result, verdict: Verdict, page: Path) -> dict[str, Any]:
    """A row of the table of runs."""
    name = verdict.names.get(result.task.data, "")
    standing, sentence = "open", translated(result.why)
    if result.run is not None:
        try:
            with result.run.still():
                judged = verdicts.judge(result.run, diagnose(result.run))
            standing, sentence = judged.standing, sentence or judged.sentence
        except CounterfeitError as error:
            sentence = sentence or str(error)
    own = result.run and result.run.path / "report.html"
    return {
        "number": number,
        "name": f"{result.label}, {tr('seed {seed}', seed=str(result.task.seed))}",
        "page": Path(os.path.relpath(own, page.parent)).as_posix() if own and own.is_file() else "",
        "value": f"{result.scores[name].value:.3g}" if name in result.scores else "–",
        "epoch": f"{result.epoch or result.trained:.4g}",
        "seconds": cost(result.seconds),
        "state": "" if result.state == "finished" else translated(result.state),
        "standing": "failing" if result.failed else standing,
        "sentence": sentence,
    }
