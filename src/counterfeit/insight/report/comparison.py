"""Runs beside each other in tables: what they came to, how good, where they differ, where made."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from counterfeit import data, recipe
from counterfeit.files import Row
from counterfeit.insight.columns import column, epoch_losses, newest_metrics, spent
from counterfeit.insight.numbers import real_number, sample_number
from counterfeit.language import english, tr, translated
from counterfeit.measure.names import class_shares, left_out_line, like, named
from counterfeit.run import Run
from counterfeit.run.findings import Finding
from counterfeit.run.rows import LeftOut, Measurement

GLANCE = ("fid", "coverage", "classes_found")
"""Metrics of the table at a glance."""

FACTS = (
    english("created"),
    english("seed"),
    english("history seed"),
    english("image shape"),
    english("data"),
    english("git revision"),
    english("platform"),
    english("processor"),
    english("device"),
    english("device name"),
    english("threads"),
    english("cores"),
)
"""Of an environment, in words; the others are names of programs."""

LONG = 28
"""Characters of a name; more would break lines in tables and legends."""

Rows = list[tuple[str, list[str]]]
"""Of a table: a key, and a value for each column."""


def headings_of(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: their titles, with seeds or directory names where they must."""
    titles = [translated(run.recipe.title) for run in runs]
    seeded = [
        tr("{title}, seed {seed}", title=title, seed=str(run.seed))
        for title, run in zip(titles, runs, strict=True)
    ]
    for headings in (titles, seeded):
        if len(set(headings)) == len(runs):
            return headings
    return [run.path.name for run in runs]


def short_names(runs: Sequence[Run], headings: Sequence[str]) -> list[str]:
    """The headings up to their colons, or recipes' names, where that still tells them apart."""
    short = [heading.partition(":")[0] for heading in headings]
    named = [
        name if len(name) <= LONG else run.recipe.name
        for name, run in zip(short, runs, strict=True)
    ]
    for names in (named, short):
        if len(set(names)) == len(runs):
            return names
    return list(headings)


def header(run: Run) -> dict[str, Any]:
    """Where the recipe comes from, and what it does otherwise."""
    spec = run.recipe
    return {
        "name": run.path.name,
        "source": spec.source,
        "deviations": [translated(each) for each in spec.deviations],
    }


def facts(run: Run) -> dict[str, str]:
    """What it was and what it came to."""
    spec, rows = run.recipe, run.log
    numbers = {
        tr("recipe"): spec.name,
        tr("seed"): str(run.seed),
        tr("data"): spec.data.name,
        tr("epochs"): _epochs(run),
    }
    if credit := data.credit(spec.data.name):
        numbers[tr("credit")] = credit
    if rows:
        logged = {key for row in rows for key in row}
        last, mean = epoch_losses(rows)
        numbers[tr("updates of G")] = f"{rows[-1]['step']:,}"
        for at, player in ((1, "D"), (2, "G")):
            if f"{player.lower()}_loss_last" in logged:
                numbers[tr("{player}'s loss, last batch", player=player)] = f"{last[-1, at]:.4g}"
            if f"{player.lower()}_loss" in logged:
                key = tr("{player}'s loss, last epoch's mean", player=player)
                numbers[key] = f"{mean[-1, at]:.4g}"
        if "images_per_second" in logged:
            speeds = column(rows, "images_per_second")
            numbers[tr("images per second (median)")] = f"{np.median(speeds):,.0f}"
    return numbers


def _epochs(run: Run) -> str:
    done = run.log[-1]["epoch"] if run.log else 0
    return tr("{done} of {planned}", done=f"{done:.4g}", planned=str(run.recipe.training.epochs))


def glance(
    runs: Sequence[Run], headings: Sequence[str], findings: Sequence[Sequence[Finding]]
) -> tuple[list[str], Rows]:
    """What matters most of each run: how good and how varied its images are, time and findings.

    Returns: the columns' names, real images last where they were measured; and the rows.
    """
    columns: list[dict[str, str]] = []
    for run, found in zip(runs, findings, strict=True):
        newest = newest_metrics(run.metrics)
        done = run.log[-1]["epoch"] if run.log else 0
        columns.append(
            _scores(newest["metrics"] if newest else {}, _absent(newest))
            | {
                tr("training time"): tr(
                    "{time} for {done} of {planned} epochs",
                    time=duration(training_seconds(run)),
                    done=f"{done:.4g}",
                    planned=str(run.recipe.training.epochs),
                ),
                tr("findings"): _listed([translated(finding.title) for finding in found]),
            }
        )
        if newest and newest["epoch"] != done:
            columns[-1][tr("measured after epoch")] = f"{newest['epoch']:.4g}"
    names = [tr("this run")] if len(runs) == 1 else list(headings)
    newest = newest_metrics([row for run in runs for row in run.metrics])
    asked = newest["metrics"] if newest and on_one_data_set(runs) else {}
    scores = runs[0].real_scores
    real = {name: scores[known] for name in asked if (known := like(name, scores))}
    if real:
        names, columns = [*names, tr("real images")], [*columns, _scores(real, {})]
    return names, side_by_side(columns)


def _absent(newest: Row | None) -> dict[str, str]:
    """What is said of each metric that an evaluation has not."""
    impossible = (
        {metric for each in newest["left_out"] for metric in each.metrics} if newest else ()
    )
    return {
        metric: tr("cannot be measured") if metric in impossible else tr("not measured")
        for metric in GLANCE
    }


def _scores(metrics: Mapping[str, Measurement], absent: Mapping[str, str]) -> dict[str, str]:
    values = {
        metric: metrics[name].value
        for metric in GLANCE
        if (name := named(metric, metrics)) and not math.isnan(metrics[name].value)
    }
    classes = len({name.of_class for name in class_shares(metrics)})
    words = {
        "fid": (tr("FID (lower is better)"), ".3g"),
        "coverage": (tr("coverage (0 to 1)"), ".2f"),
        "classes_found": (tr("classes found"), ".0f"),
    }
    scores = {
        heading: f"{values[metric]:{digits}}" if metric in values else absent.get(metric, "–")
        for metric, (heading, digits) in words.items()
    }
    if classes and "classes_found" in values:
        found = tr("classes found")
        scores[found] = tr("{found} of {of}", found=scores[found], of=str(classes))
    if (name := named("class_accuracy", metrics)) and not math.isnan(metrics[name].value):
        scores[tr("class accuracy (0 to 1)")] = f"{metrics[name].value:.3f}"
    return scores


def training_seconds(run: Run) -> float:
    """Of all updates that the log holds; NaN where there are none, or it has no speeds."""
    _, _, seconds = spent(run)
    return float(seconds[-1]) if len(seconds) else math.nan


def duration(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "–"
    if seconds < 1:
        return tr("less than a second")
    if seconds < 100:
        return tr("{count} s", count=f"{seconds:.0f}")
    if seconds < 6000:
        return tr("{count} min", count=f"{seconds / 60:.0f}")
    return tr("{count} h", count=f"{seconds / 3600:.1f}")


def _listed(titles: Sequence[str]) -> str:
    if not titles:
        return tr("none")
    first = ", ".join(titles[:2])
    if len(titles) <= 2:
        return first
    return tr("{findings} and {count} more", findings=first, count=str(len(titles) - 2))


def metrics(runs: Sequence[Run], headings: Sequence[str]) -> tuple[list[str], Rows]:
    """Each run's newest evaluation, and what real images score by the same protocols.

    Returns: the columns' names, and rows of (metric, a value for each column).
    """
    columns: list[dict[str, str]] = []
    real: dict[str, str] = {}
    for run in runs:
        row = newest_metrics(run.metrics)
        metrics = row["metrics"] if row else {}
        columns.append({tr("epoch"): f"{row['epoch']:.4g}"} if row else {})
        known = run.real_scores
        columns[-1] |= {
            name: sample_number(name, measurement, known.get(like(name, known) or ""))
            for name, measurement in metrics.items()
        }
        if on_one_data_set(runs):
            scores = {name: real_number(name, known) for name in metrics}
            real |= {name: score for name, score in scores.items() if score}
    if not any(columns):
        return [], []
    names = [tr("this run")] if len(runs) == 1 else list(headings)
    if real:
        names, columns = [*names, tr("real images")], [*columns, real]
    return names, side_by_side(columns)


def left_out(runs: Sequence[Run], headings: Sequence[str]) -> list[str]:
    """A line for each group of metrics that the newest evaluations could not measure, and why.

    What is so for all runs is said once.
    """
    found: dict[LeftOut, list[str]] = {}
    for run, heading in zip(runs, headings, strict=True):
        newest = newest_metrics(run.metrics)
        for each in newest["left_out"] if newest else ():
            found.setdefault(each, []).append(heading)
    return [
        left_out_line(each) + ("" if len(of) == len(runs) else f" ({', '.join(of)})")
        for each, of in found.items()
    ]


def on_one_data_set(runs: Sequence[Run]) -> bool:
    """Whether all were trained on the same, wherever it lay.

    Runs of earlier versions know their data's name only.
    """
    known = {run.trained_on for run in runs}
    if None in known:
        return len(known) <= 2 and len({run.recipe.data.name for run in runs}) == 1
    return len(known) == 1


def environments(runs: Sequence[Run]) -> tuple[Rows, Rows]:
    """Where they were made: what is the same for all, told once, and what is not."""
    rows = side_by_side([_environment(run) for run in runs])
    alike = [(key, values[:1]) for key, values in rows if len(set(values)) == 1]
    return alike, [row for row in rows if len(set(row[1])) > 1]


def _environment(run: Run) -> dict[str, str]:
    facts = {key: value for key, value in run.environment.items() if value is not None}
    facts["image_shape"] = " × ".join(map(str, run.image_shape))
    facts["classes"] = ", ".join(f"{name} ({size:,})" for name, size in facts["classes"].items())
    if run.trained_on:
        of = run.trained_on
        facts["data"] = tr(
            "{count} images in the training split, SHA-256 {sum}",
            count=f"{of.images:,}",
            sum=of.sha256,
        )
    told = {key: value for key, value in facts.items() if value != ""}
    return {translated(key.replace("_", " ")): str(value) for key, value in told.items()}


def differences(runs: Sequence[Run]) -> Rows:
    """The recipe's keys whose values are not the same in all runs; values as TOML writes them."""
    columns = [
        {
            key: json.dumps(value, ensure_ascii=False)
            for key, value in recipe.dotted(run.recipe.values).items()
            if value is not None
        }
        for run in runs
    ]
    return [row for row in side_by_side(columns) if len(set(row[1])) > 1]


def side_by_side(columns: Sequence[dict[str, str]]) -> Rows:
    """Rows of (key, a value for each column); "–" where a column has none."""
    keys = dict.fromkeys(key for each in columns for key in each)
    return [(key, [each.get(key, "–") for each in columns]) for key in keys]


def rerun_command(run: Run) -> str | None:
    """The command that trains this run again; None of a loop that is not ours."""
    spec = run.recipe
    if spec.is_custom:
        return None
    options = ["--seed", str(run.seed), "--epochs", str(spec.training.epochs)]
    known = spec.name in recipe.names() and spec == recipe.load(spec.name).with_overrides(
        [f"training.epochs={spec.training.epochs}"]
    )
    source = spec.name if known else str(run.path / "recipe.toml")
    return shlex.join(["counterfeit", "train", source, *options])
