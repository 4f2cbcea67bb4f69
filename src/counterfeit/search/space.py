"""What a search may try: for each dotted key of a recipe, choices or a range."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Self

from pydantic import model_validator

from counterfeit import arguments
from counterfeit import recipe as recipes
from counterfeit.arguments import StrPath, shown
from counterfeit.errors import UsageError
from counterfeit.recipe import Recipe, Section
from counterfeit.recipe.tables import modern_key, plain
from counterfeit.study.plan import validated

FIXED = {
    "data": "what is measured is the same for all trials; --data names it",
    "training.epochs": "--epochs says how long trials are trained",
    "name": "it is a word about the recipe, and changes no training",
    "title": "it is a word about the recipe, and changes no training",
    "source": "it is a word about the recipe, and changes no training",
    "deviations": "it is a word about the recipe, and changes no training",
}
"""Keys that no search may try, and why."""

MOST_COMBINATIONS = 1000
"""Of names, with each of which all other values are checked."""


class Range(Section):
    """Numbers from `low` to `high`, both included: whole ones where the recipe takes no others."""

    low: int | float
    high: int | float
    log: bool = False
    """Whether each factor counts the same, as for learning rates."""
    step: int | float | None = None
    """From one number to the next; any number between, or any whole one, when absent."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"needs low below high, not {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"with log needs low above 0, not {self.low}")
        if self.log and self.step is not None:
            raise ValueError("needs log or step, not both")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"needs a step above 0 that fits between low and high: {self.step}")
        return self

    @property
    def whole(self) -> bool:
        return not any(isinstance(each, float) for each in (self.low, self.high, self.step))

    def as_floats(self) -> "Range":
        step = None if self.step is None else float(self.step)
        return self.model_copy(
            update={"low": float(self.low), "high": float(self.high), "step": step}
        )


Choices = tuple[Any, ...]


@dataclass(frozen=True)
class Space:
    """What may be tried under each dotted key."""

    entries: Mapping[str, Range | Choices]

    @classmethod
    def read(cls, path: StrPath, spec: Recipe) -> "Space":
        """The space in that TOML file, around that recipe.

        Raises:
            UsageError: it cannot be read, or the recipe has no such key or takes no such value.
        """
        path = arguments.path("a space", path)
        return cls.parse(recipes.read_toml(recipes.toml_text(path), str(path)), spec, str(path))

    @classmethod
    def parse(cls, table: Mapping[str, Any], spec: Recipe, origin: str) -> "Space":
        """The space in `table`, which came from `origin`.

        Each value is tried on the recipe, together with each combination of names where the space
        has several: of optimisers, say, which differ in what keys they have.

        Raises:
            UsageError: the recipe has no such key or takes no such value.
        """
        entries = {
            modern_key(key): _entry(f"{origin}: {key}", value) for key, value in _flat(plain(table))
        }
        _require_keys(entries, origin)
        checked = dict(sorted(entries.items()))  # what is drawn depends on their order
        for names in _names(entries):
            for key, entry in entries.items():
                ends = (entry.low, entry.high) if isinstance(entry, Range) else entry
                for value in ends:
                    _require_possible(spec, names | {key: value}, key, origin)
                if isinstance(entry, Range) and entry.whole and not entry.step:
                    between = names | {key: entry.low + 0.5}
                    if _is_possible(spec, between):
                        checked[key] = entry.as_floats()
        return cls(checked)

    def to_table(self) -> dict[str, Any]:
        """As `parse` takes it."""
        return {
            key: entry.model_dump(exclude_defaults=True) if isinstance(entry, Range) else entry
            for key, entry in self.entries.items()
        }

    def of(self, spec: Recipe) -> dict[str, Any]:
        """What a recipe has under the space's keys; None where it has nothing."""
        table = spec.model_dump(exclude_none=True)
        return {key: plain(_at(table, key)) for key in self.entries}

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether these values could be tried."""
        return all(_holds(entry, values[key]) for key, entry in self.entries.items())


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What stands under dotted keys; tables with `low` or `high` are ranges."""
    for key, value in table.items():
        if isinstance(value, dict) and not value.keys() & {"low", "high"}:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _entry(origin: str, value: Any) -> Range | Choices:
    """
    Raises:
        UsageError: it is neither a range nor choices.
    """
    if isinstance(value, dict):
        return validated(Range, value, origin, "the range")
    if not isinstance(value, tuple) or not value:
        raise UsageError(
            f"{origin}: should be a list of choices, as in [0.0, 0.3], or a range, as in"
            f" {{ low = 1e-5, high = 1e-2, log = true }}, not {shown(value)}."
        )
    if len({written(each) for each in value}) < len(value):
        raise UsageError(f"{origin}: has a choice twice; name each once.")
    return value


def written(choice: Any) -> str:
    """A choice as text, which tells it from all others."""
    return json.dumps(choice, ensure_ascii=False)


def brief(value: Any) -> str:
    """A value for people: of numbers four digits."""
    return f"{value:.4g}" if isinstance(value, float) else written(value).strip('"')


def _require_keys(entries: Mapping[str, Any], origin: str) -> None:
    """
    Raises:
        UsageError: there are none, one is not to be searched, or one lies within another.
    """
    if not entries:
        raise UsageError(
            f"{origin} has no keys; write what to try, as in"
            " generator.optimizer.lr = { low = 1e-5, high = 1e-2, log = true }."
        )
    for key in entries:
        for fixed, why in FIXED.items():
            if key == fixed or key.startswith(f"{fixed}."):
                raise UsageError(f"{origin}: {key} is not searched: {why}.")
        for other in entries:
            if other.startswith(f"{key}."):
                raise UsageError(f"{origin}: {key} holds {other}; search one of them.")


def _names(entries: Mapping[str, Range | Choices]) -> Iterator[dict[str, Any]]:
    """Each combination of names that the space has, up to a thousand."""
    named = {
        key: entry
        for key, entry in entries.items()
        if key.endswith(".name") and not isinstance(entry, Range)
    }
    for combination in islice(product(*named.values()), MOST_COMBINATIONS):
        yield dict(zip(named, combination, strict=True))


def _require_possible(spec: Recipe, values: dict[str, Any], key: str, origin: str) -> None:
    """
    Raises:
        UsageError: the recipe takes no such values.
    """
    try:
        spec.with_values(values).require_trainable()
    except UsageError as error:
        why = str(error).removeprefix(f"recipe {spec.name}: ").rstrip(".")
        others = {name: each for name, each in values.items() if name != key}
        beside = "".join(f", with {name} = {shown(each)}" for name, each in others.items())
        tried = shown(values[key])
        raise UsageError(f"{origin}: {key} = {tried} cannot be tried{beside}: {why}.") from None


def _is_possible(spec: Recipe, values: dict[str, Any]) -> bool:
    try:
        spec.with_values(values)
    except UsageError:
        return False
    return True


def _at(table: Any, key: str) -> Any:
    """What stands under a dotted key; None where nothing does."""
    for part in key.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    return table


def _holds(entry: Range | Choices, value: Any) -> bool:
    if not isinstance(entry, Range):
        return written(value) in map(written, entry)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    if not entry.low <= value <= entry.high:
        return False
    steps = 0.0 if entry.step is None else (value - entry.low) / entry.step
    return abs(steps - round(steps)) < 1e-9
