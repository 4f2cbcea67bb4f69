"""What may be tried: read, checked on the recipe, and drawn from."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfeit import recipe
from counterfeit.errors import UsageError
from counterfeit.recipe import read_toml
from counterfeit.search.sampling import suggested
from counterfeit.search.space import Range, Space

ADAM = recipe.load("adam")

TOML = """
loss.name = ["non-saturating", "hinge"]
training.batch_size = { low = 32, high = 256, step = 32 }

[generator]
optimizer.lr = { low = 1e-5, high = 1e-2, log = true }
hidden = [[256, 512], [128]]

[discriminator]
dropout = [[0.5, 0.0], [0.0, 0.0]]
"""


def parsed(text: str) -> Space:
    return Space.parse(read_toml(text, "s.toml"), ADAM, "s.toml")


def test_keys_are_choices_or_ranges_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(TOML)
    space = Space.read(path, ADAM)
    assert list(space.entries) == sorted(space.entries)
    assert space.entries["generator.optimizer.lr"] == Range(low=1e-5, high=1e-2, log=True)
    assert space.entries["training.batch_size"] == Range(low=32, high=256, step=32)
    assert space.entries["generator.hidden"] == ((256, 512), (128,))
    assert Space.parse(space.to_table(), ADAM, "again") == space
    assert space.holds(space.of(ADAM))
    assert not space.holds(space.of(ADAM.with_values({"training.batch_size": 33})))
    assert not space.holds(space.of(ADAM.with_values({"generator.hidden": (7,)})))


def test_whole_ends_are_of_whole_numbers_only_where_the_recipe_takes_no_others() -> None:
    space = parsed(
        "training.batch_size = {low = 2, high = 9}\ngenerator.optimizer.lr = {low = 1, high = 3}"
    )
    whole, real = space.entries["training.batch_size"], space.entries["generator.optimizer.lr"]
    assert isinstance(whole, Range)
    assert isinstance(real, Range)
    assert (whole.whole, real.whole) == (True, False)


def test_a_table_can_be_a_choice() -> None:
    text = 'generator.optimizer = [{name = "adam", lr = 1e-3}, {name = "sgd", lr = 0.1}]'
    assert parsed(text).entries["generator.optimizer"][1]["name"] == "sgd"


def test_keys_that_some_names_have_are_checked_with_these_names() -> None:
    beta = "generator.optimizer.betas = [[0.5, 0.999]]\n"
    names = 'generator.optimizer.name = ["adamw", "{other}"]'
    assert len(parsed(beta + names.format(other="adam")).entries) == 2
    with pytest.raises(UsageError, match=r"cannot be tried, with generator.optimizer.name = 'sgd'"):
        parsed(beta + names.format(other="sgd"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no keys; write what to try"),
        ("generator.hiden = [1]", "there is no key 'generator.hiden'. Did you mean 'hidden'?"),
        ("training.batch_size = 64", r"should be a list of choices, as in .*, not 64"),
        ("training.batch_size = []", "should be a list of choices"),
        ("training.batch_size = [64, 64]", "has a choice twice"),
        ("training.batch_size = [64, 'many']", r"batch_size: should be a whole .* not 'many'"),
        ("training.batch_size = {low = 8.0, high = 16.0}", "should be a whole number"),
        ("training.batch_size = {low = 16, high = 8}", "low below high, not 16 and 8"),
        ("training.batch_size = {low = 8}", "high: should be .*, but is missing"),
        ("training.batch_size = {low = 8, high = 16, stepp = 2}", "Did you mean 'step'?"),
        ("training.batch_size = {low = 8, high = 16, step = 9}", "fits between low and high: 9"),
        ("training.batch_size = {low = 8, high = 16, step = 2, log = true}", "log or step"),
        ("generator.optimizer.lr = {low = 0.0, high = 1.0, log = true}", "low above 0, not 0.0"),
        ("generator.optimizer.lr = {low = -1.0, high = 1.0}", r"= -1.0 cannot be tried: .*lr"),
        ("generator.optimizer.lr = {low = nan, high = 1.0}", "low: should be"),
        ("data.name = ['mnist', 'digits']", "data.name is not searched: .*--data names it"),
        ("training.epochs = [1, 2]", "--epochs says how long"),
        ("title = ['x', 'y']", "a word about the recipe"),
        (
            "generator.optimizer = [{name = 'sgd', lr = 1.0}]\n[generator.optimizer.lr]",
            "not TOML",
        ),
        (
            '"generator.optimizer" = [{name = "sgd", lr = 1.0}]\n"generator.optimizer.lr" = [1.0]',
            "generator.optimizer holds generator.optimizer.lr; search one of them",
        ),
    ],
)
def test_what_is_wrong_with_a_space_is_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parsed(text)
    assert "\n" not in str(caught.value)
    assert "s.toml" in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
keys = st.sampled_from(
    ["generator.optimizer.lr", "generator.hidden", "loss.name", "training.batch_size", "x", ""]
)
ranges = st.fixed_dictionaries(
    {"low": values, "high": values}, optional={"log": values, "step": values}
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, values | ranges | st.lists(values), max_size=3))
def test_any_table_is_a_space_or_one_line(table: dict[str, Any]) -> None:
    wrong = ""
    try:
        space = Space.parse(table, ADAM, "s.toml")
    except UsageError as error:
        wrong = str(error)
    if wrong:
        assert "\n" not in wrong
    else:
        ADAM.with_values({key: draw(entry) for key, entry in space.entries.items()})


def draw(entry: Any) -> Any:
    return suggested(optuna.create_study().ask(), "key", entry)


numbers = st.integers(1, 1000) | st.floats(1e-3, 1e3)


@pytest.mark.filterwarnings("ignore:The distribution is specified by")
@settings(max_examples=100, deadline=None)
@given(numbers, numbers, st.booleans(), st.none() | numbers)
def test_what_is_drawn_is_within_the_range(
    low: float, high: float, log: bool, step: float | None
) -> None:
    try:
        entry = Range(low=low, high=high, log=log, step=step)
    except ValueError:
        return
    space = Space({"key": entry})
    value = draw(entry)
    assert low <= value <= high
    assert isinstance(value, int) == entry.whole
    assert space.holds({"key": value})
