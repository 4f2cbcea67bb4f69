"""The tricks as data: what each changes in which recipe, and the studies that judge them."""

import json
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from counterfeit.recipe import dotted
from counterfeit.recipe.tables import plain
from counterfeit.study.plan import Plan, Variant

FOLDER = Path(__file__).parent

FAMILIES = ("ganhacks", "later")
"""The lists of tricks. Each is corrected for its own comparisons: five seeds can claim nothing in
more than 25 of them."""


@dataclass(frozen=True)
class Change:
    """What a trick changes in a recipe."""

    variant: str
    """What the changed recipe is called in a study."""
    values: Mapping[str, Any]
    """Under dotted keys."""
    takes_away: bool
    """The recipe has the trick, and is without it by these values."""

    @property
    def options(self) -> str:
        """For a command line, quoted as a shell wants it."""
        return " ".join(
            f"--set {shlex.quote(f'{key}={_as_toml(value)}')}" for key, value in self.values.items()
        )


def _as_toml(value: object) -> str:
    """Text as it is, and else what JSON and TOML have in common, without spaces."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class Trick:
    label: str
    title: str
    source: str
    family: str
    """One of `FAMILIES`."""
    changes: Mapping[str, Change]
    """In each base, by its key, whose networks can have it."""


@dataclass(frozen=True)
class NoSwitch:
    """A trick that is no value of a recipe."""

    title: str
    source: str
    instead: str
    """What can be done here."""


@dataclass(frozen=True)
class Base:
    """A recipe that tricks are judged on."""

    key: str
    recipe: str
    study: str
    """The name of its file and of its folder."""
    why: str
    """What it costs."""
    epochs: int
    values: Mapping[str, Any]
    """Other values than the recipe's in all variants, under dotted keys."""


@dataclass(frozen=True)
class Catalogue:
    bases: Sequence[Base]
    tricks: Sequence[Trick]
    no_switch: Sequence[NoSwitch]

    def of(self, base: Base) -> list[tuple[Trick, Change]]:
        """The tricks that can be judged on a base."""
        return [(each, each.changes[base.key]) for each in self.tricks if base.key in each.changes]


@cache
def catalogue() -> Catalogue:
    """All of `tricks.toml`."""
    table = plain(tomllib.loads((FOLDER / "tricks.toml").read_text(encoding="utf-8")))
    bases = [
        Base(key=key, **each | {"values": dotted(each.get("values", {}))})
        for key, each in table["bases"].items()
    ]
    tricks = [
        Trick(
            label=each["label"],
            title=each["title"],
            source=each["source"],
            family=family,
            changes={
                base.key: _change(each["label"], each[base.key])
                for base in bases
                if base.key in each
            },
        )
        for family in FAMILIES
        for each in table[family]
    ]
    return Catalogue(bases, tricks, [NoSwitch(**each) for each in table["no_switch"]])


def _change(label: str, table: Mapping[str, Any]) -> Change:
    ((way, values),) = table.items()
    takes_away = {"with": False, "without": True}[way]
    return Change(f"no-{label}" if takes_away else label, dotted(values), takes_away)


def plan_of(base: Base) -> Plan:
    """The study that judges tricks on a base: it as it is, and one variant for each."""
    changes: dict[str, dict[str, Any]] = {base.recipe: {}} | {
        change.variant: dict(change.values) for _, change in catalogue().of(base)
    }
    return Plan(
        variants=tuple(
            Variant(label=label, recipe=base.recipe, values=dict(base.values) | values)
            for label, values in changes.items()
        ),
        seeds=5,
        epochs=base.epochs,
        evaluate_every=base.epochs + 1,  # at the end alone
        samples=2_000,
    )
