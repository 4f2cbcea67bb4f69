"""Recipe: its sections together, checked."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import tomli_w
from pydantic import Field, ValidationError

from counterfeit.errors import UsageError
from counterfeit.recipe.explain import explain
from counterfeit.recipe.networks import AnyGenerator, Discriminator, Generator, Network
from counterfeit.recipe.sections import Data, Latent, Loss, Section, Text, Training
from counterfeit.recipe.tables import dotted, parse_override, plain, put

KEPT = {
    "optimizer": {"lr"},
    "generator": set(AnyGenerator.model_fields),
    "discriminator": set(Network.model_fields),
}
"""What a section keeps where another `name` makes it one of another kind."""


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
    generator: Generator
    discriminator: Discriminator
    loss: Loss = Loss()
    training: Training = Training()

    @property
    def value_range(self) -> tuple[float, float]:
        """The lowest and highest pixel value that the networks see."""
        return (0.0, 1.0) if self.generator.output == "sigmoid" else (-1.0, 1.0)

    @property
    def values(self) -> dict[str, Any]:
        """All that training depends on: not the name, nor the words about it."""
        return self.model_dump(exclude={"name", "title", "source", "deviations"})

    def to_toml(self) -> str:
        return tomli_w.dumps(self.model_dump(exclude_none=True))

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

        Another optimiser's name keeps the learning rate and drops the old one's other settings;
        another family of networks keeps what all have. Names count first, wherever they stand.

        Raises:
            UsageError: an unknown key or an impossible value.
        """
        table = self.model_dump(exclude_none=True)
        for key in sorted(values, key=lambda key: not key.endswith(".name")):
            put(table, key, plain(values[key]), KEPT)
        return parse(table, f"recipe {self.name}")


def parse(table: dict[str, Any], origin: str) -> Recipe:
    """The recipe in `table`, which came from `origin`.

    Raises:
        UsageError: an unknown key or an impossible value.
    """
    try:
        return Recipe.model_validate(table := plain(table))
    except ValidationError as error:
        sentences = explain(error, table, _schema())
        raise UsageError(f"{origin}: {'; '.join(sentences)}") from None


@cache
def _schema() -> dict[str, Any]:
    return Recipe.model_json_schema()
