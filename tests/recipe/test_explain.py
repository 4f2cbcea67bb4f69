"""Errors name the key, what may stand there and what does, in plain words."""

import re
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import UsageError


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("discriminator.droput=0.3", ["discriminator.droput", "Did you mean 'dropout'"]),
        ("training.epoch=3", ["training.epoch", "Did you mean 'epochs'"]),
        ("generator.optimizer.momentun=0.3", ["generator.optimizer.momentun", "'momentum'"]),
        ("discriminator.dropout=1.5", ["discriminator.dropout", "below 1", "1.5"]),
        ("discriminator.dropout=[0.1]", ["one for each of the 2 hidden layers", "[0.1]"]),
        ("training.epochs=-1", ["training.epochs", "above 0", "-1"]),
        ("training.epochs=many", ["training.epochs", "whole number", "many"]),
        ("generator.optimizer.lr=nan", ["generator.optimizer.lr", "nan"]),
        ("generator.optimizer.name=adamax", ["generator.optimizer", "adamax"]),
        (
            "generator.optimizer={}",
            ["optimizer.name: should be 'adam', 'adamw' or 'sgd', but is missing"],
        ),
        (
            "discriminator.activation=gelu",
            ["should be 'shared-maxout', 'maxout', 'relu', 'leaky-relu', "],
        ),
        ("discriminator.optimizer=3", ["discriminator.optimizer: should be a section, not 3"]),
        (
            "generator.hidden=64",
            ["a list of 1 to 100 values, each a whole number", "as in [", "64"],
        ),
        ("generator.optimizer.momentum_ramp=[3, 1]", ["start < end", "[3.0, 1.0]"]),
        ("training.epochs=1.5", ["training.epochs: should be a whole number", "not 1.5"]),
        ("data.train_images=0", ["whole number", "or left out", "not 0"]),
        ("loss.real_labels=[1.0, 0.9]", ["loss", "low <= high", "not [1.0, 0.9]"]),
        ("data.name.x=2", ["'name' is a value"]),
        ("training.epochs", ["key=value"]),
        ("training.epochs=true", ["training.epochs", "whole number", "True"]),
        ("latent.dim=100.0", ["latent.dim", "whole number"]),
        ("generator.hidden=[]", ["generator.hidden", "a list of 1 to 100"]),
        ("condition.discriminator=none", ["'concat', 'projection' or 'auxiliary', not 'none'"]),
        ("condition.weight=2", ["weight needs discriminator = 'auxiliary', not 'projection'"]),
        ("condition=3", ["condition: should be a section", "not 3"]),
        ("latent.categories=-1", ["latent.categories", "at least 0", "-1"]),
        ("name=../evil", ["name", "A-Z", "../evil"]),
        ("adam=1", ["there is no key 'adam'"]),
        ("generator.optimizer.adam=1", ["there is no key 'generator.optimizer.adam'"]),
    ],
)
def test_an_error_names_the_key_and_what_would_do(override: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        recipe.load("sgd").with_overrides([override])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


FIELDS = sorted(
    {
        (name, field)
        for name in recipe.names()
        for field in (
            *recipe.dotted(recipe.load(name).values),
            *(f"condition.{field}" for field in recipe.Condition.model_fields),
            *(f"penalties.gradient.{field}" for field in recipe.GradientPenalty.model_fields),
            *(f"generator.optimizer.{field}" for field in recipe.Sgd.model_fields),
            *recipe.Recipe.model_fields,
        )
    }
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.integers(-2, 300).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.floats().map(np.float64),
)
JARGON = r"\b(valid|instance|literal|union|unable|tuple|dict\w*|input)\b|\bnp\."
# Hypothesis also takes words that stand in the package: the user's own are no jargon of ours.
TEXT = st.text(max_size=5).filter(lambda text: not re.search(JARGON, text.lower()))
ANYTHING = st.recursive(
    st.one_of(
        NUMBERS,
        st.booleans(),
        st.booleans().map(np.bool_),
        TEXT,
        st.binary(max_size=5),
        st.none(),
        st.complex_numbers(),
        st.dates(),
        st.builds(object),
        st.just(np.arange(40).reshape(8, 5)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.frozensets(st.integers(), max_size=2),
        st.dictionaries(st.one_of(TEXT, st.integers()), inner, max_size=2),
    ),
)


@given(chosen=st.sampled_from(FIELDS), value=ANYTHING)
def test_any_value_gives_a_recipe_or_a_plain_sentence(
    chosen: tuple[str, str], value: object
) -> None:
    name, field = chosen
    spec = recipe.load(name)
    try:
        changed = spec.with_values({field: value})
    except UsageError as error:
        said = str(error)
    else:
        assert recipe.parse(tomllib.loads(changed.to_toml()), "its own TOML") == changed
        return
    section = field.rpartition(".")[0]
    of = f"recipe {name}"
    assert re.match(rf"{of}: (there is no key ')?{field}\b|{of}: {section}: ", said)
    assert re.search(r"(should be|needs?) .+, (not|but is missing)|there is no key", said)
    assert "\n" not in said
    assert not re.search(JARGON, said.lower())


KEYS = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=3)
VALUES = st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=5))


@given(key=KEYS, value=VALUES)
def test_any_override_gives_a_recipe_or_a_usage_error(key: list[str], value: object) -> None:
    message = ""
    try:
        recipe.load("sgd").with_overrides([f"{'.'.join(key)}={value}"])
    except UsageError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.epochs=" + "9" * 5000, ["training.epochs", "whole number"]),
        ("training.epochs=0x" + "f" * 5000, ["training.epochs", "4,300 digits"]),
        ("generator.hidden=" + "[" * 3000, ["generator.hidden", "[[["]),
        ("latent=" + "{a=" * 2000, ["latent"]),
        ("generator.hidden=[10000000000]", ["generator.hidden", "at most"]),
        (f"generator.hidden=[{'1,' * 101}]", ["generator.hidden", "1 to 100"]),
        ("latent.std=1e39", ["latent.std", "at most"]),
        ("title=\ud800", ["title", "Unicode"]),
        ("data.name=\udcff", ["data.name", "Unicode"]),
        (f"name={'x' * 101}", ["name", "at most 100"]),
        ("data=3", ["data: should be a section, not 3"]),
        (f"generator.output='{'x' * 5000}'", ["generator.output", "'xxx", "…"]),
    ],
)
def test_absurd_values_are_refused_in_few_words(override: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        recipe.load("sgd").with_overrides([override])
    assert len(str(caught.value)) < 400
    for word in words:
        assert word in str(caught.value)
