"""A study's plan."""

from pathlib import Path

import pytest

from counterfeit.errors import UsageError
from counterfeit.recipe import read_toml
from counterfeit.study.folder import Study
from counterfeit.study.plan import Plan, default_name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('recipes = ["sgd"]\nseds = 3', "there is no key 'seds'. Did you mean 'seeds'?"),
        ("seeds = 3", "needs recipes, or variants"),
        ('recipes = ["sgd"]\nseeds = 0', "seeds: should be a whole number"),
        ('recipes = ["sgd"]\nseeds = [1, 1]', "different ones"),
        ('recipes = ["sgd"]\nepochs = 1\nimages = 4', "one of epochs, images and seconds"),
        ('recipes = ["sgd"]\nvary.x = []', "vary.x needs values"),
        ('variants = [{recipe = "sgd"}]\nvary.x = [1]', "vary needs recipes"),
        ('variants = [{recpe = "sgd"}]', "variant 1: .*Did you mean 'recipe'?"),
        ('variants = ["sgd"]', "variant 1: should be a section, not 'sgd'"),
        ('recipes = ["sgd"]\nstop_on = "x"', "stop_on: should be 'critical'"),
        ("variants = 3", "variants: should be a list"),
        ('recipes = ["sgd"]\ndata = ["x"]\nvary.data.name = ["y"]', "data, or data.name"),
        (
            'epochs = 3\nvariants = [{recipe = "sgd", values = {training.epochs = 2}}]',
            "epochs or images, or training.epochs",
        ),
        (
            'data = ["mnist", "fashion-mnist"]\n[[variants]]\nrecipe = "sgd"\nlabel = "x"\n'
            '[[variants]]\nrecipe = "adam"\nlabel = "x-fashion"',
            "x-fashion on mnist would be called x-fashion-mnist, as others are",
        ),
        ('recipes = ["nope"]', "no recipe is called 'nope'"),
        ('recipes = ["sgd"]\nvary.generator.hiden = [1]', "there is no key 'generator.hiden'"),
    ],
)
def test_what_is_wrong_with_a_plan_is_one_line(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        Study.make(tmp_path / "s", Plan.parse(read_toml(text, "study.toml"), "study.toml"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s").exists()


def test_a_study_is_called_by_its_recipes() -> None:
    recipes = ("sgd", "adam", "mine/sgd.toml")
    assert default_name(Plan.parse({"recipes": recipes}, "x")) == "sgd-adam"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"recipes": ("sgd", "adam", "sgd")}, "each recipe once, not sgd twice"),
        ({"recipes": ("sgd",), "vary": {"a.lr": (1e-4, 0.0001)}}, "not sgd-lr-0.0001 twice"),
        ({"recipes": ("sgd",), "variants": [{"recipe": "sgd"}]}, "not sgd twice"),
        (
            {"variants": [{"recipe": name, "label": "x"} for name in ("sgd", "adam")]},
            "variants with different labels",
        ),
    ],
)
def test_nothing_is_compared_with_itself(table: dict[str, object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Plan.parse(table, "x")
