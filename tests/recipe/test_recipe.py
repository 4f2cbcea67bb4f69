"""A recipe with other values, and through its own TOML."""

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import UsageError


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_survives_its_own_toml(name: str) -> None:
    spec = recipe.load(name)
    assert spec.name == name
    assert spec.source
    assert recipe.parse(tomllib.loads(spec.to_toml()), name) == spec


def test_overrides_reach_every_depth() -> None:
    spec = recipe.load("sgd").with_overrides(
        [
            "training.epochs=3",
            "generator.optimizer.lr=1e-3",
            "discriminator.dropout=0.3",
            "data.name=digits",
            'discriminator.optimizer={name="adam", lr=0.1}',
            "latent.std=2",
        ]
    )
    assert spec.latent.std == 2
    assert spec.training.epochs == 3
    assert spec.generator.optimizer.lr == 1e-3
    assert spec.discriminator.hidden_dropout == (0.3, 0.3)
    assert spec.data.name == "digits"
    assert spec.discriminator.optimizer == recipe.Adam(lr=0.1)


def test_another_optimiser_keeps_what_all_have_only() -> None:
    spec = recipe.load("paper").with_overrides(
        ["generator.optimizer.name=adam", "generator.optimizer.warmup=100"]
    )
    assert spec.generator.optimizer == recipe.Adam(lr=0.1, warmup=100)
    spec = spec.with_overrides(["generator.optimizer.name=adamw"])
    assert spec.generator.optimizer == recipe.AdamW(lr=0.1, warmup=100)


def test_values_need_no_quoting() -> None:
    for name in (r"C:\new\table", 'q"x', "it's"):
        assert recipe.load("sgd").with_values({"data.name": name}).data.name == name


def test_simultaneous_updates_allow_one_step_on_shared_latents() -> None:
    for override in ("training.discriminator_steps=2", "training.generator_latents=fresh"):
        with pytest.raises(UsageError, match="simultaneous"):
            recipe.load("paper").with_overrides([override])


@given(
    number=st.one_of(
        st.integers(-2, 300).map(np.int64),
        st.integers(0, 255).map(np.uint8),
        st.floats(width=32).map(np.float32),
        st.floats().map(np.float64),
    ),
    field=st.sampled_from(["training.epochs", "latent.std", "latent.dim"]),
)
def test_numpys_numbers_are_numbers(number: np.generic, field: str) -> None:
    def outcome(value: object) -> object:
        try:
            return recipe.load("sgd").with_values({field: value})
        except UsageError as error:
            return str(error)

    assert outcome(number) == outcome(number.item())
    assert outcome(np.asarray(number)) == outcome(number.item())


def test_numpys_arrays_are_lists_and_its_truths_are_no_numbers() -> None:
    spec = recipe.load("sgd")
    changed = spec.with_values({"generator.hidden": np.array([64, 32]), "training.epochs": 7})
    assert changed.generator.hidden == (64, 32)
    assert all(type(units) is int for units in changed.generator.hidden)
    assert spec.with_values({"generator.batch_norm": np.True_}).generator.batch_norm is True
    for truth in (True, np.True_):
        with pytest.raises(UsageError, match=r"a whole number .*, not True"):
            spec.with_values({"training.epochs": truth})


def test_values_given_as_sections_and_tables_are_not_changed_by_later_ones() -> None:
    table = {"name": "sgd", "lr": 0.1}
    for section in (table, recipe.Sgd(lr=0.1)):
        spec = recipe.load("adam").with_values(
            {"generator.optimizer": section, "generator.optimizer.lr": 0.5}
        )
        assert spec.generator.optimizer == recipe.Sgd(lr=0.5)
    assert table == {"name": "sgd", "lr": 0.1}
