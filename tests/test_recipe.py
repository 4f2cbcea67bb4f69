"""Recipes: the sources' numbers, and errors that name the key."""

import math
import re
import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import UsageError

STAGES = ["sgd", "adam", "batchnorm-smoothing-text", "batchnorm-smoothing"]


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_survives_its_own_toml(name: str) -> None:
    spec = recipe.load(name)
    assert spec.name == name
    assert spec.source
    assert recipe.parse(tomllib.loads(spec.to_toml()), name) == spec


@pytest.mark.parametrize("name", STAGES)
def test_the_articles_stages_share_what_they_share(name: str) -> None:
    spec = recipe.load(name)
    assert spec.data == recipe.Data(name="mnist")
    assert spec.latent.dim == 100
    assert spec.latent.distribution == "normal"
    assert math.isclose(spec.latent.std**2, 0.1)
    assert spec.generator.hidden == (256, 512)
    assert spec.generator.output == "sigmoid"
    assert spec.discriminator.hidden == (512, 256)
    assert spec.discriminator.activation == "shared-maxout"
    assert spec.discriminator.pieces == 3
    assert not spec.discriminator.train_shared_maxout
    assert spec.discriminator.hidden_dropout == (0.5, 0.0)
    assert spec.loss.generator == "non-saturating"
    assert spec.training == recipe.Training(epochs=100, batch_size=128)


def test_the_articles_stages_differ_where_they_differ() -> None:
    first, second, third_text, third = (recipe.load(name) for name in STAGES)
    slow_sgd = recipe.Sgd(lr=0.0002, momentum=0.9)
    slow_adam = recipe.Adam(lr=0.0002)

    assert first.generator.optimizer == recipe.Sgd(lr=0.01, momentum=0.9)
    assert first.discriminator.optimizer == recipe.Sgd(lr=0.01, momentum=0.9)
    for spec in (second, third_text):
        assert spec.generator.optimizer == slow_adam
        assert spec.discriminator.optimizer == slow_sgd
    assert third.generator.optimizer == third.discriminator.optimizer == recipe.Adam(lr=0.001)

    for spec, smooth in ((first, False), (second, False), (third_text, True), (third, True)):
        assert spec.generator.batch_norm == smooth
        assert spec.loss.real_labels == ((0.9, 1.0) if smooth else (1.0, 1.0))


def test_the_papers_recipe_is_mnist_yaml() -> None:
    spec = recipe.load("paper")
    assert spec.data.train_images == 50_000
    assert (spec.latent.distribution, spec.latent.std) == ("uniform", 1.0)
    assert spec.generator.hidden == (1200, 1200)
    assert spec.generator.init_range == 0.05
    assert spec.generator.output_bias == "data-mean"
    assert spec.discriminator.hidden == (240, 240)
    assert (spec.discriminator.activation, spec.discriminator.pieces) == ("maxout", 5)
    assert spec.discriminator.init_range == 0.005
    assert spec.discriminator.input_dropout == pytest.approx(1 - 0.8)
    assert spec.discriminator.hidden_dropout == (0.5, 0.5)
    assert spec.training.update == "simultaneous"
    assert spec.training.batch_size == 100
    expected = recipe.Sgd(
        lr=0.1,
        lr_decay=1.000004,
        lr_min=1e-6,
        momentum=0.5,
        final_momentum=0.7,
        momentum_ramp=(1, 250),
    )
    assert spec.generator.optimizer == spec.discriminator.optimizer == expected


def test_a_file_of_ones_own_works_like_a_name(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(recipe.load("sgd").to_toml().replace('name = "sgd"', 'name = "mine"', 1))
    assert recipe.load(path).name == "mine"


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
        ("generator.optimizer.name=adamw", ["generator.optimizer", "adamw"]),
        ("generator.optimizer={}", ["optimizer.name: should be 'adam' or 'sgd', but is missing"]),
        ("discriminator.activation=elu", ["should be 'shared-maxout', 'maxout', 'relu' or 'lea"]),
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


def test_another_optimiser_keeps_the_learning_rate_only() -> None:
    spec = recipe.load("paper").with_overrides(["generator.optimizer.name=adam"])
    assert spec.generator.optimizer == recipe.Adam(lr=0.1)


def test_values_need_no_quoting() -> None:
    for name in (r"C:\new\table", 'q"x', "it's"):
        assert recipe.load("sgd").with_values({"data.name": name}).data.name == name


def test_simultaneous_updates_allow_one_step_on_shared_latents() -> None:
    for override in ("training.discriminator_steps=2", "training.generator_latents=fresh"):
        with pytest.raises(UsageError, match="simultaneous"):
            recipe.load("paper").with_overrides([override])


def test_an_unknown_recipe_suggests_a_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'paper'"):
        recipe.load("papr")


@pytest.mark.parametrize("content", [b"= not toml", b"\xff\xfe\x00", b"name = 1", b""])
def test_a_file_that_is_no_recipe_is_named(tmp_path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"broken\.toml"):
        recipe.load(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*absent\.toml"):
        recipe.load(tmp_path / "absent.toml")


FIELDS = sorted(
    {
        f"{section}.{field}"
        for section in ("data", "latent", "generator", "discriminator", "loss", "training")
        for field in recipe.load("sgd").values[section]
    }
    | {f"generator.optimizer.{field}" for field in recipe.Sgd.model_fields}
    | set(recipe.Recipe.model_fields)
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.integers(-2, 300).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.floats().map(np.float64),
)
ANYTHING = st.recursive(
    st.one_of(
        NUMBERS,
        st.booleans(),
        st.booleans().map(np.bool_),
        st.text(max_size=5),
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
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=2),
    ),
)
JARGON = r"\b(valid|instance|literal|union|unable|tuple|dict\w*|input|np)\b"


@given(field=st.sampled_from(FIELDS), value=ANYTHING)
def test_any_value_gives_a_recipe_or_a_plain_sentence(field: str, value: object) -> None:
    spec = recipe.load("sgd")
    try:
        changed = spec.with_values({field: value})
    except UsageError as error:
        said = str(error)
    else:
        assert recipe.parse(tomllib.loads(changed.to_toml()), "its own TOML") == changed
        return
    section = field.rpartition(".")[0]
    assert re.match(rf"recipe sgd: (there is no key ')?{field}\b|recipe sgd: {section}: ", said)
    assert re.search(r"(should be|need) .+, (not|but is missing)|there is no key", said)
    assert "\n" not in said
    assert not re.search(JARGON, said.lower())


@given(number=NUMBERS, field=st.sampled_from(["training.epochs", "latent.std", "latent.dim"]))
def test_numpys_numbers_are_numbers(number: Any, field: str) -> None:
    def outcome(value: object) -> object:
        try:
            return recipe.load("sgd").with_values({field: value})
        except UsageError as error:
            return str(error)

    plain = number.item() if isinstance(number, np.generic) else number
    assert outcome(number) == outcome(plain)
    assert outcome(np.asarray(number)) == outcome(plain)


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


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = " + "9" * 5000, "digits"),
        ("a = " + "[" * 3000, "nested too deeply"),
        ("a = ", "value"),
    ],
)
def test_a_file_that_cannot_be_parsed_says_why(tmp_path, text: str, why: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=f"odd.toml is not TOML.*{why}"):
        recipe.load(path)
