"""Recipe: its sections together, checked."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, get_args

import tomli_w
from pydantic import Field, ValidationError, model_validator

from counterfeit.errors import UsageError
from counterfeit.recipe.condition import Condition
from counterfeit.recipe.explain import explain
from counterfeit.recipe.networks import (
    AnyGenerator,
    CustomGenerator,
    Discriminator,
    Generator,
    Network,
)
from counterfeit.recipe.rules import Constraints, CrossEntropy, Inputs, Loss, Penalties
from counterfeit.recipe.sections import AnyOptimizer, Data, Latent, Section, Text, Training
from counterfeit.recipe.tables import dotted, modern_key, modernised, parse_override, plain, put

SIGNED = ("non-saturating", "minimax", "hinge")
"""Losses by which D's logits of what it takes for real are above 0."""


class Recipe(Section):
    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            max_length=100,
            description="at most 100 of A-Z, a-z, 0-9, '.', '_', '-', and no mark in front",
        ),
    ]
    """Becomes part of the run directory's name."""
    title: Text
    source: Text
    """Where the numbers come from."""
    deviations: tuple[Text, ...] = ()
    """What differs from the source, and why."""
    data: Data = Data()
    latent: Latent = Latent()
    condition: Condition | None = None
    generator: Generator
    discriminator: Discriminator
    loss: Loss = CrossEntropy()
    penalties: Penalties = Penalties()
    constraints: Constraints = Constraints()
    inputs: Inputs = Inputs()
    training: Training = Training()

    @model_validator(mode="after")
    def _its_sections_fit_together(self) -> "Recipe":
        if self.inputs.replay and self.training.update != "alternating":
            raise ValueError(
                "inputs.replay needs training.update = 'alternating', in which D's fakes may be"
                f" others than G's, not {self.training.update!r}"
            )
        if self.inputs.replay and (self.condition is not None or self.latent.codes):
            raise ValueError(
                "inputs.replay needs networks that are told nothing, not [condition] or latent's"
                " codes, which old fakes are kept without"
            )
        if self.inputs.adaptive is not None and self.loss.name not in SIGNED:
            raise ValueError(
                "inputs.adaptive needs a loss whose logits' sign says what D takes for real,"
                f" {', '.join(SIGNED[:-1])} or {SIGNED[-1]}, not {self.loss.name}"
            )
        return self

    @property
    def is_custom(self) -> bool:
        """Whether a part of it is code of the user's own, so that no command can train it."""
        return "custom" in (self.generator.name, self.discriminator.name, self.loss.name)

    def require_trainable(self) -> None:
        """Refuse to begin what may be read, as of runs that have been trained, and means nothing.

        Raises:
            UsageError: a penalty on a D with BatchNorm, as Gulrajani et al. 2017 (1704.00028),
                section 4, warn: an image's slope is then the batch's. Minibatch layers may be
                there, as in 1710.10196 and 1912.04958.
        """
        asked = [name for name, section in self.penalties if section is not None]
        if asked and (others := self.discriminator.mixes_rows.get("norm")):
            raise UsageError(
                f"penalties.{asked[0]} is of the slope at each image, which a D with BatchNorm"
                f" mixes: set discriminator.norm to {others}."
            )

    @property
    def has_heads(self) -> bool:
        """Whether D says an image's class or codes as well, in heads of their own."""
        names = self.condition is not None and self.condition.discriminator == "auxiliary"
        return names or self.latent.codes > 0

    @property
    def is_foreign(self) -> bool:
        """Whether it is of a loop that is not ours: what Monitor knows, and nobody can train."""
        return isinstance(self.generator, CustomGenerator) and self.generator.optimizer is None

    @property
    def value_range(self) -> tuple[float, float]:
        """The lowest and highest pixel value that the networks see."""
        return (0.0, 1.0) if self.generator.output == "sigmoid" else (-1.0, 1.0)

    @property
    def values(self) -> dict[str, Any]:
        """All that training depends on: not the name, nor the words about it."""
        return self.model_dump(exclude={"name", "title", "source", "deviations"})

    def to_toml(self) -> str:
        """Whole, but of a loop that is not ours, where what is not known stays unsaid."""
        table = self.model_dump(exclude_none=True, exclude_unset=self.is_foreign)
        return tomli_w.dumps({key: value for key, value in table.items() if value != {}})

    def changes(self, other: "Recipe") -> list[str]:
        """`generator.optimizer.lr: 0.0002 -> 0.001` for each value that `other` has otherwise.

        All but the number of epochs, which changes nothing in what was trained so far.
        """
        old, new = dotted(self.values), dotted(other.values)
        return [
            f"{key}: {old.get(key)} -> {new.get(key)}"
            for key in old | new
            if old.get(key) != new.get(key) and key != "training.epochs"
        ]

    def with_overrides(self, overrides: Sequence[str]) -> "Recipe":
        """This recipe with values such as `discriminator.dropout=0.3` instead of its own.

        Raises:
            UsageError: an unknown key or an impossible value.
        """
        return self.with_values(dict(map(parse_override, overrides)))

    def with_values(self, values: Mapping[str, object]) -> "Recipe":
        """This recipe with the values of dotted keys, such as `training.epochs`, replaced.

        Another name of an optimiser, a loss or a network keeps the settings that all of these have,
        and drops the old one's others. Names count first, wherever they stand.

        Raises:
            UsageError: an unknown key or an impossible value.
        """
        table = self.model_dump(exclude_none=True)
        modern = {modern_key(key): plain(value) for key, value in values.items()}
        for key in sorted(modern, key=lambda key: not key.endswith(".name")):
            put(table, key, modern[key], _kept)
        return parse(table, f"recipe {self.name}")


def _kept(section: str, name: object) -> Collection[str] | None:
    """The keys that a section keeps when its `name` becomes another; None: all."""
    if section == "loss":
        labelled = name in get_args(CrossEntropy.model_fields["name"].annotation)
        return CrossEntropy.model_fields if labelled else ()
    return {
        "optimizer": AnyOptimizer.model_fields,
        "generator": AnyGenerator.model_fields,
        "discriminator": Network.model_fields,
    }.get(section)


def parse(table: dict[str, Any], origin: str) -> Recipe:
    """The recipe in `table`, which came from `origin`.

    Raises:
        UsageError: an unknown key or an impossible value.
    """
    try:
        return Recipe.model_validate(table := modernised(plain(table)))
    except ValidationError as error:
        sentences = explain(error, table, _schema())
        raise UsageError(f"{origin}: {'; '.join(sentences)}") from None


@cache
def _schema() -> dict[str, Any]:
    return Recipe.model_json_schema()
