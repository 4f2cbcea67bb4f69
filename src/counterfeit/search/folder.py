"""A search's folder: its plan, its trials, and where each of them stands.

```
searches/adam-space/
  search.toml           the plan, resolved
  recipe.toml           the recipe as it was
  recipes/trial-7.toml  the whole recipe of each trial
  tasks/trial-7.json    how a trial ended; trial-7-e3.json: that it reached epoch 3
  runs/trial-7/         its run directory
  optuna.sqlite         what Optuna knows; only the command that conducts the search opens it
  best.toml             the recipe of the best trial
  confirmation/         a study of the best trial beside the recipe as it was, on fresh seeds
```

All but Optuna's file is read by whoever looks, while the search goes on.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from counterfeit import arguments
from counterfeit import recipe as recipes
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.files import write_whole, writing
from counterfeit.measure.names import MetricName, named
from counterfeit.recipe import Recipe, read_toml, toml_text
from counterfeit.recipe.tables import plain
from counterfeit.run import Run
from counterfeit.run.rows import Measurements
from counterfeit.search.plan import Plan
from counterfeit.search.space import Space, brief, written
from counterfeit.study.folder import PARTS, Study, Task, is_study
from counterfeit.study.outcome import State
from counterfeit.study.plan import Plan as StudyPlan
from counterfeit.study.plan import Variant
from counterfeit.study.results import of_splits
from counterfeit.study.words import data_name

PLAN = "search.toml"
GROWS = {"trials", "confirm"}
"""What of a plan may change when a search goes on."""


@dataclass(frozen=True)
class Trial:
    """One thing that was tried, and what came of it so far."""

    number: int
    task: Task
    state: State
    values: Mapping[str, Any]
    """Under the space's keys; none where they make no recipe together."""
    scores: Mapping[int, float] = field(default_factory=dict)
    """Of the metric that is searched by, on the validation images, after so many epochs."""

    @property
    def score(self) -> float:
        """The last one; NaN where there is none."""
        return list(self.scores.values())[-1] if self.scores else math.nan


class Search:
    """A search's folder, and what it plans."""

    def __init__(self, folder: Path, plan: Plan, base: Recipe, space: Space) -> None:
        self.folder = folder
        self.plan = plan
        self.base = base
        """The recipe as it was."""
        self.space = space
        self._values: dict[str, dict[str, Any]] = {}

    @classmethod
    def open(cls, folder: StrPath) -> "Search":
        """The search in that folder.

        Raises:
            UsageError: there is none, or its files are damaged.
        """
        folder = arguments.path("a search", folder)
        if not is_search(folder):
            what = "is no search" if folder.exists() else "does not exist"
            raise UsageError(
                f"{folder} {what}; `counterfeit search RECIPE --space FILE.toml` makes one."
            )
        path = folder / PLAN
        plan = Plan.parse(plain(read_toml(toml_text(path), str(path))), str(path))
        base = recipes.load(folder / "recipe.toml")
        return cls(folder.resolve(), plan, base, Space.parse(plan.space, base, str(path)))

    @classmethod
    def make(cls, folder: StrPath, plan: Plan, base: Recipe) -> "Search":
        """The search of that plan in `folder`, which is made; or that which is there already, and
        which may go on with more trials, or more seeds in the end.

        Raises:
            UsageError: the space or the recipe is impossible, or the folder has another search.
            CannotWrite: the folder cannot be made.
        """
        folder = arguments.path("a search", folder).resolve()
        search = cls(folder, plan, base, Space.parse(plan.space, base, "the space"))
        if is_search(folder):
            _require_same(cls.open(folder), search)
        with writing(folder):
            for each in PARTS:
                (folder / each).mkdir(parents=True, exist_ok=True)
        write_whole(folder / "recipe.toml", base.to_toml().encode())
        write_whole(folder / PLAN, plan.to_toml().encode())
        return search

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Of all trials that there are."""
        parts = (self.folder / "recipes", "*.toml"), (self.folder / "tasks", "*.json")
        stems = {path.stem for folder, kind in parts for path in folder.glob(kind)}
        numbers = (stem.removeprefix("trial-") for stem in stems)
        return tuple(map(self.task, sorted(int(each) for each in numbers if each.isdecimal())))

    def task(self, number: int, until: int | None = None) -> Task:
        """A trial, to be trained until it has so many epochs."""
        name = f"trial-{number}"
        return Task(self.folder, name, {}, self.plan.data, self.plan.seed, name, until)

    def begin(self, number: int, values: Mapping[str, Any]) -> Task:
        """A trial of these values, whose recipe is written.

        Raises:
            UsageError: together they make no recipe.
        """
        spec = self.base.with_values(values)
        spec.require_trainable()
        spec = spec.with_values({"name": self.label(number)})
        write_whole(self.folder / "recipes" / f"trial-{number}.toml", spec.to_toml().encode())
        return self.task(number)

    def label(self, number: int) -> str:
        """What a trial is called beside the recipe as it was."""
        return f"{self.base.name[:80]}-trial-{number}"

    @property
    def trials(self) -> list[Trial]:
        """All of them, in their order, as their files say now."""
        return list(map(self.trial, self.tasks))

    def trial(self, task: Task) -> Trial:
        """A trial, as its files say now."""
        number = int(task.id.removeprefix("trial-"))
        return Trial(number, task, task.state, self.values(task), self.scores(task))

    def values(self, task: Task) -> dict[str, Any]:
        """What a trial tries under the space's keys; nothing where they make no recipe."""
        if task.id not in self._values:
            path = self.folder / "recipes" / f"{task.recipe}.toml"
            self._values[task.id] = self.space.of(recipes.load(path)) if path.exists() else {}
        return self._values[task.id]

    def scores(self, task: Task) -> dict[int, float]:
        """A trial's scores on the validation images, by epoch."""
        return {
            epoch: compared[name].value
            for epoch, compared in self.measured(task).items()
            if (name := named(self.plan.metric, compared))
        }

    def measured(self, task: Task) -> dict[int, Measurements]:
        """All that was measured of a trial on the validation images, by epoch."""
        if not task.run.exists():
            return {}
        rows = (
            (row["epoch"], of_splits(row["metrics"], "validation"))
            for row in Run.open(task.run).metrics
        )
        return {int(epoch): metrics for epoch, metrics in rows if metrics}

    def ranked(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those that were trained to their ends, the best one first."""
        sign = 1 if self.plan.lower_is_better else -1
        ended = [each for each in trials if each.state == "finished"]
        return sorted(ended, key=lambda each: (sign * each.score, each.number))

    @cached_property
    def unchanged(self) -> dict[str, Any]:
        """What the recipe as it was has under the space's keys."""
        return self.space.of(self.base)

    def changes(self, trial: Trial) -> list[str]:
        """`generator.optimizer.lr: 0.0002 -> 0.001` for each value that a trial has otherwise."""
        return [
            f"{key}: {brief(self.unchanged[key])} -> {brief(value)}"
            for key, value in trial.values.items()
            if written(value) != written(self.unchanged[key])
        ]

    def is_unchanged(self, trial: Trial) -> bool:
        """Whether a trial tries the recipe as it was."""
        return bool(trial.values) and not self.changes(trial)

    def write_best(self, best: Trial) -> Path:
        """Write the recipe of the best trial, for `counterfeit train`; its path.

        Raises:
            CannotWrite: it cannot be written.
        """
        spec = recipes.load(self.folder / "recipes" / f"{best.task.recipe}.toml")
        metric = MetricName(self.plan.metric).short
        found = (
            f"Found by a search: of {len(self.tasks)} trials number {best.number} has the best"
            f" {metric} on the validation images of {data_name(self.plan.data)},"
            f" {best.score:.4g} after {self.plan.epochs} epochs with seed {self.plan.seed}."
        )
        spec = spec.with_values(
            {
                "title": f"{self.base.title}; searched",
                "deviations": (*self.base.deviations, found, *self.changes(best)),
            }
        )
        path = self.folder / "best.toml"
        write_whole(path, spec.to_toml().encode())
        return path

    def confirmation(self, best: Trial) -> Study:
        """A study of the best trial beside the recipe as it was, on seeds that chose nothing.

        It grows where a search that goes on finds another one: those of before stay, and are
        corrected for.

        Raises:
            UsageError, CannotWrite: see `Study.make`.
        """
        tried = [
            Variant(recipe=str(self.folder / "recipes" / f"{name}.toml"), label=label)
            for name, label in (
                (f"trial-{number}", self.label(number)) for number in self._confirmed(best.number)
            )
        ]
        own = Variant(recipe=str(self.folder / "recipe.toml"), label=self.base.name)
        first = self.plan.seed + 1
        plan = StudyPlan(
            variants=(own, *tried),
            seeds=tuple(range(first, first + self.plan.confirm)),
            data=(self.plan.data,),
            evaluate_every=self.plan.rung_epochs[0],
            samples=self.plan.samples,
        )
        return Study.make(self.folder / "confirmation", plan)

    @property
    def confirmed(self) -> Study | None:
        """The study that confirms, as far as it is; None before it is begun."""
        folder = self.folder / "confirmation"
        return Study.open(folder) if is_study(folder) else None

    def grown(self, plan: Plan) -> "Search":
        """This search with a plan that has other numbers of trials and of seeds in the end.

        Raises:
            CannotWrite: it cannot be kept.
        """
        return self.make(self.folder, plan, self.base)

    def _confirmed(self, best: int) -> list[int]:
        """The trials that have been confirmed, and the best one."""
        kept = self.folder / "confirmation" / "recipes"
        before = (path.stem.rpartition("-trial-")[2] for path in kept.glob("*-trial-*.toml"))
        numbers = [int(each) for each in before if each.isdecimal()]
        return [*sorted(set(numbers) - {best}), best]


def is_search(folder: Path) -> bool:
    """Whether a folder holds a search."""
    return (folder / PLAN).is_file()


def _require_same(old: Search, new: Search) -> None:
    """
    Raises:
        UsageError: the folder has another search.
    """
    elsewhere = f"{old.folder} is another search: {{}}; --name gives this one a folder of its own."
    before, now = (each.plan.model_dump(exclude=GROWS | {"space"}) for each in (old, new))
    for key in before:
        if before[key] != now[key]:
            raise UsageError(elsewhere.format(f"{key} is {before[key]}, not {now[key]}"))
    if changes := old.base.changes(new.base):
        raise UsageError(elsewhere.format(f"in {old.base.name}, {changes[0]}"))
    tables = old.space.to_table(), new.space.to_table()
    for key in tables[0] | tables[1]:
        if (was := tables[0].get(key)) != (now_ := tables[1].get(key)):
            raise UsageError(elsewhere.format(f"{key} is searched in {was}, not in {now_}"))
