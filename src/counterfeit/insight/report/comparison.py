"""Runs beside each other in tables: what they came to, how good, where they differ, where made."""

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from counterfeit import recipe
from counterfeit.insight.columns import column, epoch_losses, newest_metrics
from counterfeit.insight.tables import number, real_number
from counterfeit.run import Run


def headings_of(runs: Sequence[Run]) -> list[str]:
    """What tells the runs apart: their titles, with seeds or directory names where they must."""
    titles = [run.recipe.title for run in runs]
    seeded = [f"{run.recipe.title}, seed {run.seed}" for run in runs]
    for headings in (titles, seeded):
        if len(set(headings)) == len(runs):
            return headings
    return [run.path.name for run in runs]


def header(run: Run) -> dict[str, Any]:
    """Where the recipe comes from, and what it does otherwise."""
    spec = run.recipe
    return {
        "name": run.path.name,
        "source": spec.source,
        "deviations": spec.deviations,
    }


def facts(run: Run) -> dict[str, str]:
    """What it was and what it came to."""
    spec, rows = run.recipe, run.log
    numbers = {"recipe": spec.name, "seed": str(run.seed), "data": spec.data.name}
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


def metrics(
    runs: Sequence[Run], headings: Sequence[str]
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Each run's newest evaluation, and what real images score by the same protocols.

    Returns: the columns' names, and rows of (metric, a value for each column).
    """
    columns: list[dict[str, str]] = []
    real: dict[str, str] = {}
    for run in runs:
        row = newest_metrics(run.metrics)
        metrics = row["metrics"] if row else {}
        columns.append({"epoch": f"{row['epoch']:.4g}"} if row else {})
        columns[-1] |= {name: number(measurement) for name, measurement in metrics.items()}
        if on_one_data_set(runs):
            scores = {name: real_number(name, run.real_scores) for name in metrics}
            real |= {name: score for name, score in scores.items() if score}
    if not any(columns):
        return [], []
    names = ["this run"] if len(runs) == 1 else list(headings)
    if real:
        names, columns = [*names, "real images"], [*columns, real]
    return names, side_by_side(columns)


def on_one_data_set(runs: Sequence[Run]) -> bool:
    """Whether all were trained on the same, wherever it lay.

    Runs of earlier versions know their data's name only.
    """
    known = {run.trained_on for run in runs}
    if None in known:
        return len(known) <= 2 and len({run.recipe.data.name for run in runs}) == 1
    return len(known) == 1


def environment(run: Run) -> dict[str, str]:
    """Where it was made."""
    facts = {key: value for key, value in run.environment.items() if value is not None}
    facts["image_shape"] = " × ".join(map(str, run.image_shape))
    if run.trained_on:
        of = run.trained_on
        facts["data"] = f"{of.images:,} images in the training split, SHA-256 {of.sha256[:8]}"
    return {key.replace("_", " "): str(value) for key, value in facts.items()}


def differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The recipe's keys whose values are not the same in all runs."""
    columns = [
        {
            key: str(value)
            for key, value in recipe.dotted(run.recipe.values).items()
            if value is not None
        }
        for run in runs
    ]
    return [row for row in side_by_side(columns) if len(set(row[1])) > 1]


def side_by_side(columns: Sequence[dict[str, str]]) -> list[tuple[str, list[str]]]:
    """Rows of (key, a value for each column); "–" where a column has none."""
    keys = dict.fromkeys(key for each in columns for key in each)
    return [(key, [each.get(key, "–") for each in columns]) for key in keys]


def rerun_command(run: Run) -> str:
    """The command that trains this run again."""
    spec = run.recipe
    options = ["--seed", str(run.seed), "--epochs", str(spec.training.epochs)]
    known = spec.name in recipe.names() and spec == recipe.load(spec.name).with_overrides(
        [f"training.epochs={spec.training.epochs}"]
    )
    source = spec.name if known else str(run.path / "recipe.toml")
    return shlex.join(["counterfeit", "train", source, *options])
