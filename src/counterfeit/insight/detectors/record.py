"""What detectors look at: a run's rows, up to some step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from counterfeit.files import Row
from counterfeit.insight.columns import epoch_ends, epoch_mean, is_number
from counterfeit.measure.names import MetricName
from counterfeit.recipe import Recipe


@dataclass(frozen=True)
class Record:
    """What is known of a run, up to some step. Rows have `step` and `epoch`; all else may lack."""

    recipe: Recipe
    log: Sequence[Row]
    vitals: Sequence[Row] = ()
    metrics: Sequence[Row] = ()
    kept_epochs: Sequence[int] = ()
    """Epochs whose checkpoints are kept."""

    def until(self, epoch: float) -> "Record":
        """What was known at the end of that epoch."""
        log, vitals, metrics = (
            [row for row in rows if row["epoch"] <= epoch]
            for rows in (self.log, self.vitals, self.metrics)
        )
        kept = [each for each in self.kept_epochs if each <= epoch]
        return replace(self, log=log, vitals=vitals, metrics=metrics, kept_epochs=kept)

    @cached_property
    def columns(self) -> frozenset[str]:
        """What some row of the log or of the vital signs has a number under, finite or not; and
        `fid` where one was measured."""
        rows = [*self.log, *self.vitals]
        columns = {key for row in rows for key, value in row.items() if is_number(value)}
        return frozenset(columns | {"fid"} if self.fids else columns)

    @cached_property
    def epochs(self) -> list[Row]:
        """The log's rows, averaged within each epoch, the last of which may be going on."""
        means = {key: epoch_mean(self.log, key) for key in {key for row in self.log for key in row}}
        return [
            {key: float(means[key][number]) for key in row}
            | {key: row[key] for key in ("step", "epoch")}
            for number, row in enumerate(self.log[end] for end in epoch_ends(self.log))
        ]

    @cached_property
    def images(self) -> list[Row]:
        """Rows of vital signs, but that of the untrained networks."""
        return [row for row in self.vitals if row["step"] > 0]

    @property
    def has_ended(self) -> bool:
        """Whether the last epoch that was planned has been looked at."""
        return bool(self.images) and self.images[-1]["epoch"] >= self.recipe.training.epochs

    @cached_property
    def joined(self) -> list[Row]:
        """Rows of vital signs, each with its epoch's row of the log."""
        logged = {row["step"]: row for row in self.epochs}
        return [logged[row["step"]] | row for row in self.images if row["step"] in logged]

    def images_with(self, *keys: str) -> list[Row]:
        """Rows of vital signs that have a number under one of these keys or more."""
        return [row for row in self.images if any(is_number(row.get(key, "")) for key in keys)]

    @cached_property
    def fids(self) -> dict[str, list[Row]]:
        """Each FID's series under its full name: rows of step, epoch and its value, by epoch."""
        series: dict[str, dict[float, Row]] = {}
        for row in self.metrics:
            for name, (value, _) in row["metrics"].items():
                if MetricName.parse(name).metric == "fid" and math.isfinite(value):
                    measured = {"step": row["step"], "epoch": row["epoch"], name: value}
                    series.setdefault(name, {})[row["epoch"]] = measured
        return {name: [rows[at] for at in sorted(rows)] for name, rows in series.items()}
