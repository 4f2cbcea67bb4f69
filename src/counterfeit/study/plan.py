"""A study as data: which recipes, seeds and data sets, and for how long; and its folder.

```
studies/sgd-adam/
  study.toml          the plan, resolved: what a study's TOML file may hold, its variants spelt out
  recipes/LABEL.toml  the whole recipe of each variant
  tasks/ID.json       how a task ended; ID.lock is held by the process that is at it
  runs/ID/            its run directory
```

Whoever shares the folder can work on it and read it: where a task stands is seen from its files.
Nothing here imports torch until a study is made: a scheduler that hands tasks on needs none.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import tomli_w
from pydantic import Field, ValidationError, field_validator, model_validator

from counterfeit import arguments
from counterfeit import recipe as recipes
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.files import write_whole, writing
from counterfeit.recipe import Recipe, Section
from counterfeit.recipe.explain import explain
from counterfeit.recipe.tables import plain
from counterfeit.study.claim import is_claimed
from counterfeit.study.names import label_of, slug, unique
from counterfeit.study.outcome import Outcome, State

S = TypeVar("S", bound=Section)

PLAN = "study.toml"

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Count = Annotated[int, Field(ge=1, le=10**15)]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="at most 100 of A-Z, a-z, 0-9, '.', '_', '-', and no mark in front",
    ),
]


class Variant(Section):
    """One of the things that are compared: a recipe with some values of its own."""

    recipe: str
    """A built-in recipe's name, or a TOML file, beside the study's or wherever you are."""
    label: Name | None = None
    """What it is called; its recipe's name and its values when absent."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Other values than the recipe's, under dotted keys."""

    @field_validator("values", mode="before")
    @classmethod
    def _dotted(cls, values: Any) -> Any:
        return recipes.dotted(values) if isinstance(values, dict) else values


class Plan(Section):
    """What a study's TOML file says."""

    recipes: tuple[str, ...] = ()
    """Built-in recipes' names, or TOML files, beside the study's or wherever you are."""
    vary: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """Values to try under each dotted key, in every combination, with each of `recipes`."""
    variants: tuple[Variant, ...] = ()
    """More to compare, each spelt out."""
    seeds: Annotated[int, Field(ge=1, le=10_000)] | tuple[Seed, ...] = 5
    """How many, from 0; or which."""
    data: tuple[str, ...] = ()
    """Names of data sets, or folders of images; the recipe's own when absent."""
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Of every run; the recipe's own when absent."""
    images: Count | None = None
    """Instead: real images that D sees in a run, which ends with the epoch that reaches them."""
    seconds: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Instead: seconds that a run trains, evaluations left out, to the end of an epoch; at most the
    recipe's own epochs."""
    evaluate_every: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Epochs from one brief evaluation on the validation images to the next."""
    samples: Annotated[int, Field(ge=40, le=1_000_000)] = 10_000
    """Of the evaluation on the test images, at a run's end."""
    stop_on: Literal["critical"] | None = None
    """End a run at a finding of this severity; it counts as failed."""

    @field_validator("vary", mode="before")
    @classmethod
    def _dotted(cls, vary: Any) -> Any:
        return recipes.dotted(vary) if isinstance(vary, dict) else vary

    @model_validator(mode="after")
    def _says_what_and_how_long(self) -> Self:
        if not self.recipes and not self.variants:
            raise ValueError("needs recipes, or variants, to compare")
        if self.vary and not self.recipes:
            raise ValueError("vary needs recipes whose values it varies")
        if sum(each is not None for each in (self.epochs, self.images, self.seconds)) > 1:
            raise ValueError("needs one of epochs, images and seconds, not several")
        for key, values in self.vary.items():
            if not values:
                raise ValueError(f"vary.{key} needs values, such as [1e-4, 2e-4]")
        keys = {*self.vary, *(key for each in self.variants for key in each.values)}
        if self.data and "data.name" in keys:
            raise ValueError("needs data, or data.name of recipes, not both")
        if (self.epochs or self.images) and "training.epochs" in keys:
            raise ValueError("needs epochs or images, or training.epochs of recipes, not both")
        seeds = self.seed_list
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError("seeds should be a number of them, or different ones")
        return self

    @classmethod
    def read(cls, path: StrPath) -> "Plan":
        """The plan in that TOML file.

        Raises:
            UsageError: it cannot be read, or a key or a value is wrong.
        """
        path = arguments.path("a study", path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not TOML: it is not UTF-8 text.") from None
        plan = cls.parse(recipes.read_toml(text, str(path)), str(path))
        from counterfeit.data import is_published

        def seen(name: str) -> str:
            """The file or the folder of that name beside the plan, if there is one."""
            beside = path.parent / name
            return str(beside) if beside.exists() and name not in recipes.names() else name

        return plan.model_copy(
            update={
                "recipes": tuple(map(seen, plan.recipes)),
                "variants": tuple(
                    each.model_copy(update={"recipe": seen(each.recipe)}) for each in plan.variants
                ),
                "data": tuple(name if is_published(name) else seen(name) for name in plan.data),
            }
        )

    @classmethod
    def parse(cls, table: Mapping[str, Any], origin: str) -> "Plan":
        """The plan in `table`, which came from `origin`.

        Raises:
            UsageError: a key or a value is wrong.
        """
        table = plain(dict(table))
        variants = table.get("variants")
        for number, variant in enumerate(variants if isinstance(variants, list | tuple) else (), 1):
            _validated(Variant, variant, f"{origin}: variant {number}")
        return _validated(cls, table, origin)

    def with_values(self, values: Mapping[str, Any]) -> "Plan":
        """This plan with other values of its keys.

        Raises:
            UsageError: one is impossible.
        """
        budgets = {"epochs", "images", "seconds"}
        dropped = budgets if budgets & values.keys() else set()
        kept = self.model_dump(exclude_none=True, exclude_unset=True, exclude=dropped)
        return self.parse(kept | dict(values), "the study")

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(exclude_none=True, exclude_defaults=True))

    @property
    def seed_list(self) -> tuple[int, ...]:
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def spelt_out(self) -> tuple[Variant, ...]:
        """All that is compared: each recipe with each combination of what varies, and the others.

        Labels are those that are given, or a recipe's name and its values, and all different.
        """
        keys = list(self.vary)
        varied = [
            Variant(recipe=name, values=dict(zip(keys, combination, strict=True)))
            for name in self.recipes
            for combination in product(*self.vary.values())
        ]
        variants = [*varied, *self.variants]
        labels = [
            each.label or label_of(recipes.load(each.recipe).name, each.values) for each in variants
        ]
        return tuple(
            each.model_copy(update={"label": label})
            for each, label in zip(variants, unique(labels), strict=True)
        )


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
        return Outcome.read(self.folder / "tasks" / f"{self.id}.json")

    def end(self, outcome: Outcome) -> None:
        outcome.write(self.folder / "tasks" / f"{self.id}.json")

    @property
    def state(self) -> State:
        """`finished` or `failed`, which stay; else `training` while a process is at it, `stopped`
        where one was, and `waiting`."""
        if (ended := self.outcome) is not None:
            return ended.state
        if not self.lock.exists():
            return "waiting"
        if is_claimed(self.lock):
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
        if not (folder / PLAN).is_file():
            what = "is no study" if folder.exists() else "does not exist"
            raise UsageError(f"{folder} {what}; `counterfeit study RECIPE...` makes one.")
        return cls(folder.resolve(), Plan.read(folder / PLAN))

    @classmethod
    def make(cls, folder: StrPath, plan: Plan) -> "Study":
        """The study of that plan in `folder`, which is made; or that which is there already, and
        which may grow by variants, seeds and data sets.

        Raises:
            UsageError: an impossible recipe or value, two runs of one name, or the folder has a
                study that this plan contradicts.
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
        if (folder / PLAN).exists():
            kept = cls.open(folder)
            _require_growth(kept, study, specs)
            study = cls(folder, _grown(kept.plan, resolved))
        _stems(study.plan, {label: specs[label].data.name for label in study.labels})
        with writing(folder):
            for each in ("recipes", "tasks", "runs"):
                (folder / each).mkdir(parents=True, exist_ok=True)
        for label, spec in specs.items():
            write_whole(folder / "recipes" / f"{label}.toml", spec.to_toml().encode())
        write_whole(folder / PLAN, study.plan.to_toml().encode())
        return study

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


def _validated(kind: type[S], table: Any, origin: str) -> S:
    """What is in `table`, which came from `origin`.

    Raises:
        UsageError: a key or a value is wrong.
    """
    if not isinstance(table, dict):
        raise UsageError(f"{origin}: should be a section, not {arguments.shown(table)}.")
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        sentences = explain(error, table, kind.model_json_schema(), "the plan")
        raise UsageError(f"{origin}: {'; '.join(sentences)}") from None


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


def is_plan(path: Path) -> bool:
    """Whether a file says what to compare, and not how to train one recipe."""
    if path.suffix != ".toml" or not path.is_file():
        return False
    try:
        return bool({"recipes", "variants"} & tomllib.loads(path.read_text("utf-8")).keys())
    except (OSError, ValueError):  # whoever reads it next says what is wrong
        return False


def default_name(plan: Plan) -> str:
    """What a study is called that its user gave no name: its recipes'."""
    names = [Path(os.fspath(each)).stem for each in plan.recipes]
    return slug("-".join(dict.fromkeys(names)))[:80].rstrip("-") or "study"
