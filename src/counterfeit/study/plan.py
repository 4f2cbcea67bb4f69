"""A study as data: which recipes, seeds and data sets, and for how long."""

import os
import tomllib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import tomli_w
from pydantic import Field, ValidationError, field_validator, model_validator

from counterfeit import arguments
from counterfeit import recipe as recipes
from counterfeit.arguments import StrPath
from counterfeit.errors import UsageError
from counterfeit.recipe import Section
from counterfeit.recipe.explain import explain
from counterfeit.recipe.tables import plain
from counterfeit.study.names import label_of, slug, unique

S = TypeVar("S", bound=Section)

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
        seen: list[Variant] = []
        for each in self._variants():
            if each in seen:
                name = each.label or label_of(Path(each.recipe).stem, each.values)
                raise ValueError(f"needs each recipe once, not {name} twice")
            seen.append(each)
        labels = [each.label for each in self.variants if each.label is not None]
        if len(set(labels)) < len(labels):
            raise ValueError("needs variants with different labels")
        return self

    @classmethod
    def read(cls, path: StrPath) -> "Plan":
        """The plan in that TOML file.

        Raises:
            UsageError: it cannot be read, or a key or a value is wrong.
        """
        path = arguments.path("a study", path)
        plan = cls.parse(recipes.read_toml(recipes.toml_text(path), str(path)), str(path))
        from counterfeit.data import is_published

        def seen(name: str) -> str:
            """The file or the folder of that name beside the plan, if there is one."""
            beside = path.parent / name
            try:
                there = beside.exists() and name not in recipes.names()
            except OSError:  # a name that is too long
                there = False
            return str(beside) if there else name

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
            validated(Variant, variant, f"{origin}: variant {number}")
        return validated(cls, table, origin)

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
        variants = self._variants()
        labels = [
            each.label or label_of(recipes.load(each.recipe).name, each.values) for each in variants
        ]
        return tuple(
            each.model_copy(update={"label": label})
            for each, label in zip(variants, unique(labels), strict=True)
        )

    def _variants(self) -> list[Variant]:
        """All that is compared, labelled where the plan says how."""
        varied = [
            Variant(recipe=name, values=dict(zip(self.vary, combination, strict=True)))
            for name in self.recipes
            for combination in product(*self.vary.values())
        ]
        return [*varied, *self.variants]


def validated(kind: type[S], table: Any, origin: str, what: str = "the plan") -> S:
    """What is in `table`, which came from `origin`.

    Args:
        what: the table is, in words.

    Raises:
        UsageError: a key or a value is wrong.
    """
    if not isinstance(table, dict):
        raise UsageError(f"{origin}: should be a section, not {arguments.shown(table)}.")
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        sentences = explain(error, table, kind.model_json_schema(), what)
        raise UsageError(f"{origin}: {'; '.join(sentences)}") from None


def is_plan(path: Path) -> bool:
    """Whether a file says what to compare, and not how to train one recipe."""
    if path.suffix != ".toml":
        return False
    try:
        return path.is_file() and bool(
            {"recipes", "variants"} & tomllib.loads(path.read_text("utf-8")).keys()
        )
    except (OSError, ValueError):  # whoever reads it next says what is wrong
        return False


def default_name(plan: Plan) -> str:
    """What a study is called that its user gave no name: its recipes'."""
    names = [Path(os.fspath(each)).stem for each in plan.recipes]
    return slug("-".join(dict.fromkeys(names)))[:80].rstrip("-") or "study"
