"""A network's section says its family; recipes that do not are of perceptrons."""

from typing import Annotated, Literal

import pytest
from pydantic import BeforeValidator, Field, ValidationError

from counterfeit import recipe
from counterfeit.errors import UsageError
from counterfeit.recipe.explain import explain
from counterfeit.recipe.networks import mlp_if_unnamed
from small_networks import PERCEPTRONS


@pytest.mark.parametrize("name", PERCEPTRONS)
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
        known = (
            rf"{player}\.name: should be 'custom', 'dcgan', 'mlp' or 'resnet', not 'transformer'$"
        )
        with pytest.raises(UsageError, match=known):
            recipe.load("adam").with_values({f"{player}.name": "transformer"})


@pytest.mark.parametrize("family", ["dcgan", "resnet", "mlp"])
def test_another_family_keeps_what_all_have_and_takes_its_own_defaults(family: str) -> None:
    before = recipe.load("paper-averaged").with_values({"generator.output": "tanh"})
    for name in {"mlp": "dcgan"}.get(family, "mlp"), family:
        spec = before = before.with_values({"generator.name": name, "discriminator.name": name})
    original = recipe.load("paper-averaged")
    fields = {"name": family, "optimizer": original.generator.optimizer}
    own = {"output": "tanh", "ema_decay": original.generator.ema_decay}
    assert spec.generator == type(spec.generator)(**fields, **own)
    assert spec.discriminator == type(spec.discriminator)(
        name=family, optimizer=original.discriminator.optimizer
    )
    assert recipe.parse(recipe.read_toml(spec.to_toml(), "own"), "own") == spec


def test_a_family_counts_before_its_fields_wherever_it_stands() -> None:
    overrides = [
        "generator.channels=8",
        "generator.optimizer.betas=[0.5, 0.9]",
        "generator.optimizer.name=adam",
        "generator.name=dcgan",
    ]
    spec = recipe.load("sgd").with_overrides(overrides)
    assert spec == recipe.load("sgd").with_overrides(overrides[::-1])
    assert spec.generator == recipe.DcganGenerator(
        channels=8, optimizer=recipe.Adam(lr=spec.generator.optimizer.lr, betas=(0.5, 0.9))
    )


def test_a_field_of_another_family_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no key 'generator.hidden'. .*channels"):
        recipe.load("sgd").with_overrides(["generator.name=dcgan", "generator.hidden=[3]"])


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
            {"optimizer": optimizer, "hidden": []},
            "generator.hidden: should be a list of 1 to 100 values, each a whole number (above 0,"
            " at most 1,000,000,000), as in [256, 512], not []",
        ),
    ):
        damaged = table | {"generator": section}
        with pytest.raises(ValidationError) as caught:
            Enlarged.model_validate(damaged)
        assert explain(caught.value, damaged, Enlarged.model_json_schema()) == [sentence]
