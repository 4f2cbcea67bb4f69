"""A network's section says its family; recipes that do not are of perceptrons."""

from typing import Annotated, Literal

import pytest
from pydantic import BeforeValidator, Field, ValidationError

from counterfeit import recipe
from counterfeit.errors import UsageError
from counterfeit.recipe.explain import explain
from counterfeit.recipe.networks import mlp_if_unnamed


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_written_before_there_were_families_is_the_same(name: str) -> None:
    spec = recipe.load(name)
    assert spec.generator.name == spec.discriminator.name == "mlp"
    text = spec.to_toml()
    assert text.count('name = "mlp"\n') == 2
    old = recipe.parse(recipe.read_toml(text.replace('name = "mlp"\n', ""), "old"), "old")
    assert old == spec
    assert old.values == spec.values
    assert old.changes(spec) == []


def test_an_unknown_family_is_answered_with_those_there_are() -> None:
    for player in ("generator", "discriminator"):
        with pytest.raises(UsageError, match=rf"{player}\.name: should be 'mlp', not 'dcgan'$"):
            recipe.load("adam").with_values({f"{player}.name": "dcgan"})


class Convolutional(recipe.AnyGenerator):
    name: Literal["convolutional"] = "convolutional"
    channels: Annotated[int, Field(gt=0)] = 64


class Enlarged(recipe.Recipe):
    """A recipe as it will be with one family more."""

    generator: Annotated[  # type: ignore[assignment]
        recipe.MlpGenerator | Convolutional,
        Field(discriminator="name"),
        BeforeValidator(mlp_if_unnamed),
    ]


def test_one_more_family_takes_a_class_and_a_place_in_the_union() -> None:
    table = recipe.load("adam").model_dump(exclude_none=True)
    del table["generator"]["name"]
    assert Enlarged.model_validate(table).generator == recipe.load("adam").generator
    optimizer = table["generator"]["optimizer"]
    other = {"name": "convolutional", "optimizer": optimizer, "channels": 8}
    assert Enlarged.model_validate(table | {"generator": other}).generator == Convolutional(
        optimizer=recipe.Adam(lr=0.0002), channels=8
    )
    for section, sentence in (
        (
            other | {"name": "residual"},
            "generator.name: should be 'convolutional' or 'mlp', not 'residual'",
        ),
        (
            other | {"channel": 1},
            "there is no key 'generator.channel'. Did you mean 'channels'?",
        ),
        (
            other | {"optimizer": {"name": "adam", "lr": 0}},
            "generator.optimizer.lr: should be a number (above 0, at most 1e+30), not 0",
        ),
        (
            {"optimizer": optimizer},
            "generator.hidden: should be a list of 1 to 100 values, each a whole number (above 0,"
            " at most 1,000,000,000), as in [256, 512], but is missing",
        ),
    ):
        damaged = table | {"generator": section}
        with pytest.raises(ValidationError) as caught:
            Enlarged.model_validate(damaged)
        assert explain(caught.value, damaged, Enlarged.model_json_schema()) == [sentence]
