"""What a study's runs came to: each task's state, scores and cost, as its run directory says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from counterfeit.errors import CounterfeitError
from counterfeit.insight.columns import spent
from counterfeit.measure.names import MetricName, named
from counterfeit.run import Run
from counterfeit.run.rows import Measurements
from counterfeit.study.folder import Study, Task
from counterfeit.study.outcome import Outcome, State
from counterfeit.study.statistics import Values

Checkpoint = Literal["last", "best"]
"""Which one of a run is reported: its last, or that of the lowest FID on the validation images. The
scores are those on the test images, which choose nothing."""


@dataclass(frozen=True)
class Point:
    """An evaluation on the validation images, and what had been spent until then."""

    epoch: float
    images: float
    """Real ones that D had seen."""
    seconds: float
    """Of training, evaluations left out; NaN where the log has no speeds."""
    scores: Measurements


@dataclass(frozen=True)
class Result:
    """One task and what came of it."""

    task: Task
    state: State
    why: str = ""
    """What failed."""
    run: Run | None = None
    """None where none was begun."""
    step: int | None = None
    """Of the checkpoint that is reported; None before the end."""
    epoch: float = 0.0
    """Of that checkpoint."""
    trained: float = 0.0
    """Epochs of the whole training."""
    images: float = 0.0
    """Real ones that D has seen in it."""
    seconds: float = 0.0
    """That it trained, evaluations left out."""
    scores: Measurements = field(default_factory=dict)
    """Of that checkpoint, against the test images where images are compared with."""
    curve: Sequence[Point] = ()

    @property
    def label(self) -> str:
        return self.task.recipe

    @property
    def failed(self) -> bool:
        return self.state == "failed"


def read(study: Study, checkpoint: Checkpoint = "last") -> list[Result]:
    """What came of each task of the study so far, in the order of its tasks.

    Raises:
        CounterfeitError: a file of it is damaged.
    """
    return [_result(task, checkpoint) for task in study.tasks]


def _result(task: Task, checkpoint: Checkpoint) -> Result:
    outcome = task.outcome
    state = task.state if outcome is None else outcome.state
    why = "" if outcome is None else outcome.why or ""
    try:
        run = Run.open(task.run)
    except CounterfeitError:  # not begun, or it failed before its directory was whole
        return Result(task, state, why)
    with run.still():
        return _read(run, task, state, why, _step(outcome, checkpoint))


def _step(outcome: Outcome | None, checkpoint: Checkpoint) -> int | None:
    if outcome is None:
        return None
    return outcome.chosen_step if checkpoint == "best" else outcome.step


def _read(run: Run, task: Task, state: State, why: str, step: int | None) -> Result:
    """What the run of a task came to.

    Args:
        step: of the checkpoint that is reported.
    """
    steps, images, seconds = spent(run)
    if not len(steps):
        return Result(task, state, why, run)
    curve = [
        Point(
            row["epoch"],
            float(np.interp(row["step"], steps, images)),
            float(np.interp(row["step"], steps, seconds)),
            compared,
        )
        for row in run.metrics
        if (compared := of_splits(row["metrics"], "validation"))
    ]
    reported = [
        row for row in run.metrics if row["step"] == step and of_splits(row["metrics"], "test")
    ]
    return Result(
        task,
        state,
        why,
        run,
        step,
        epoch=reported[-1]["epoch"] if reported else 0.0,
        trained=float(run.log[-1]["epoch"]),
        images=float(images[-1]),
        seconds=float(seconds[-1]),
        scores={
            name: score
            for row in reported
            for name, score in of_splits(row["metrics"], "test", None).items()
        },
        curve=curve,
    )


def of_splits(metrics: Measurements, *splits: str | None) -> Measurements:
    """Those that compare with the images of these splits; None stands for no images at all."""
    return {
        name: score for name, score in metrics.items() if MetricName.parse(name).split in splits
    }


@dataclass(frozen=True)
class Board:
    """One metric of all runs on one data set, as arrays (recipes, seeds)."""

    data: str
    name: str
    """The metric's full name."""
    labels: Sequence[str]
    seeds: Sequence[int]
    values: Values
    """NaN where there is none: not ended, not measured, or failed."""
    failed: NDArray[np.bool_]
    """Also where the metric was measured and is no number."""


def board(results: Sequence[Result], metric: str) -> Board | None:
    """The metric's values of results on one data set; None where none was measured.

    Of several protocols, that which most runs have: numbers of different names do not compare.
    """
    names = [name for each in results if (name := named(metric, each.scores))]
    if not names:
        return None
    name = max(dict.fromkeys(names), key=names.count)
    labels = list(dict.fromkeys(each.label for each in results))
    seeds = sorted({each.task.seed for each in results})
    values = np.full((len(labels), len(seeds)), np.nan)
    failed = np.zeros(values.shape, bool)
    for each in results:
        place = labels.index(each.label), seeds.index(each.task.seed)
        value = each.scores[name].value if name in each.scores else np.nan
        failed[place] = each.failed or (name in each.scores and not np.isfinite(value))
        if not failed[place]:
            values[place] = value
    return Board(results[0].task.data, name, labels, seeds, values, failed)


def by_data(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results on each data set."""
    parts: dict[str, list[Result]] = {}
    for each in results:
        parts.setdefault(each.task.data, []).append(each)
    return parts
