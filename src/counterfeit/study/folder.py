"""A study's folder: its plan, its tasks, and where each of them stands.

```
studies/sgd-adam/
  study.toml          the plan, resolved: what a study's TOML file may hold, its variants spelt out
  recipes/LABEL.toml  the whole recipe of each variant
  tasks/ID.json       how a task ended; ID.lock is held by the process that is at it
  runs/ID/            its run directory
  .lock               held by the command that makes the study, or lets it grow
```

Whoever shares the folder can work on it and read it: where a task stands is seen from its files.
Nothing here imports torch until a study is made: a scheduler that hands tasks on needs none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from counterfeit import arguments
from counterfeit import recipe as recipes
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.files import is_locked, locked, write_whole, writing
from counterfeit.recipe import Recipe
from counterfeit.study.names import slug, unique
from counterfeit.study.outcome import Outcome, State
from counterfeit.study.plan import Plan, Variant

PLAN = "study.toml"
PARTS = ("recipes", "tasks", "runs")


@dataclass(frozen=True)
class Task:
    """One training: a recipe, a data set and a seed."""

    folder: Path
    """The study's."""
    recipe: str
    """The variant's label."""
    values: Mapping[str, Any]
    """What the variant has otherwise than the recipe it is made from, under dotted keys."""
    data: str
    """A data set's name, or the path of a folder of images."""
    seed: int
    id: str
    """Names its files."""
    until: int | None = None
    """Epochs to which it is trained for now, where it may go on later; to its end when absent."""

    @property
    def name(self) -> str:
        """Its id, and the epochs that it is trained to where that is not the end."""
        return self.id if self.until is None else f"{self.id}-e{self.until}"

    @property
    def run(self) -> Path:
        """Its run directory, which may not be there yet."""
        return self.folder / "runs" / self.id

    @property
    def lock(self) -> Path:
        return self.folder / "tasks" / f"{self.id}.lock"

    @cached_property
    def spec(self) -> Recipe:
        """What it trains; a budget in images may lower the epochs.

        Raises:
            UsageError: the study's copy of it is damaged.
        """
        spec = recipes.load(self.folder / "recipes" / f"{self.recipe}.toml")
        return spec.with_values({"data.name": self.data})

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it has not."""
        return Outcome.read(self.folder / "tasks" / f"{self.name}.json")

    def end(self, outcome: Outcome) -> None:
        outcome.write(self.folder / "tasks" / f"{self.name}.json")

    @property
    def state(self) -> State:
        """How it ended, which stays; else `training` while a process is at it, `stopped`
        where one was, and `waiting`."""
        if (ended := self.outcome) is not None:
            return ended.state
        if not self.lock.exists():
            return "waiting"
        if is_locked(self.lock):
            return "training"
        return "stopped" if self.run.exists() else "waiting"


class Study:
    """A study's folder, and what it plans."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    @classmethod
    def open(cls, folder: StrPath) -> "Study":
        """The study in that folder.

        Raises:
            UsageError: there is none, or its plan is damaged.
        """
        folder = arguments.path("a study", folder)
        if not is_study(folder):
            try:
                what = "is no study" if folder.exists() else "does not exist"
            except OSError as error:
                what = f"cannot be read: {error.strerror}"
            raise UsageError(f"{folder} {what}; `counterfeit study RECIPE...` makes one.")
        return cls(folder.resolve(), Plan.read(folder / PLAN))

    @classmethod
    def make(cls, folder: StrPath, plan: Plan) -> "Study":
        """The study of that plan in `folder`, which is made; or that which is there already, and
        which may grow by variants, seeds and data sets.

        Raises:
            UsageError: an impossible recipe or value, two runs of one name, or the folder has a
                study that this plan contradicts.
            CounterfeitError: another command makes it, or lets it grow, at this moment.
            CannotWrite: the folder cannot be made.
        """
        from counterfeit.data import anchored

        folder = arguments.path("a study", folder).resolve()
        variants = plan.spelt_out()
        specs = {str(each.label): _resolved(each, plan, str(each.label)) for each in variants}
        resolved = plan.model_copy(
            update={
                "recipes": (),
                "vary": {},
                "variants": variants,
                "seeds": plan.seed_list,
                "data": tuple(dict.fromkeys(map(anchored, plan.data))),
            }
        )
        study = cls(folder, resolved)
        study._require_names(specs)
        with writing(folder):
            for each in PARTS:
                (folder / each).mkdir(parents=True, exist_ok=True)
        busy = f"another command is changing {folder} at this moment; start this one again."
        with locked(folder / ".lock", busy):
            if (folder / PLAN).exists():
                kept = cls.open(folder)
                _require_growth(kept, study, specs)
                study = cls(folder, _grown(kept.plan, resolved))
                study._require_names(specs)
            for label, spec in specs.items():
                write_whole(folder / "recipes" / f"{label}.toml", spec.to_toml().encode())
            write_whole(folder / PLAN, study.plan.to_toml().encode())
        return study

    def _require_names(self, specs: Mapping[str, Recipe]) -> None:
        """
        Raises:
            UsageError: two runs would have one name.
        """
        _stems(self.plan, {label: specs[label].data.name for label in self.labels})

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Every variant with every data set and every seed; seed by seed, so that whatever is done
        can be compared."""
        return tuple(self._tasks())

    def _tasks(self) -> Iterator[Task]:
        own = {
            label: recipes.load(self.folder / "recipes" / f"{label}.toml").data.name
            for label in self.labels
        }
        stems = _stems(self.plan, own)
        for seed in self.plan.seed_list:
            for variant in self.plan.variants:
                label = str(variant.label)
                for name in self.plan.data or (own[label],):
                    task = f"{stems[label, name]}-s{seed}"
                    yield Task(self.folder, label, variant.values, name, seed, task)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of all that is compared."""
        return tuple(str(each.label) for each in self.plan.variants)


def is_study(folder: Path) -> bool:
    """Whether a study lies there."""
    try:
        return (folder / PLAN).is_file()
    except OSError:  # a name that is too long
        return False


def _resolved(variant: Variant, plan: Plan, label: str) -> Recipe:
    """The variant's whole recipe, by its label's name."""
    from counterfeit.data import anchored

    spec = recipes.load(variant.recipe).with_values(variant.values)
    values: dict[str, object] = {"name": label, "data.name": anchored(spec.data.name)}
    if plan.epochs is not None:
        values["training.epochs"] = plan.epochs
    return spec.with_values(values)


def _require_growth(old: Study, new: Study, specs: Mapping[str, Recipe]) -> None:
    """Refuse a plan that would change what a study has planned before, or leave some of it out.

    Raises:
        UsageError: it would.
    """
    elsewhere = f"{old.folder} is another study: {{}}; --name gives this one a folder of its own."
    grows = {"variants", "seeds", "data"}
    before, now = (each.plan.model_dump(exclude=grows) for each in (old, new))
    for key in before:
        if before[key] != now[key]:
            raise UsageError(elsewhere.format(f"{key} is {before[key]}, not {now[key]}"))
    for label in old.labels:
        if label not in specs:
            raise UsageError(elsewhere.format(f"it has {label}, which this one lacks"))
        kept = recipes.load(old.folder / "recipes" / f"{label}.toml")
        if changes := kept.changes(specs[label]):
            raise UsageError(elsewhere.format(f"in {label}, {changes[0]}"))
    for what, had, has in (
        ("seed", old.plan.seed_list, new.plan.seed_list),
        ("data", old.plan.data, new.plan.data),
    ):
        if missing := [each for each in had if each not in has]:
            raise UsageError(elsewhere.format(f"it has {what} {missing[0]}, which this one lacks"))
    if old.plan.data != new.plan.data and not old.plan.data:
        raise UsageError(elsewhere.format("it takes the recipes' own data"))


def _grown(old: Plan, new: Plan) -> Plan:
    """The new plan, what the old one has in its order first: names of runs depend on it."""
    variants = {each.label: each for each in (*old.variants, *new.variants)}
    return new.model_copy(
        update={
            "variants": tuple(variants.values()),
            "data": tuple(dict.fromkeys((*old.data, *new.data))),
        }
    )


def _stems(plan: Plan, own: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """What the runs of each variant on each data set are called, but for the seed.

    Args:
        own: the data set of each variant's recipe.

    Raises:
        UsageError: some would be called like others.
    """
    names = list(dict.fromkeys([*plan.data, *own.values()]))
    slugs = dict(zip(names, unique([slug(name) for name in names]), strict=True))
    stems: dict[tuple[str, str], str] = {}
    for label, its in own.items():
        for name in plan.data or (its,):
            stem = f"{label}-{slugs[name]}"
            if stem in stems.values():
                raise UsageError(
                    f"runs of {label} on {name} would be called {stem}, as others are: give the"
                    " recipe another name, or its variant another label."
                )
            stems[label, name] = stem
    return stems
